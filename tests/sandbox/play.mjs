// Plays and seeks every MP4 of a folder, or one film, in headless Chromium, over a server that honours ranges.
// Run by hand after `npm ci` in panel/: `node tests/sandbox/play.mjs FOLDER_OR_FILE [SECONDS]`; SECONDS is how long each
// must be (8, a clip's own length). A film of several clips is also played across each join: its picture must neither
// stand still nor lose frames there, and every place of it is sought. CHROMIUM names another browser.
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const { chromium } = createRequire(new URL("../../panel/package.json", import.meta.url))("playwright-core");

const CLIP = 8;
const [given, length] = process.argv.slice(2);
const seconds = Number(length ?? CLIP);
const folder = fs.statSync(given).isDirectory() ? given : path.dirname(given);
const files =
  folder === given ? fs.readdirSync(folder).filter((name) => name.endsWith(".mp4")).sort() : [path.basename(given)];
const joins = Array.from({ length: Math.ceil(seconds / CLIP) - 1 }, (_, number) => CLIP * (number + 1));
const places = [5.5, seconds - 0.5, ...joins.flatMap((join) => [join - 1 / 48, join + 1 / 48]), 0.5];

const server = http.createServer((request, response) => {
  if (request.url === "/") {
    response.setHeader("content-type", "text/html");
    return response.end("<video></video>");
  }
  const file = `${folder}/${decodeURIComponent(request.url.slice(1))}`;
  if (!fs.existsSync(file)) return response.writeHead(404).end();
  const size = fs.statSync(file).size;
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Number(range[2]) : size - 1;
  response.writeHead(range ? 206 : 200, {
    "content-type": "video/mp4",
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    ...(range && { "content-range": `bytes ${start}-${end}/${size}` }),
  });
  fs.createReadStream(file, { start, end }).pipe(response);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
  ],
});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);

let good = 0;
for (const file of files) {
  const seen = await page.evaluate(
    async ({ name, places, joins }) => {
      const video = document.querySelector("video");
      const event = (type) => new Promise((done) => video.addEventListener(type, done, { once: true }));
      const seek = async (place) => {
        video.currentTime = place;
        await event("seeked");
        return video.currentTime;
      };
      video.src = `/${encodeURIComponent(name)}`;
      await event("canplaythrough");
      const { duration } = video;
      await video.play();
      await event("timeupdate");
      await event("timeupdate");
      const played = video.currentTime;
      video.pause();
      const sought = [];
      for (const place of places) sought.push(await seek(place));
      // The longest time between two pictures while a join passes, by the media's own clock and by the wall's.
      const crossings = [];
      for (const join of joins) {
        await seek(join - 0.5);
        const shown = [];
        const count = (now, frame) => {
          shown.push([frame.mediaTime, now]);
          if (frame.mediaTime < join + 0.5) video.requestVideoFrameCallback(count);
          else video.pause();
        };
        video.requestVideoFrameCallback(count);
        const paused = event("pause");
        await video.play();
        await paused;
        const longest = (column) => Math.max(...shown.slice(1).map((one, at) => one[column] - shown[at][column]));
        crossings.push({ join, frames: shown.length, media: longest(0), wall: longest(1) / 1000 });
      }
      const heard = video.webkitAudioDecodedByteCount;
      const { error, videoWidth, videoHeight } = video;
      return { duration, played, sought, crossings, heard, videoWidth, videoHeight, error: error?.message };
    },
    { name: file, places, joins },
  );
  const fits =
    Math.abs(seen.duration - seconds) < 0.1 &&
    seen.played > 0.1 &&
    seen.videoWidth > 0 &&
    seen.heard > 0 &&
    seen.sought.every((at, number) => Math.abs(at - places[number]) < 0.05) &&
    seen.crossings.every(({ frames }) => frames > 1) &&
    !seen.error;
  if (fits) good += 1;
  if (!fits || joins.length) console.log(file, JSON.stringify(seen));
}
console.log(`${good} of ${files.length} play and seek`);
await browser.close();
server.close();
process.exit(good === files.length ? 0 : 1);
