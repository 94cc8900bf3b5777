// The card's life: hears the host, follows its task with get_task, extends on a click, tells the model what became of it.
// The wire is the official ext-apps library; what is seen is card.ts. Spends only on a click that names the price.

import { App, PostMessageTransport, applyDocumentTheme, applyHostFonts, applyHostStyleVariables } from "@modelcontextprotocol/ext-apps";
import type { McpUiHostCapabilities, McpUiHostContext } from "@modelcontextprotocol/ext-apps";
import type { CallToolResult } from "@modelcontextprotocol/client";

import { Card, type Face } from "./card.js";
import { type Config, type Task, clock, isTask, pause, word, working } from "./task.js";

const config = JSON.parse(element("config").textContent) as Partial<Config>;
const app = new App({ name: "veo-mcp-panel", version: "1" }, {}, { autoResize: true });

const face: Face = {
  parts: [],
  chosen: 0,
  prompt: "",
  refusal: null,
  note: null,
  canRetry: false,
  unplayable: new Set(),
  origins: config.origins ?? [],
  extendPrice: null,
  canOpen: false,
  form: "closed",
  formFault: null,
  copied: false,
  bareLink: null,
};
/** When each task was last heard of, by this page's own clock: the server's may differ. */
const heard = new Map<string, number>();
const followed = new Set<string>();
/** Those who rest between two looks, and may be woken. */
const resting = new Set<() => void>();
/** What the host can do; null until it has said so. */
let host: McpUiHostCapabilities | null = null;
let ended = false;

const card = new Card(element("card"), {
  choose: (part) => change({ chosen: part, form: "closed", formFault: null, bareLink: null }),
  toggleForm: (open) => {
    if (face.form === "sending") return;
    change({ form: open ? "open" : "closed", formFault: null });
    if (open) card.focusForm();
    else element("card").querySelector<HTMLElement>('[data-name="extend"]')?.focus();
  },
  extend: (prompt) => void extend(prompt),
  copy: (url) => void copy(url),
  open: (url) => void app.openLink({ url }).catch(() => change({ bareLink: url })),
  cannotPlay: (url) => change({ unplayable: new Set([...face.unplayable, url]) }),
  retry: wake,
});

app.ontoolinput = ({ arguments: given }) => {
  const prompt = given?.["prompt"];
  if (typeof prompt === "string" && face.parts.length === 0) change({ prompt });
};
app.ontoolresult = (result) => take(result);
app.ontoolcancelled = () => {
  if (face.parts.length === 0) {
    change({ refusal: "The call was cancelled. Whether it was charged, list_tasks tells: ask the assistant to look before paying again." });
  }
};
app.onhostcontextchanged = (context) => dress(context);
app.onteardown = () => {
  ended = true;
  wake();
  return {};
};
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) wake();
});
setInterval(() => card.tick(elapsed()), 1000);

card.draw(face, 0);
await app.connect(new PostMessageTransport(window.parent, window.parent));
dress(app.getHostContext() ?? {});
host = app.getHostCapabilities() ?? {};
change({
  canOpen: host.openLinks !== undefined,
  extendPrice: host.serverTools !== undefined || host.message !== undefined ? (config.extend ?? null) : null,
});
for (const task of face.parts) void follow(task.task_id);

function change(news: Partial<Face>): void {
  Object.assign(face, news);
  card.draw(face, elapsed());
}

/** Seconds since the chosen task was created, counted on from what the server said last. */
function elapsed(): number {
  const task = face.parts[face.chosen];
  if (task === undefined) return 0;
  return task.elapsed_seconds + (performance.now() - (heard.get(task.task_id) ?? performance.now())) / 1000;
}

/** The result of the call that brought this card into the chat. */
function take(result: CallToolResult): void {
  const task = result.structuredContent;
  if (isTask(task)) {
    note(task);
    void follow(task.task_id);
  } else {
    change({ refusal: words(result) || "The server sent no task." });
  }
}

/** Takes in news about a task: a new part, or the next state of one that is there. */
function note(task: Task, shownAs: string = task.task_id): void {
  const place = face.parts.findIndex((part) => part.task_id === shownAs);
  const before = face.parts[place];
  heard.set(task.task_id, performance.now());
  const parts = place < 0 ? [...face.parts, task] : face.parts.with(place, task);
  const chosen = place < 0 ? parts.length - 1 : face.chosen;
  change({ parts, chosen, note: null, canRetry: false, refusal: null });
  if (before?.status !== task.status) {
    element("news").textContent = `${word(task.status)}. ${working(task) ? "" : clock(task.elapsed_seconds)}`;
  }
}

/** Looks at a task until it ends, at the pace that the server names; a hidden page does not look. */
async function follow(id: string): Promise<void> {
  if (host === null || followed.has(id)) return;
  followed.add(id);
  let shown = id;
  let failures = 0;
  let first = true;
  while (!ended) {
    const task = face.parts.find((part) => part.task_id === shown);
    if (task === undefined || task.status === "completed" || task.status === "failed" || task.status === "refused") return;
    if (host.serverTools === undefined) {
      change({ note: "This app does not let the card look by itself. Ask the assistant how the video is doing." });
      return;
    }
    // A card of a chat that was opened again shows what was true long ago: it looks at once.
    const stale = first && Date.now() - Date.parse(task.created_at) > 60_000;
    first = false;
    await rest(stale ? 0 : failures > 0 ? Math.min(60, 3 * 2 ** failures) : pause(task));
    while (document.hidden && !ended) await rest(60);
    if (ended) return;
    try {
      const result = await app.callServerTool({ name: "get_task", arguments: { task_id: shown } });
      const news = result.structuredContent;
      if (!isTask(news)) throw new Error(words(result) || "no task");
      failures = 0;
      note(news, shown);
      // A request whose answer was lost is known by our own id first, and by the API's once that is learnt.
      shown = news.task_id;
      if (!working(news)) void tellModel(words(result));
    } catch (error) {
      failures += 1;
      change({ note: `The server could not be asked (${String(error instanceof Error ? error.message : error).slice(0, 120)}). Trying again.`, canRetry: true });
    }
  }
}

/** Sends the extension that a person asked for here; on a host that passes no calls on, asks the assistant to. */
async function extend(prompt: string): Promise<void> {
  const parent = face.parts[face.chosen];
  if (parent === undefined || face.form === "sending") return;
  change({ form: "sending", formFault: null });
  try {
    if (host?.serverTools === undefined) {
      const text = `Extend the video ${parent.task_id} with extend_video. What happens next: ${prompt}`;
      await app.sendMessage({ role: "user", content: [{ type: "text", text }] });
      card.clearForm();
      change({ form: "closed", note: "The assistant was asked to extend the video." });
      return;
    }
    const result = await app.callServerTool({ name: "extend_video", arguments: { task_id: parent.task_id, prompt } });
    const task = result.structuredContent;
    if (result.isError === true || !isTask(task)) {
      change({ form: "open", formFault: words(result) || "The server refused without a reason." });
      return;
    }
    card.clearForm();
    change({ form: "closed" });
    note(task);
    void tellModel(`The person extended the video ${parent.task_id} in its card. ${words(result)}`);
    void follow(task.task_id);
  } catch {
    // No answer came: the create may be on its way. A second click could pay twice, so the words say so.
    change({
      form: "open",
      formFault: `No answer came. It may have been charged ${face.extendPrice ?? 0} credits: ask the assistant to look at list_tasks before you try again.`,
    });
  }
}

async function copy(url: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(url);
  } catch {
    // Not every host passes the permission on: show the address, chosen, so that Ctrl+C copies it.
    change({ bareLink: url });
    element("card").querySelector<HTMLInputElement>('[data-name="link"]')?.focus();
    if (!document.execCommand("copy")) return;
  }
  change({ copied: true });
  element("news").textContent = "Link copied";
  setTimeout(() => change({ copied: false }), 2500);
}

/** Lets the model know at its next turn, where the host can keep that for it; never starts a turn. */
async function tellModel(text: string): Promise<void> {
  if (host?.updateModelContext === undefined) return;
  await app.updateModelContext({ content: [{ type: "text", text }] }).catch(() => undefined);
}

function dress(context: McpUiHostContext): void {
  if (context.theme) applyDocumentTheme(context.theme);
  if (context.styles?.variables) applyHostStyleVariables(context.styles.variables);
  if (context.styles?.css?.fonts) applyHostFonts(context.styles.css.fonts);
}

/** Waits, but not past a click on "Try now", a page that is seen again, or the end. */
async function rest(seconds: number): Promise<void> {
  await new Promise<void>((done) => {
    const rise = (): void => {
      clearTimeout(timer);
      resting.delete(rise);
      done();
    };
    const timer = setTimeout(rise, seconds * 1000);
    resting.add(rise);
  });
}

function wake(): void {
  for (const rise of [...resting]) rise();
}

function words(result: CallToolResult): string {
  return result.content.map((block) => (block.type === "text" ? block.text : "")).join(" ").trim();
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
