// Draws every state of the card at three widths (or WIDTHS), light and dark, into the folder SHOTS, and docs/panel.jpg out of
// some of them. Not a test: what it makes is for looking at. `npm run shots`.
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { cardOf, setStage } from "./stage.mjs";

const folder = process.env.SHOTS ?? "shots";
const widths = (process.env.WIDTHS ?? "320,480,800").split(",").map(Number);
await mkdir(folder, { recursive: true });
const stage = await setStage({ seconds: 1 });
const maker = await stage.open();
const ask = (name, given) => maker.evaluate(([tool, values]) => window.host.ask(tool, values), [name, given]);
async function made(name, given) {
  const { task_id } = (await ask(name, given)).structuredContent;
  for (;;) {
    const task = (await ask("get_task", { task_id, wait_seconds: 20 })).structuredContent;
    if (task.duration_seconds !== undefined) return task;
    await new Promise((done) => setTimeout(done, 500));
  }
}
const sea = await made("create_video", { prompt: "A lighthouse on a cliff above the sea at sunset, golden light" });
const street = await made("create_video", { prompt: "A city street in the rain at night, neon signs", aspect_ratio: "9:16" });
const next = await made("extend_video", { task_id: sea.task_id, prompt: "Gulls rise, and the lamp is lit" });

// An id that the server does not know, and a minute until the card looks for it: what is shown here stays.
const base = { ...sea, task_id: "vid_8Yc1sX0mQp", retry_after_seconds: 60, video_urls: undefined, duration_seconds: undefined, width: undefined, height: undefined, resolution: undefined, elapsed_seconds: 31 };
const tall = { ...base, prompt: street.prompt, aspect_ratio: "9:16" };
const away = { ...sea, video_urls: ["https://elsewhere.example/a.mp4"] };
const failed = { ...base, status: "failed", charged: "refunded", elapsed_seconds: 64, error: { code: "upstream_error", message: "The service is overloaded. Please try again later." } };
const lost = { ...base, status: "unknown", charged: "unknown", error: { code: "lost", message: "the connection was cut before the answer came" } };
const states = [
  ["waiting", { ...base, status: "pending" }],
  ["waiting-usual", { ...base, status: "processing" }, { usual_seconds: 70 }],
  ["waiting-tall", { ...tall, status: "processing" }, { usual_seconds: 70 }],
  ["playing", sea],
  ["playing-tall", street],
  ["film", next, { earlier: [sea] }],
  ["extend", sea, {}, "Extend"],
  ["link-out", away],
  ["failed", failed],
  ["failed-form", failed, {}, "Try again…"],
  ["refused", { ...base, status: "refused", charged: "no", elapsed_seconds: 1, retry_after_seconds: 90, error: { code: "rate_limited", message: "Too many requests at once." } }],
  ["unknown", lost],
  ["unknown-charged", lost, {}, "It was charged…"],
  ["unknown-free", lost, {}, "It was not charged…"],
  ["quote", null],
];
const shots = [];
for (const theme of ["light", "dark"]) {
  for (const width of widths) {
    const tab = await stage.open({ viewport: { width: width + 32, height: 900 }, colorScheme: theme });
    await tab.evaluate((dark) => {
      document.documentElement.style.colorScheme = dark ? "dark" : "light";
      document.body.style.background = dark ? "#191716" : "#faf9f7";
    }, theme === "dark");
    for (const [name, task, facts, press] of states) {
      const card = cardOf(tab);
      if (task === null) {
        await tab.evaluate(([context]) => window.host.call("create_video", { prompt: "A castle in the fog", mode: "quality" }, { context }), [{ theme }]);
        await card.getByText("this costs 300").waitFor();
      } else {
        const result = { content: [{ type: "text", text: "words" }], structuredContent: { ...task, created_at: new Date().toISOString() }, _meta: { "veo-mcp/card": facts ?? {} } };
        await tab.evaluate(([given, context]) => window.host.pretend(given, { context }), [JSON.parse(JSON.stringify(result)), { theme }]);
        await card.locator("#card .facts").waitFor();
      }
      if (press !== undefined) await card.getByRole("button", { name: press }).click();
      if (name.startsWith("playing") || name === "film" || name === "extend") {
        await card.locator("video").evaluate(async (video) => {
          video.currentTime = 3;
          await new Promise((done) => video.addEventListener("seeked", done, { once: true }));
        });
      }
      await tab.waitForTimeout(250);
      const image = await tab.locator("#app").screenshot();
      shots.push({ name, theme, width, image });
      await writeFile(path.join(folder, `${name}-${width}-${theme}.png`), image);
    }
    await tab.close();
  }
}

const shown = ["waiting-usual", "failed-form", "playing", "unknown", "film", "playing-tall"];
const halves = ["light", "dark"].map((theme) => ({
  theme,
  cells: shown.map((name) => shots.find((shot) => shot.name === name && shot.theme === theme && shot.width === 480)),
}));
const tab = await stage.open({ viewport: { width: 1540, height: 400 } });
await tab.setContent(`<body style="margin:0"><style>section{padding:20px;display:grid;grid-template-columns:repeat(3,480px);gap:20px;align-items:start}div{display:grid;gap:20px}img{display:block;width:480px}</style>${halves
  .map(({ theme, cells }) => `<section style="background:${theme === "dark" ? "#191716" : "#faf9f7"}">${[0, 2, 4].map((first) => `<div>${cells.slice(first, first + 2).map(({ image }) => `<img src="data:image/png;base64,${image.toString("base64")}">`).join("")}</div>`).join("")}</section>`)
  .join("")}`);
await tab.screenshot({ path: path.join(import.meta.dirname, "../../docs/panel.jpg"), fullPage: true, type: "jpeg", quality: 84 });
await stage.close();
