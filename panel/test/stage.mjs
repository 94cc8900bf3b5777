// Sets the stage for the panel's tests: the real server over HTTP with its sandbox, a host page, and headless Chromium.
// PYTHON names an interpreter with veo-mcp[sandbox], CHROMIUM a browser, SHOTS a folder for screenshots.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import * as esbuild from "esbuild";
import { chromium } from "playwright-core";

const here = import.meta.dirname;

/** Everything that the tests need; `close` ends what was started. */
export async function setStage({ seconds = 1, ...settings } = {}) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "veo-panel-"));
  const veo = await startServer(folder, { VEO_SANDBOX_SECONDS: String(seconds), ...settings });
  const script = await esbuild.build({ entryPoints: [path.join(here, "host.ts")], bundle: true, format: "esm", write: false });
  const sandbox = await listen(async (request, response) => {
    const csp = JSON.parse(new URL(request.url, "http://x").searchParams.get("csp") ?? "{}");
    response.setHeader("content-security-policy", policy(csp));
    response.setHeader("content-type", "text/html");
    response.end(await readFile(path.join(here, "sandbox.html")));
  });
  const page = await listen((request, response) => {
    if (request.url.startsWith("/mcp")) return relay(veo.port, request, response);
    const html = `<!doctype html><meta name="viewport" content="width=device-width"><body style="margin: 16px">
      <script>window.sandboxUrl = "${sandbox.url}"</script><script type="module" src="/host.js"></script>`;
    const isScript = request.url === "/host.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script.outputFiles[0].text : html);
  });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"],
  });
  return {
    veo,
    folder,
    async open(options = {}) {
      const tab = await browser.newPage({ viewport: { width: 560, height: 720 }, ...options });
      tab.problems = [];
      tab.on("pageerror", (error) => tab.problems.push(String(error)));
      await tab.goto(page.url);
      await tab.evaluate(() => window.host.connect());
      return tab;
    },
    async close() {
      await browser.close();
      for (const each of [page, sandbox]) each.server.close();
      await veo.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The card inside its two frames. */
export function cardOf(tab) {
  return tab.frameLocator("#app").frameLocator("iframe");
}

/** The policy that a host makes of `_meta.ui.csp`, as the MCP Apps specification says. */
function policy({ resourceDomains = [], connectDomains = [], frameDomains = [] }) {
  const from = (...sources) => sources.flat().join(" ") || "'none'";
  return [
    "default-src 'none'",
    "base-uri 'none'",
    `script-src ${from("'self'", "'unsafe-inline'", resourceDomains)}`,
    `style-src ${from("'self'", "'unsafe-inline'", resourceDomains)}`,
    `img-src ${from("'self'", "data:", resourceDomains)}`,
    `font-src ${from("'self'", resourceDomains)}`,
    `media-src ${from("'self'", "data:", resourceDomains)}`,
    `connect-src ${from(connectDomains)}`,
    `frame-src ${from("'self'", frameDomains)}`,
  ].join("; ");
}

async function startServer(folder, settings) {
  const probe = await listen(() => undefined);
  const port = probe.server.address().port;
  await new Promise((done) => probe.server.close(done));
  const environ = { ...process.env, VEO_JOURNAL: path.join(folder, "journal.db"), VEO_SANDBOX_DIR: path.join(folder, "sandbox"), VEO_LOG_LEVEL: "ERROR", ...settings };
  delete environ.VEO_API_KEY;
  const start = async () => {
    const child = spawn(process.env.PYTHON ?? "python3", ["-m", "veo_mcp", "serve", "--sandbox", "--transport", "http", "--port", String(port)], {
      env: environ,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const died = new Promise((done) => child.once("exit", done));
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      if (await answers(port)) return { child, died };
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  let running = await start();
  const stop = async () => {
    running.child.kill("SIGTERM");
    await running.died;
  };
  return { port, stop, restart: async () => (running = await start()) };
}

function answers(port) {
  return new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1", () => done(true) || socket.destroy());
    socket.on("error", () => done(false));
  });
}

async function listen(handler) {
  const server = http.createServer(handler);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { server, url: `http://127.0.0.1:${server.address().port}/` };
}

function relay(port, request, response) {
  const onward = http.request({ port, host: "127.0.0.1", path: request.url, method: request.method, headers: { ...request.headers, host: `127.0.0.1:${port}` } }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}
