// Builds the card into one self-contained HTML file, veo_mcp/server/panel/panel.html, which is committed: whoever installs
// veo-mcp needs no Node. `--check` builds again and says whether the committed file is what these sources make.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as esbuild from "esbuild";

const here = import.meta.dirname;
const target = path.join(here, "../veo_mcp/server/panel/panel.html");

/** The library brings zod, and zod its messages in fifty languages (262 KB), none of which the card shows. */
const english = {
  name: "english",
  setup(build) {
    build.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, (file) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: path.dirname(file.path),
    }));
  },
};

const script = await esbuild.build({
  absWorkingDir: here,
  entryPoints: ["src/panel.ts"],
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "esm",
  target: "es2023",
  legalComments: "inline",
  write: false,
  plugins: [english],
});
const style = await esbuild.build({ absWorkingDir: here, entryPoints: ["src/panel.css"], minify: true, write: false });
const page = await readFile(path.join(here, "src/panel.html"), "utf8");
const notice =
  "<!-- Built from panel/; do not edit. Contains @modelcontextprotocol/ext-apps and client (Apache-2.0 and MIT, " +
  "Model Context Protocol contributors) and zod (MIT, Colin McDonnell). -->\n";
const code = text(script).trim().replaceAll("</script", "<\\/script");
const hash = createHash("sha256").update(code).digest("base64");
const built = page
  .replace("<html", () => `${notice}<html`)
  .replace("/*css*/", () => text(style).trim())
  // Hosts inherit a page's policy at best: this one allows its own script and no other, whatever theirs says.
  .replace("/*script hash*/", () => `'sha256-${hash}'`)
  .replace("/*js*/", () => code);

if (process.argv.includes("--check")) {
  if ((await readFile(target, "utf8")) !== built) {
    console.error("panel.html is not what the sources make: run npm run build in panel/, and commit the file.");
    process.exit(1);
  }
  console.log(`panel.html is fresh (${built.length} characters)`);
} else {
  await writeFile(target, built);
  console.log(`panel.html: ${built.length} characters`);
}

function text(result) {
  return result.outputFiles[0].text;
}
