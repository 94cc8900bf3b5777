/**
 * The official TypeScript SDK makes a video with veo-mcp, watches it with progress, is notified when it changes, extends it,
 * says what it cost, and leaves the film. No model takes part: these are the calls a host makes for one.
 *
 * Run `npm i && npm start` where `veo-mcp` is on the PATH. Node 22.18 or newer runs TypeScript as it stands.
 */

import { execFileSync } from "node:child_process";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

type Answer = Record<string, any>;

const client = new Client({ name: "veo-mcp-example", version: "1.0.0" });

// The SDK hands a server only PATH and the like: the key and the VEO_* settings must be handed on.
const environment = process.env as Record<string, string>;
await client.connect(new StdioClientTransport({ command: "veo-mcp", env: environment, stderr: "inherit" }));

const notified = new Set<string>();
client.setNotificationHandler(ResourceUpdatedNotificationSchema, async ({ params }) => {
  notified.add(params.uri);
});

async function call(name: string, args: Answer = {}): Promise<Answer> {
  const result = await client.callTool({ name, arguments: args }, undefined, {
    // Without these two the SDK gives up after 60 s; with them every progress notification restarts its timeout.
    onprogress: ({ message }) => console.log(`  ${message}`),
    resetTimeoutOnProgress: true,
  });
  const words = (result.content as Answer[]).map((block) => block.text).join(" ");
  console.log(`${name}: ${words}`);
  if (result.isError) throw new Error(words);
  return result.structuredContent as Answer;
}

/** Waits for the end of a task; a video takes minutes, so one wait may not be enough. */
async function finished(task: Answer): Promise<Answer> {
  await client.subscribeResource({ uri: task.resource_uri });
  while (["submitting", "pending", "processing"].includes(task.status)) {
    task = await call("get_task", { task_id: task.task_id, wait_seconds: 45 });
  }
  await client.unsubscribeResource({ uri: task.resource_uri });
  if (task.status !== "completed") throw new Error(`The task ended as ${task.status}.`);
  return task;
}

const { tools } = await client.listTools();
console.log(`tools: ${tools.map((tool) => tool.name).join(", ")}`);

const before = await call("get_credits");
const prompt = "A paper boat on a pond at dawn, soft light, birds singing";
const first = await finished(await call("create_video", { prompt }));
const more = { task_id: first.task_id, prompt: "Rain begins to fall on the pond" };
const second = await finished(await call("extend_video", more));
const after = await call("get_credits");

for (const task of [first, second]) {
  console.log(`${task.resource_uri}: ${notified.has(task.resource_uri) ? "notified of its changes" : "never notified"}`);
}
console.log(`It cost ${before.balance - after.balance} credits.`);
for (const task of [first, second]) console.log(`completed: ${task.video_urls[0]}`);
await client.close();

// The links are good for a while only, and a sandbox's end with its server.
const saving = ["download", second.task_id, "--film", "--out", "videos"];
console.log(`film: ${execFileSync("veo-mcp", saving, { encoding: "utf8" }).trim()}`);
