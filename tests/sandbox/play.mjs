// Plays and seeks every MP4 of a folder in headless Chromium, over a server that honours ranges.
// Run by hand where playwright-core is installed: `node play.mjs FOLDER`; CHROMIUM names another browser.
import fs from "node:fs";
import http from "node:http";
import { chromium } from "playwright-core";

const folder = process.argv[2];
const files = fs.readdirSync(folder).filter((name) => name.endsWith(".mp4")).sort();

const server = http.createServer((request, response) => {
  if (request.url === "/") {
    response.setHeader("content-type", "text/html");
    return response.end("<video muted></video>");
  }
  const path = `${folder}/${decodeURIComponent(request.url.slice(1))}`;
  if (!fs.existsSync(path)) return response.writeHead(404).end();
  const size = fs.statSync(path).size;
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Number(range[2]) : size - 1;
  response.writeHead(range ? 206 : 200, {
    "content-type": "video/mp4",
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    ...(range && { "content-range": `bytes ${start}-${end}/${size}` }),
  });
  fs.createReadStream(path, { start, end }).pipe(response);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);

let good = 0;
for (const file of files) {
  const seen = await page.evaluate(async (name) => {
    const video = document.querySelector("video");
    const event = (type) => new Promise((done) => video.addEventListener(type, done, { once: true }));
    video.src = `/${name}`;
    await event("canplaythrough");
    const { duration } = video;
    await video.play();
    await event("timeupdate");
    await event("timeupdate");
    const played = video.currentTime;
    video.pause();
    video.currentTime = 5.5;
    await event("seeked");
    return { duration, played, sought: video.currentTime, width: video.videoWidth };
  }, file);
  const fits = Math.abs(seen.duration - 8) < 0.1 && seen.played > 0.1 && Math.abs(seen.sought - 5.5) < 0.1;
  if (fits && seen.width > 0) good += 1;
  else console.log(file, seen);
}
console.log(`${good} of ${files.length} play and seek`);
await browser.close();
server.close();
process.exit(good === files.length ? 0 : 1);
