// A task as the server's tools give it, and the words the card has for it. Pure: no DOM, no wire, no clock of its own.
// Used by panel.ts and card.ts.

export type Status = "submitting" | "pending" | "processing" | "completed" | "failed" | "refused" | "unknown";

/** The structured content of create_video, extend_video and get_task; a field without a value is absent. */
export interface Task {
  task_id: string;
  status: Status;
  prompt: string;
  model?: string;
  mode?: string;
  aspect_ratio?: string;
  seeds?: number;
  watermark?: string;
  images?: number;
  created_at: string;
  elapsed_seconds: number;
  progress?: number;
  video_urls?: string[];
  resolution?: string;
  duration_seconds?: number;
  width?: number;
  height?: number;
  credits: number;
  credits_estimated?: boolean;
  charged: "yes" | "no" | "refunded" | "unknown";
  extends?: string;
  error?: { code: string; message: string };
  retry_after_seconds?: number;
  sandbox?: boolean;
}

/** What the server writes into the page when it is read. */
export interface Config {
  /** Origins that the page's content security policy lets it play from. */
  origins: string[];
  /** Credits that a video costs, by mode; an extension is estimated at the fast price. Absent where nothing may be spent. */
  prices?: Record<string, number>;
}

/** What the server tells the card alone, beside a result. */
export interface CardFacts {
  /** How long such videos usually take. */
  usual_seconds?: number;
  /** The film that an extension belongs to, first part first, without the extension itself. */
  earlier?: Task[];
}

/** Under which key of a result's `_meta` the card's facts stand. */
export const CARD_KEY = "veo-mcp/card";

export type Arguments = Record<string, unknown>;

/** A call that spends, and what it costs. */
export interface Request {
  tool: "create_video" | "extend_video";
  arguments: Arguments;
  prompt: string;
  price: number;
  estimated: boolean;
}

const STATUSES = ["submitting", "pending", "processing", "completed", "failed", "refused", "unknown"];
const WORDS: Record<Status, string> = {
  submitting: "Sending",
  pending: "In the queue",
  processing: "Being made",
  completed: "Ready",
  failed: "Failed",
  refused: "Refused",
  unknown: "Outcome unknown",
};

export function isTask(value: unknown): value is Task {
  const shape = value as Partial<Task> | null | undefined;
  return typeof shape?.task_id === "string" && STATUSES.includes(shape.status ?? "");
}

export function working(task: Task): boolean {
  return task.status === "submitting" || task.status === "pending" || task.status === "processing";
}

export function word(status: Status): string {
  return WORDS[status];
}

/** Width by height of the space that the video will take, before its file is known as after. */
export function shape(ratio: unknown, width?: number, height?: number): [number, number] {
  if (width !== undefined && height !== undefined && width > 0 && height > 0) return [width, height];
  return ratio === "9:16" ? [9, 16] : [16, 9];
}

/** How much of the bar is full: the API's word where it gave one, else the time by what is usual; null where neither is known. */
export function fullness(task: Task, elapsed: number, usual: number | undefined): number | null {
  // A full bar over an unfinished task would be a lie; by time alone, it slows down towards the end.
  if (task.progress !== undefined) return Math.min(0.97, Math.max(0, task.progress > 1 ? task.progress / 100 : task.progress));
  return usual === undefined || usual <= 0 ? null : elapsed < 0.9 * usual ? elapsed / usual : Math.min(0.97, 0.9 + 0.07 * (1 - (0.9 * usual) / elapsed));
}

/**
 * The request that would make this video again: from the model's arguments if the card received them, else from the
 * task, which shows all but images and a long prompt; null if that is not enough.
 */
export function again(task: Task, given: { tool: string; arguments: Arguments } | null, prices: Record<string, number> | undefined): Request | null {
  if (prices === undefined) return null;
  const cut = task.prompt.endsWith("…");
  const start = task.prompt.replace(/…$/, "");
  const prompt = given?.arguments["prompt"];
  if (given !== null && typeof prompt === "string" && clean(prompt).startsWith(start)) return requestOf(given.tool, given.arguments, prices);
  if (cut || (task.images ?? 0) > 0) return null;
  if (task.extends !== undefined) return requestOf("extend_video", { task_id: task.extends, prompt: task.prompt }, prices);
  const { mode, aspect_ratio, seeds, watermark } = task;
  const known = Object.entries({ mode, aspect_ratio, seeds, watermark }).filter(([, value]) => value !== undefined);
  return requestOf("create_video", { prompt: task.prompt, ...Object.fromEntries(known) }, prices);
}

/** A call that spends, with its price; null for a tool that does not, or arguments without a prompt. */
export function requestOf(tool: string, given: Arguments, prices: Record<string, number> | undefined): Request | null {
  const prompt = given["prompt"];
  if ((tool !== "create_video" && tool !== "extend_video") || typeof prompt !== "string" || prices === undefined) return null;
  const estimated = tool === "extend_video";
  const price = prices[!estimated && given["mode"] === "quality" ? "quality" : "fast"];
  // What was agreed to was that call; this one is agreed to by a click of its own.
  const { confirm_credits: _, repeat_of: __, ...rest } = given;
  return price === undefined ? null : { tool, arguments: rest, prompt, price, estimated };
}

/** The price in a quote, which a host that cannot ask the person gets instead of a video; null in any other words. */
export function quoted(words: string): number | null {
  const found = /confirm_credits=(\d+)\.?\s*$/.exec(words.trim());
  return found === null ? null : Number(found[1]);
}

function clean(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Seconds as a clock: 0:07, 12:05, 1:45:02. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number): string => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** The server's fixed words on credits, with the estimate called one. */
export function money(task: Task): string {
  const credits = `${task.credits} ${task.sandbox === true ? "sandbox " : ""}credits${task.credits_estimated === true ? " (estimate)" : ""}`;
  switch (task.charged) {
    case "yes":
      return `Charged ${credits}`;
    case "refunded":
      return `Refunded ${credits}`;
    case "no":
      return "Not charged";
    case "unknown":
      return `May have been charged ${credits}`;
  }
}

/** The address as a URL that may be shown and opened, or null: only the web's two schemes, never a script. */
export function webAddress(text: string | undefined): URL | null {
  if (text === undefined || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === "https:" || url.protocol === "http:" ? url : null;
}

/** Whether the page's policy lets it load from this address; `https://*.example.org` stands for every name below it. */
export function allowed(url: URL, origins: readonly string[]): boolean {
  return origins.some((origin) => {
    const [scheme, host] = origin.split("://*.");
    return host === undefined ? url.origin === origin : url.protocol === `${scheme}:` && url.host.endsWith(`.${host}`);
  });
}

/** Seconds until the card looks again: as the server says, within reason. */
export function pause(task: Task): number {
  return Math.min(60, Math.max(2, task.retry_after_seconds ?? 30));
}
