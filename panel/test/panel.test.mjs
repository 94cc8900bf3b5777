// What a person sees and does in the card, in real Chromium, against the real server and the official host side.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { cardOf, setStage } from "./stage.mjs";

let stage;
before(async () => {
  stage = await setStage({ seconds: 4 });
});
after(() => stage.close());

async function shot(tab, name) {
  if (!process.env.SHOTS) return;
  await mkdir(process.env.SHOTS, { recursive: true });
  await tab.screenshot({ path: path.join(process.env.SHOTS, `${name}.png`), fullPage: true });
}

async function seen(tab) {
  return tab.evaluate(() => window.host.seen);
}

function call(tab, name, given, options) {
  return tab.evaluate(([tool, values, more]) => window.host.call(tool, values, more), [name, given, options]);
}

function pretend(tab, task, options) {
  const whole = {
    task_id: "vid_x", status: "completed", model: "veo-3", prompt: "a boat", mode: "fast", aspect_ratio: "16:9", credits: 40,
    created_at: new Date().toISOString(), elapsed_seconds: 95, charged: "yes", resource_uri: "veo://tasks/vid_x", ...task,
  };
  return tab.evaluate(([result, more]) => window.host.pretend(result, more), [{ content: [{ type: "text", text: "words" }], structuredContent: whole }, options]);
}

/** A host in the dark says so in its own page too: a frame whose scheme differs from the page's around it is not transparent. */
async function darken(tab) {
  await tab.evaluate(() => {
    document.documentElement.style.colorScheme = "dark";
    document.body.style.background = "#191716";
  });
}

/** Waits until the card says `text`. */
async function says(tab, text) {
  await cardOf(tab).getByText(text).first().waitFor({ timeout: 40_000 });
}

async function clean(tab) {
  assert.deepEqual(tab.problems, []);
  await tab.close();
}

test("a card follows its video by itself until it plays, without a turn of the model", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "A lighthouse on a cliff above the sea at sunset, golden light" }, { context: { theme: "light" } });
  await says(tab, "A lighthouse on a cliff");
  await says(tab, "Charged 40 sandbox credits");
  await says(tab, "SANDBOX");
  const first = await card.getByRole("timer").textContent();
  await shot(tab, "pending-light");
  await card.locator("video").waitFor({ timeout: 60_000 });
  assert.match(first, /^0:0\d$/);
  const played = await card.locator("video").evaluate(async (video) => {
    video.muted = true;
    await video.play();
    await new Promise((done) => video.addEventListener("timeupdate", () => video.currentTime > 1.2 && done()));
    video.pause();
    return { at: video.currentTime, width: video.videoWidth, length: video.duration };
  });
  assert.ok(played.at > 1.2 && played.width === 1280 && Math.abs(played.length - 8) < 0.1);
  await says(tab, "Ready");
  await shot(tab, "playing-light");
  const record = await seen(tab);
  assert.ok(record.calls.length > 0 && record.calls.every((name) => name === "get_task"), "the card looks, and does nothing else");
  assert.equal(record.messages.length, 0, "no turn of the model");
  assert.match(record.context.at(-1), /The video is ready: http/);
  const count = record.calls.length;
  await darken(tab);
  await tab.evaluate(() => window.host.change({ theme: "dark" }));
  await shot(tab, "playing-dark");
  assert.equal((await seen(tab)).calls.length, count, "an ended task is not looked at again");
  await clean(tab);
});

test("a card in the dark, before its video is there", async () => {
  const tab = await stage.open({ colorScheme: "dark" });
  await darken(tab);
  await call(tab, "create_video", { prompt: "[sandbox:slow] Fireflies over a pond at night" }, { context: { theme: "dark" } });
  await says(tab, "Charged 40 sandbox credits");
  await shot(tab, "pending-dark");
  const dark = await cardOf(tab).locator("#card").evaluate((main) => getComputedStyle(main).backgroundColor);
  await tab.evaluate(() => window.host.change({ theme: "light" }));
  await cardOf(tab).locator("html[data-theme=light]").waitFor();
  const light = await cardOf(tab).locator("#card").evaluate((main) => getComputedStyle(main).backgroundColor);
  assert.notEqual(dark, light);
  await clean(tab);
});

test("a failed video says why and that it was refunded", async () => {
  const tab = await stage.open();
  await call(tab, "create_video", { prompt: "[sandbox:fail] a boat" }, { context: { theme: "light" } });
  await says(tab, "Refunded 40 sandbox credits");
  await says(tab, "Failed");
  await cardOf(tab).locator("p.say.bad").waitFor();
  await shot(tab, "failed-light");
  await darken(tab);
  await tab.evaluate(() => window.host.change({ theme: "dark" }));
  await cardOf(tab).locator("html[data-theme=dark]").waitFor();
  await shot(tab, "failed-dark");
  assert.deepEqual(await cardOf(tab).getByRole("button").allTextContents(), ["Try again…"], "nothing to extend, copy or open");
  await clean(tab);
});

test("another try costs what its button names, and takes the failed one's place", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "[sandbox:fail] a boat", aspect_ratio: "9:16" });
  await card.getByRole("button", { name: "Try again…" }).click();
  assert.equal(await card.getByRole("textbox").inputValue(), "[sandbox:fail] a boat");
  await card.getByRole("textbox").fill("[sandbox:slow] a better boat");
  await card.getByRole("button", { name: "Make it for 40 credits" }).click();
  await says(tab, "a better boat");
  await says(tab, "Charged 40 sandbox credits");
  assert.equal(await card.getByRole("button", { name: "Part 1" }).count(), 0);
  const space = await card.locator(".screen").evaluate((screen) => screen.offsetHeight / screen.offsetWidth);
  assert.ok(Math.abs(space - 16 / 9) < 0.02, `the other arguments are kept: ${space}`);
  const record = await seen(tab);
  assert.equal(record.calls.filter((name) => name === "create_video").length, 1);
  assert.ok(record.context.some((text) => text.includes("asked for another try in the card")));
  await clean(tab);
});

test("the space of the video is there from the start, and nothing jumps when it comes", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "A quiet lake at noon" });
  const height = () => card.locator(".screen").evaluate((screen) => screen.offsetHeight);
  const before = await height();
  await card.locator("video").waitFor({ timeout: 60_000 });
  assert.equal(await height(), before);
  await clean(tab);
});

test("a bar fills to the usual duration, and never says that it is full", async () => {
  const tab = await stage.open();
  const usual = (elapsed) => tab.evaluate((seconds) => window.host.pretend({ content: [], _meta: { "veo-mcp/card": { usual_seconds: 60 } }, structuredContent: {
    task_id: "vid_x", status: "processing", prompt: "a boat", mode: "fast", aspect_ratio: "16:9", credits: 40, created_at: new Date().toISOString(),
    elapsed_seconds: seconds, charged: "yes", retry_after_seconds: 60 } }), elapsed);
  await usual(30);
  const bar = cardOf(tab).getByRole("progressbar");
  assert.match(await bar.getAttribute("aria-valuenow"), /^5[0-3]$/);
  await says(tab, "usually about 1:00");
  await usual(3000);
  assert.ok(Number(await cardOf(tab).getByRole("progressbar").getAttribute("aria-valuenow")) < 98);
  await pretend(tab, { status: "processing" });
  await says(tab, "so far");
  assert.equal(await cardOf(tab).getByRole("progressbar").count(), 0, "nothing is known, so nothing is shown");
  await clean(tab);
});

test("the parts of a film stand in order, though the card was shown only the last", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  const ask = (name, given) => tab.evaluate(([tool, values]) => window.host.ask(tool, values), [name, given]);
  const first = (await ask("create_video", { prompt: "A mill by a river" })).structuredContent;
  await ask("get_task", { task_id: first.task_id, wait_seconds: 50 });
  await call(tab, "extend_video", { task_id: first.task_id, prompt: "The wheel begins to turn" });
  await says(tab, "The wheel begins to turn");
  assert.equal(await card.getByRole("button", { name: "Part 2" }).getAttribute("aria-current"), "true");
  await card.getByRole("button", { name: "Part 1" }).click();
  await says(tab, "A mill by a river");
  await card.locator("video").waitFor({ timeout: 60_000 });
  await clean(tab);
});

test("a refused call shows the server's own words", async () => {
  const tab = await stage.open();
  await call(tab, "create_video", { prompt: "   " });
  await says(tab, "No video was started");
  await says(tab, "Not charged.");
  await clean(tab);
});

test("a person extends a video with the keyboard alone, at a price that is named", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "A quiet lake in the morning" });
  await card.locator("video").waitFor({ timeout: 60_000 });
  await card.locator("video").focus();
  for (let step = 0; step < 12; step += 1) {
    await tab.keyboard.press("Tab");
    if (await card.getByRole("button", { name: "Extend" }).evaluate((button) => button === document.activeElement)) break;
  }
  await tab.keyboard.press("Enter");
  await says(tab, "Extend for about 40 credits");
  await tab.keyboard.type("A swan lands on the water");
  await shot(tab, "extend-form");
  await tab.keyboard.press("Escape");
  assert.equal(await card.getByRole("textbox").count(), 0);
  await tab.keyboard.press("Enter");
  assert.equal(await card.getByRole("textbox").inputValue(), "A swan lands on the water", "a half-written text is kept");
  await card.getByRole("textbox").focus();
  await tab.keyboard.press("Control+Enter");
  await says(tab, "Part 2");
  await says(tab, "A swan lands on the water");
  await says(tab, "(estimate)");
  await card.locator("video").waitFor({ timeout: 60_000 });
  await shot(tab, "extended");
  await card.getByRole("button", { name: "Part 1" }).click();
  await says(tab, "A quiet lake in the morning");
  const record = await seen(tab);
  assert.equal(record.calls.filter((name) => name === "extend_video").length, 1);
  assert.ok(record.context.some((text) => text.includes("The person extended the video")));
  assert.equal(record.messages.length, 0);
  await clean(tab);
});

test("a refused extension keeps what was written and says that nothing was charged", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await pretend(tab, { task_id: "no-such-task", video_urls: ["https://file.aivideoapi.ai/x.mp4"] });
  await card.getByRole("button", { name: "Extend" }).click();
  await card.getByRole("textbox").fill("on and on");
  await card.getByRole("button", { name: /Extend for about/ }).click();
  await card.getByRole("alert").getByText("Not charged.").waitFor();
  assert.equal(await card.getByRole("textbox").inputValue(), "on and on");
  await clean(tab);
});

for (const sandbox of ["allow-scripts allow-same-origin", "allow-scripts"]) {
  test(`the link is copied in a frame that has ${sandbox}`, async () => {
    const tab = await stage.open();
    await tab.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const card = cardOf(tab);
    await pretend(tab, { video_urls: ["https://elsewhere.example/a.mp4"] }, { sandbox });
    await card.getByRole("button", { name: "Copy link" }).click();
    await card.getByRole("button", { name: "Copied" }).waitFor();
    await tab.bringToFront();
    assert.equal(await tab.evaluate(() => navigator.clipboard.readText()), "https://elsewhere.example/a.mp4");
    await clean(tab);
  });
}

test("a video on a host that the policy does not name gets a link out instead of a player", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await pretend(tab, { video_urls: ["https://elsewhere.example/a.mp4"] });
  await says(tab, "elsewhere.example; it cannot be played here");
  assert.equal(await card.locator("video").count(), 0);
  await shot(tab, "link-out");
  await card.getByRole("button", { name: "Open" }).click();
  assert.deepEqual((await seen(tab)).opened, ["https://elsewhere.example/a.mp4"]);
  await clean(tab);
});

test("a video that does not load gets a link out too", async () => {
  const tab = await stage.open();
  await pretend(tab, { video_urls: ["https://file.aivideoapi.ai/videos/gone.mp4"] });
  await says(tab, "file.aivideoapi.ai; it cannot be played here");
  await clean(tab);
});

test("the policy names the video hosts and the sandbox's own origin, and nothing else", async () => {
  const tab = await stage.open();
  await call(tab, "get_task", { task_id: "vid_none" });
  const csp = await tab.evaluate(() => window.host.csp);
  assert.deepEqual(Object.keys(csp), ["resourceDomains"]);
  assert.equal(csp.resourceDomains[0], "https://file.aivideoapi.ai");
  assert.match(csp.resourceDomains[1], /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(csp.resourceDomains.length, 2);
  await clean(tab);
});

test("foreign text is text: no markup, no script, no address of another kind", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  const evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
  await pretend(tab, { prompt: evil, video_urls: ["javascript:window.pwned=1"] });
  await says(tab, "The API gave no video address.");
  assert.equal(await card.locator(".prompt").textContent(), evil);
  assert.equal(await card.locator("#card img, #card script, #card a").count(), 0);
  await pretend(tab, { status: "failed", charged: "refunded", error: { code: "x", message: evil } });
  await says(tab, "onerror");
  assert.equal(await card.locator("#card").evaluate(() => window.pwned), undefined);
  await clean(tab);
});

test("an outcome that nobody knows is said as such, and a person settles it in the card as not charged", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "[sandbox:garbage] a boat" }, { context: { theme: "light" } });
  await says(tab, "May have been charged 40 sandbox credits");
  await says(tab, "It is not sent again");
  await shot(tab, "unknown-light");
  await card.getByRole("button", { name: "It was not charged…" }).click();
  await says(tab, "can be asked for again");
  await card.getByRole("button", { name: "It was not charged", exact: true }).click();
  await says(tab, "It was settled by a person");
  await says(tab, "Not charged");
  await card.getByRole("button", { name: "Try again…" }).waitFor();
  const record = await seen(tab);
  assert.equal(record.calls.filter((name) => name === "resolve_task").length, 1);
  assert.equal(record.calls.filter((name) => name === "create_video").length, 0);
  assert.ok(record.context.some((text) => text.includes("The person settled the request")));
  await clean(tab);
});

/** The API's id of the video that was made for this prompt, from the sandbox's own ledger. */
function atTheApi(prompt) {
  const look = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT id FROM tasks WHERE body LIKE ?', ('%' + sys.argv[2] + '%',)).fetchone()[0])";
  return execFileSync(process.env.PYTHON ?? "python3", ["-c", look, path.join(stage.folder, "sandbox", "ledger.db"), prompt]).toString().trim();
}

test("a person who finds the request in the account's history settles it by the API's id, and the card goes on looking", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "[sandbox:drop] a raft by moonlight" });
  await card.getByRole("button", { name: "It was charged…" }).click();
  await card.getByRole("textbox").fill(atTheApi("a raft by moonlight"));
  await card.getByRole("button", { name: "Save" }).click();
  await card.locator(".status.working, .status.completed").waitFor({ timeout: 40_000 });
  assert.equal(await card.locator(".facts span").first().textContent(), "Charged 40 sandbox credits");
  await tab.waitForFunction(() => window.host.seen.calls.at(-1) === "get_task", null, { timeout: 60_000 });
  const record = await seen(tab);
  assert.equal(record.calls.filter((name) => name === "resolve_task").length, 1);
  assert.equal(record.calls.filter((name) => name === "create_video").length, 0);
  await clean(tab);
});

test("a quote is agreed to by a click on a button that names the price, and costs it once", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "[sandbox:slow] A castle in the fog", mode: "quality" });
  await says(tab, "A price to agree to");
  await says(tab, "this costs 300 sandbox credits");
  assert.equal(await card.getByText("confirm_credits").count(), 0, "no word to the model is shown to the person");
  assert.deepEqual((await seen(tab)).calls, []);
  await card.getByRole("button", { name: "Make it…" }).click();
  await card.getByRole("button", { name: "Make it for 300 credits" }).click();
  await says(tab, "Charged 300 sandbox credits");
  assert.equal((await seen(tab)).calls.filter((name) => name === "create_video").length, 1);
  await clean(tab);
});

test("an id that the API does not know settles nothing, and the card says so", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "[sandbox:drop] a boat" });
  await card.getByRole("button", { name: "It was charged…" }).click();
  await card.getByRole("textbox").fill("no-such-id");
  await tab.keyboard.press("Enter");
  await card.getByRole("alert").getByText("Nothing was changed.").waitFor();
  await says(tab, "Outcome unknown");
  assert.equal(await card.getByRole("textbox").inputValue(), "no-such-id");
  await clean(tab);
});

test("where the card may not call, an unknown outcome names the terminal", async () => {
  const tab = await stage.open();
  await pretend(tab, { status: "unknown", charged: "unknown" }, { capabilities: {} });
  await says(tab, "veo-mcp tasks resolve vid_x");
  assert.equal(await cardOf(tab).getByRole("button").count(), 0);
  await clean(tab);
});

test("the page has a policy of its own, which stops a script that is not its own", async () => {
  const tab = await stage.open();
  await pretend(tab, {});
  const { policy, ran, fetched } = await cardOf(tab).locator("html").evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.strange = true";
    document.body.append(script);
    const got = await fetch(location.href).then(() => true, () => false);
    return { policy: document.querySelector("meta[http-equiv]").content, ran: window.strange === true, fetched: got };
  });
  assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+'; /);
  assert.match(policy, /media-src https:\/\/file\.aivideoapi\.ai http:\/\/127\.0\.0\.1:\d+; /);
  assert.ok(!ran && !fetched);
  await clean(tab);
});

test("on a host that passes no calls on, the card says so and Extend asks the assistant", async () => {
  const tab = await stage.open();
  const capabilities = { message: { text: {} } };
  await pretend(tab, { status: "processing" }, { capabilities });
  await says(tab, "Ask the assistant how the video is doing");
  await pretend(tab, { video_urls: ["https://elsewhere.example/a.mp4"] }, { capabilities });
  const card = cardOf(tab);
  await card.getByRole("button", { name: "Extend" }).click();
  await card.getByRole("textbox").fill("it begins to snow");
  await card.getByRole("button", { name: /Extend for about/ }).click();
  await says(tab, "The assistant was asked");
  const record = await seen(tab);
  assert.match(record.messages[0], /vid_x with extend_video.*it begins to snow/);
  assert.deepEqual(record.calls, []);
  await clean(tab);
});

test("every target is 44 pixels or more, and the height follows the content up to 700", async () => {
  const tab = await stage.open();
  const card = cardOf(tab);
  await call(tab, "create_video", { prompt: "A quiet lake in the evening", aspect_ratio: "9:16" });
  await card.locator("video").waitFor({ timeout: 60_000 });
  await card.getByRole("button", { name: "Extend" }).click();
  const sizes = await card.locator("button, textarea").evaluateAll((targets) => targets.map((each) => [each.offsetWidth, each.offsetHeight]));
  assert.equal(sizes.length, 3);
  for (const [width, height] of sizes) assert.ok(width >= 44 && height >= 44, `${width} x ${height}`);
  await shot(tab, "portrait");
  const heights = (await seen(tab)).heights;
  assert.ok(heights.at(-1) > 300 && heights.at(-1) <= 700, String(heights));
  await clean(tab);
});

for (const theme of ["light", "dark"]) {
  test(`in the ${theme}, the card passes axe's rules for contrast, names and roles`, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const tab = await stage.open({ colorScheme: theme });
    const card = cardOf(tab);
    const states = [
      { status: "processing" },
      { status: "failed", charged: "refunded", error: { code: "upstream_error", message: "Video generation failed" } },
      { status: "unknown", charged: "unknown", sandbox: true },
      { video_urls: ["https://elsewhere.example/a.mp4"], sandbox: true },
    ];
    for (const state of states) {
      await pretend(tab, state, { context: { theme } });
      if (state.video_urls) await card.getByRole("button", { name: "Extend" }).click();
      if (state.status === "unknown") await card.getByRole("button", { name: "It was charged…" }).click();
      await card.locator("#card .facts").waitFor();
      const { violations } = await card.locator("html").evaluate(async (root, script) => {
        document.body.style.background = root.dataset.theme === "dark" ? "#191716" : "#ffffff";
        (0, eval)(script);
        // Landmarks and headings belong to the host's page around the card.
        return window.axe.run(document, { rules: { region: { enabled: false }, "page-has-heading-one": { enabled: false } } });
      }, axe).catch((error) => ({ violations: [{ id: "did not run", nodes: [String(error)] }] }));
      assert.deepEqual(violations.map((each) => [each.id, each.nodes.map((node) => node.html ?? node)]), [], state.status);
    }
    await clean(tab);
  });
}

test("at 320 pixels nothing scrolls sideways, and no button or fact lies in a line alone", async () => {
  const tab = await stage.open({ viewport: { width: 352, height: 700 } });
  for (const state of [{ video_urls: ["https://elsewhere.example/a.mp4"] }, { status: "unknown", charged: "unknown" }, { status: "processing", aspect_ratio: "9:16" }]) {
    await pretend(tab, { prompt: "w".repeat(199) + "…", duration_seconds: 8, width: 1280, height: 720, sandbox: true, ...state });
    const card = cardOf(tab);
    await card.locator("#card .facts").waitFor();
    assert.equal(await card.locator("html").evaluate((root) => root.scrollWidth - root.clientWidth), 0);
    assert.equal(await card.locator("html").evaluate((root) => root.clientWidth), 320);
    for (const height of await card.locator(".facts span").evaluateAll((lines) => lines.map((line) => line.offsetHeight))) assert.ok(height < 24, String(height));
    const tops = await card.locator(".row").evaluateAll((rows) => rows.map((row) => {
      const each = [...row.querySelectorAll("button")];
      return { rows: new Set(each.map((button) => button.offsetTop)).size, widths: new Set(each.map((button) => button.offsetWidth)).size, buttons: each.length };
    }));
    for (const row of tops) assert.ok(row.rows <= 1 || (row.rows === row.buttons && row.widths === 1), JSON.stringify(row));
  }
  await shot(tab, "narrow");
  await clean(tab);
});

test("a card in an old chat looks at once, and one that was torn down looks no more", async () => {
  const tab = await stage.open();
  const made = await tab.evaluate(() => window.host.ask("create_video", { prompt: "[sandbox:slow] an old boat" }));
  const task = made.structuredContent;
  await pretend(tab, { ...task, created_at: "2026-01-01T00:00:00Z", elapsed_seconds: 1, retry_after_seconds: 60 });
  await tab.waitForFunction(() => window.host.seen.calls.length === 1, null, { timeout: 10_000 });
  await tab.evaluate(() => window.host.tearDown());
  assert.equal((await seen(tab)).tornDown, true);
  await clean(tab);
});

test("a server out of reach is said, and Try now tries", async () => {
  const tab = await stage.open();
  const made = await tab.evaluate(() => window.host.ask("create_video", { prompt: "[sandbox:fail] a late boat" }));
  await tab.evaluate(() => window.host.prepare());
  await stage.veo.stop();
  await tab.evaluate((task) => window.host.give({ content: [{ type: "text", text: "words" }], structuredContent: task }), {
    ...made.structuredContent, retry_after_seconds: 2,
  });
  await says(tab, "The server could not be asked");
  await shot(tab, "out-of-reach");
  await stage.veo.restart();
  await tab.evaluate(() => window.host.connect());
  await cardOf(tab).getByRole("button", { name: "Try now" }).click();
  await says(tab, "Refunded 40 sandbox credits");
  await clean(tab);
});
