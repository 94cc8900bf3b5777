// The words and judgements of the card that need no page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { again, allowed, clock, fullness, isTask, money, pause, quoted, requestOf, shape, webAddress } from "../src/task.ts";

test("a clock counts hours only when there are some", () => {
  assert.deepEqual([0, 7.4, 725, 6302, -3].map(clock), ["0:00", "0:07", "12:05", "1:45:02", "0:00"]);
});

test("only addresses of the web are addresses", () => {
  assert.equal(webAddress("https://a.example/x.mp4")?.href, "https://a.example/x.mp4");
  for (const other of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "blob:x", "x.mp4", "", undefined]) {
    assert.equal(webAddress(other), null, String(other));
  }
});

test("an origin is matched whole, and a star stands for names below a host", () => {
  const origins = ["https://file.example.com", "https://*.cdn.example", "http://127.0.0.1:8700"];
  const played = (address) => allowed(new URL(address), origins);
  assert.ok(played("https://file.example.com/a.mp4"));
  assert.ok(played("https://eu.cdn.example/a.mp4"));
  assert.ok(played("http://127.0.0.1:8700/videos/a.mp4"));
  for (const other of ["http://file.example.com/", "https://file.example.com:8443/", "https://evilcdn.example/", "https://cdn.example/",
    "http://eu.cdn.example/", "http://127.0.0.1:8701/", "https://file.example.com.evil.example/"]) {
    assert.ok(!played(other), other);
  }
});

test("money is said in the server's words, and an estimate is called one", () => {
  const task = { credits: 40, charged: "yes" };
  assert.equal(money(task), "Charged 40 credits");
  assert.equal(money({ ...task, credits_estimated: true }), "Charged 40 credits (estimate)");
  assert.equal(money({ ...task, charged: "refunded" }), "Refunded 40 credits");
  assert.equal(money({ ...task, charged: "no" }), "Not charged");
  assert.equal(money({ ...task, charged: "unknown" }), "May have been charged 40 credits");
});

test("the card looks as often as the server says, within reason", () => {
  assert.deepEqual([undefined, 0, 5, 20, 4000].map((seconds) => pause({ retry_after_seconds: seconds })), [30, 2, 5, 20, 60]);
});

test("what is no task is not taken for one", () => {
  assert.ok(isTask({ task_id: "x", status: "pending" }));
  for (const other of [null, undefined, 5, {}, { task_id: "x" }, { task_id: "x", status: "odd" }, { status: "pending" }]) {
    assert.ok(!isTask(other));
  }
});

test("the space is the file's own size, or what was asked for", () => {
  assert.deepEqual([shape("9:16"), shape("16:9"), shape("Auto"), shape("16:9", 720, 1280), shape(undefined, 0, 0)], [[9, 16], [16, 9], [16, 9], [720, 1280], [16, 9]]);
});

test("the bar is the API's word, else the time by what is usual, and never full", () => {
  assert.equal(fullness({ progress: 0.5 }, 10, 100), 0.5);
  assert.equal(fullness({ progress: 40 }, 10, 100), 0.4);
  assert.equal(fullness({ progress: 100 }, 10, 100), 0.97);
  assert.equal(fullness({}, 30, 60), 0.5);
  assert.equal(fullness({}, 30, undefined), null);
  const late = [53, 54, 60, 120, 90000].map((elapsed) => fullness({}, elapsed, 60));
  assert.deepEqual([...late].sort((one, other) => one - other), late);
  assert.ok(late.at(-1) < 0.98);
});

test("another try asks for what was asked for, and only where that is known whole", () => {
  const prices = { fast: 40, quality: 300 };
  const task = { prompt: "a boat", mode: "quality", aspect_ratio: "9:16", seeds: 12345 };
  const given = { tool: "create_video", arguments: { prompt: "a  boat", image_urls: ["https://a.example/x.jpg"], confirm_credits: 40, repeat_of: "x" } };
  assert.deepEqual(again(task, null, prices), { tool: "create_video", arguments: { ...task }, prompt: "a boat", price: 300, estimated: false });
  assert.deepEqual(again(task, given, prices).arguments, { prompt: "a  boat", image_urls: ["https://a.example/x.jpg"] });
  assert.deepEqual(again({ prompt: "on", extends: "e1" }, null, prices).arguments, { task_id: "e1", prompt: "on" });
  assert.equal(again({ ...task, images: 2 }, null, prices), null);
  assert.equal(again({ ...task, prompt: "a very long…" }, null, prices), null);
  assert.equal(again(task, null, undefined), null, "where nothing may be spent");
  assert.equal(requestOf("get_task", { prompt: "x" }, prices), null);
});

test("a quote is known by its last words", () => {
  assert.equal(quoted("A quote, nothing was sent. Ask the person. If they agree, call again with the same arguments and confirm_credits=300."), 300);
  assert.equal(quoted("confirm_credits=40 does not count. Not charged."), null);
});
