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
  created_at: string;
  elapsed_seconds: number;
  progress?: number;
  video_urls?: string[];
  resolution?: string;
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
  /** Credits that an extension is estimated to cost; absent where nothing may be spent. */
  extend?: number;
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

/** Seconds as a clock: 0:07, 12:05, 1:45:02. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number): string => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** The server's fixed words on credits, with the estimate called one. */
export function money(task: Task): string {
  const credits = `${task.credits} credits${task.credits_estimated === true ? " (estimate)" : ""}`;
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
