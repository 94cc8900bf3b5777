// A chat host for the tests, in a page: the official MCP client and the official host side of MCP Apps (AppBridge), in
// front of the real server. The tests drive it through `window.host`; it records what the card asked of it.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { CallToolResult } from "@modelcontextprotocol/client";
import { AppBridge, PostMessageTransport, RESOURCE_MIME_TYPE, getToolUiResourceUri } from "@modelcontextprotocol/ext-apps/app-bridge";
import type { McpUiHostCapabilities, McpUiHostContext, McpUiResourceMeta } from "@modelcontextprotocol/ext-apps/app-bridge";

export interface Options {
  context?: McpUiHostContext;
  capabilities?: McpUiHostCapabilities;
  /** The `sandbox` attribute of the innermost frame. */
  sandbox?: string;
}

interface Seen {
  /** Calls that the card made, in order; the model made none of them. */
  calls: string[];
  opened: string[];
  messages: string[];
  context: string[];
  heights: number[];
  tornDown: boolean;
}

const EVERYTHING: McpUiHostCapabilities = { openLinks: {}, serverTools: {}, updateModelContext: { text: {} }, message: { text: {} } };

class Host {
  private client = new Client({ name: "nobody", version: "0" });
  private bridge: AppBridge | null = null;
  seen: Seen = { calls: [], opened: [], messages: [], context: [], heights: [], tornDown: false };
  csp: unknown;

  async connect(): Promise<void> {
    this.client = new Client({ name: "test-host", version: "1" }, { capabilities: { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: [RESOURCE_MIME_TYPE] } } } });
    await this.client.connect(new StreamableHTTPClientTransport(new URL("/mcp", location.href)));
  }

  /** What the model does: calls a tool; the tool's page then shows the result. */
  async call(name: string, given: Record<string, unknown>, options: Options = {}): Promise<CallToolResult> {
    const { tools } = await this.client.listTools();
    const tool = tools.find((each) => each.name === name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    const shown = await this.show(getToolUiResourceUri(tool) ?? "", { ...options, context: { toolInfo: { tool }, ...options.context } });
    await shown.sendToolInput({ arguments: given });
    const result = (await this.client.callTool({ name, arguments: given })) as CallToolResult;
    await shown.sendToolResult(result);
    return result;
  }

  /** Shows a result as if a tool had given it: for outcomes that the sandbox cannot be made to have. */
  async pretend(result: CallToolResult, options: Options = {}): Promise<void> {
    await (await this.show("ui://veo/panel", options)).sendToolResult(result);
  }

  /** Opens a card without a result, to be given one by `give`. */
  async prepare(options: Options = {}): Promise<void> {
    await this.show("ui://veo/panel", options);
  }

  async give(result: CallToolResult): Promise<void> {
    await this.bridge?.sendToolResult(result);
  }

  async ask(name: string, given: Record<string, unknown> = {}): Promise<CallToolResult> {
    return (await this.client.callTool({ name, arguments: given })) as CallToolResult;
  }

  change(context: McpUiHostContext): void {
    void this.bridge?.sendHostContextChange(context);
  }

  async cancel(): Promise<void> {
    await this.bridge?.sendToolCancelled({ reason: "user action" });
  }

  async tearDown(): Promise<void> {
    await this.bridge?.teardownResource({});
    this.seen.tornDown = true;
  }

  private async show(uri: string, options: Options): Promise<AppBridge> {
    const { contents } = await this.client.readResource({ uri });
    const page = contents[0];
    if (page === undefined || !("text" in page)) throw new Error("the page has no text");
    const meta = (page._meta?.["ui"] ?? {}) as McpUiResourceMeta;
    this.csp = meta.csp;
    const frame = document.createElement("iframe");
    frame.id = "app";
    frame.style.cssText = "border: 0; width: 100%; height: 60px; display: block";
    const door = new URL((window as unknown as { sandboxUrl: string }).sandboxUrl);
    door.searchParams.set("csp", JSON.stringify(meta.csp ?? {}));
    const bridge = new AppBridge(this.client, { name: "test-host", version: "1" }, options.capabilities ?? EVERYTHING, {
      hostContext: options.context ?? {},
    });
    document.getElementById("app")?.remove();
    document.body.append(frame);
    const opened = new Promise<void>((done) => {
      bridge.onsandboxready = () => done();
    });
    const ready = new Promise<void>((done) => {
      bridge.oninitialized = () => done();
    });
    const target = frame.contentWindow as Window;
    await bridge.connect(new PostMessageTransport(target, target));
    // Connecting gives the bridge ways of its own to pass calls on; ours also write down what was asked.
    this.record(bridge, frame);
    frame.src = door.href;
    await opened;
    await bridge.sendSandboxResourceReady({ html: page.text, sandbox: options.sandbox ?? "allow-scripts", ...(meta.csp && { csp: meta.csp }) });
    await ready;
    this.bridge = bridge;
    return bridge;
  }

  private record(bridge: AppBridge, frame: HTMLIFrameElement): void {
    this.seen = { calls: [], opened: [], messages: [], context: [], heights: [], tornDown: false };
    const { seen } = this;
    bridge.oncalltool = async (params) => {
      seen.calls.push(params.name);
      return (await this.client.callTool(params)) as CallToolResult;
    };
    bridge.onopenlink = async ({ url }) => {
      seen.opened.push(url);
      return {};
    };
    bridge.onmessage = async ({ content }) => {
      seen.messages.push(content.map((block) => (block.type === "text" ? block.text : "")).join(""));
      return {};
    };
    bridge.onupdatemodelcontext = async ({ content }) => {
      seen.context.push((content ?? []).map((block) => (block.type === "text" ? block.text : "")).join(""));
      return {};
    };
    bridge.onsizechange = ({ height }) => {
      if (height === undefined) return;
      seen.heights.push(height);
      frame.style.height = `${height}px`;
    };
  }
}

declare global {
  interface Window {
    host: Host;
  }
}
window.host = new Host();
