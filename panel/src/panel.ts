// The card's life: hears the host, follows its task with get_task, extends on a click, tells the model what became of it.
// The wire is the official ext-apps library; what is seen is card.ts. Spends only on a click that names the price.

import { App, PostMessageTransport, applyDocumentTheme, applyHostFonts, applyHostStyleVariables } from "@modelcontextprotocol/ext-apps";
import type { McpUiHostCapabilities, McpUiHostContext } from "@modelcontextprotocol/ext-apps";
import type { CallToolResult } from "@modelcontextprotocol/client";

import { Card, type Face, type Form } from "./card.js";
import { type Arguments, CARD_KEY, type CardFacts, type Config, type Task, again, clock, isTask, pause, quoted, requestOf, word, working } from "./task.js";

const config = JSON.parse(element("config").textContent) as Partial<Config>;
const app = new App({ name: "veo-mcp-panel", version: "1" }, {}, { autoResize: true });

const face: Face = {
  parts: [],
  chosen: 0,
  prompt: "",
  ratio: undefined,
  refusal: null,
  isQuote: false,
  usual: undefined,
  note: null,
  canRetry: false,
  unplayable: new Set(),
  origins: config.origins ?? [],
  extendPrice: null,
  again: null,
  canAsk: false,
  canSettle: false,
  canOpen: false,
  form: null,
  sending: false,
  formFault: null,
  copied: false,
  bareLink: null,
};
/** When each task was last heard of, by this page's own clock: the server's may differ. */
const heard = new Map<string, number>();
/** How long each task usually takes, where the server knows. */
const usual = new Map<string, number>();
const followed = new Set<string>();
/** Those who rest between two looks, and may be woken. */
const resting = new Set<() => void>();
/** What the host can do; null until it has said so. */
let host: McpUiHostCapabilities | null = null;
let ended = false;
/** The call that brought this card into the chat. */
let given: { tool: string; arguments: Arguments } | null = null;
/** A price that the server quoted: a click that names it is the person's yes. */
let quote: number | null = null;

const card = new Card(element("card"), {
  choose: (part) => change({ chosen: part, form: null, formFault: null, bareLink: null }),
  toggleForm: (form) => {
    if (face.sending) return;
    const before = face.form;
    change({ form, formFault: null });
    if (form !== null) card.focusForm(form, form === "again" ? face.again?.prompt : "");
    else if (before !== null) element("card").querySelector<HTMLElement>(`[data-name="${before}"]`)?.focus();
  },
  send: (form, written) => void send(form, written),
  ask: () => void ask(),
  copy: (url) => void copy(url),
  open: (url) => void app.openLink({ url }).catch(() => change({ bareLink: url })),
  cannotPlay: (url) => change({ unplayable: new Set([...face.unplayable, url]) }),
  retry: wake,
});

app.ontoolinput = ({ arguments: values }) => {
  const tool = app.getHostContext()?.toolInfo?.tool.name;
  given = tool === undefined || values === undefined ? null : { tool, arguments: values };
  const prompt = values?.["prompt"];
  if (typeof prompt === "string" && face.parts.length === 0) change({ prompt, ratio: values?.["aspect_ratio"] });
};
app.ontoolresult = (result) => take(result);
app.ontoolcancelled = () => {
  if (face.parts.length === 0) {
    change({ refusal: "The call was cancelled. Whether it was charged, list_tasks tells: ask the assistant to look before paying again." });
  }
};
app.onhostcontextchanged = (context) => dress(context);
app.onteardown = () => {
  ended = true;
  wake();
  return {};
};
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) wake();
});
setInterval(() => card.tick(elapsed()), 1000);

card.draw(face, 0);
await app.connect(new PostMessageTransport(window.parent, window.parent));
dress(app.getHostContext() ?? {});
host = app.getHostCapabilities() ?? {};
change({
  canOpen: host.openLinks !== undefined,
  extendPrice: host.serverTools !== undefined || host.message !== undefined ? (config.prices?.["fast"] ?? null) : null,
  canAsk: host.message !== undefined && config.prices !== undefined,
  canSettle: host.serverTools !== undefined && config.prices !== undefined,
});
for (const task of face.parts) void follow(task.task_id);

function change(news: Partial<Face>): void {
  Object.assign(face, news);
  const task = face.parts[face.chosen];
  face.usual = task === undefined ? undefined : usual.get(task.task_id);
  face.again = host?.serverTools === undefined ? null : task !== undefined ? again(task, given, config.prices) : given && requestOf(given.tool, given.arguments, config.prices);
  card.draw(face, elapsed());
}

/** Seconds since the chosen task was created, counted on from what the server said last. */
function elapsed(): number {
  const task = face.parts[face.chosen];
  if (task === undefined) return 0;
  return task.elapsed_seconds + (performance.now() - (heard.get(task.task_id) ?? performance.now())) / 1000;
}

/** The result of the call that brought this card into the chat. */
function take(result: CallToolResult): void {
  const task = result.structuredContent;
  if (isTask(task)) {
    note(result, task);
    void follow(task.task_id);
  } else {
    quote = quoted(words(result));
    // A quote's text for the model is not meant for a person: the button below names the price.
    const refusal = quote === null ? words(result) : words(result).replace(/ Ask the person\..*$/s, "");
    change({ refusal: refusal || "The server sent no task.", isQuote: quote !== null });
  }
}

/** Takes in news about a task: the next state of one that is there, a new part, or another try in the place of `shownAs`. */
function note(result: CallToolResult, task: Task, shownAs: string = task.task_id): void {
  const facts = (result._meta?.[CARD_KEY] ?? {}) as CardFacts;
  if (facts.usual_seconds !== undefined) usual.set(task.task_id, facts.usual_seconds);
  const place = face.parts.findIndex((part) => part.task_id === shownAs);
  const before = face.parts[place];
  heard.set(task.task_id, performance.now());
  let parts = place < 0 ? [...face.parts, task] : face.parts.with(place, task);
  const looked = place < 0 ? task : (parts[face.chosen] ?? task);
  const missing = (facts.earlier ?? []).filter((part) => isTask(part) && !parts.some((other) => other.task_id === part.task_id));
  parts = parts.toSpliced(parts.indexOf(task), 0, ...missing);
  change({ parts, chosen: parts.indexOf(looked), note: null, canRetry: false, refusal: null, isQuote: false });
  if (before?.status !== task.status) {
    element("news").textContent = `${word(task.status)}. ${working(task) ? "" : clock(task.elapsed_seconds)}`;
  }
}

/** Looks at a task until it ends, at the pace that the server names; a hidden page does not look. */
async function follow(id: string): Promise<void> {
  if (host === null || followed.has(id)) return;
  followed.add(id);
  let shown = id;
  let failures = 0;
  let first = true;
  while (!ended) {
    const task = face.parts.find((part) => part.task_id === shown);
    if (task === undefined || task.status === "completed" || task.status === "failed" || task.status === "refused") return;
    if (host.serverTools === undefined) {
      if (working(task)) change({ note: "This app does not let the card refresh itself. Ask the assistant how the video is doing." });
      return;
    }
    // A card of a chat that was opened again shows what was true long ago: it looks at once.
    const stale = first && Date.now() - Date.parse(task.created_at) > 60_000;
    first = false;
    await rest(stale ? 0 : failures > 0 ? Math.min(60, 3 * 2 ** failures) : pause(task));
    while (document.hidden && !ended) await rest(60);
    if (ended) return;
    try {
      const result = await app.callServerTool({ name: "get_task", arguments: { task_id: shown } });
      const news = result.structuredContent;
      if (!isTask(news)) throw new Error(words(result) || "no task");
      failures = 0;
      note(result, news, shown);
      // A request whose answer was lost is known by our own id first, and by the API's once that is learnt.
      shown = news.task_id;
      if (!working(news)) void tellModel(words(result));
    } catch (error) {
      failures += 1;
      change({ note: `The server could not be asked (${String(error instanceof Error ? error.message : error).slice(0, 120)}). Trying again.`, canRetry: true });
    }
  }
}

/** Sends what a person wrote into a form. Each costs what its button names; settling costs nothing. */
async function send(form: Form, written: string): Promise<void> {
  const task = face.parts[face.chosen];
  if (face.sending || host === null) return;
  change({ sending: true, formFault: null });
  try {
    if (form === "again") await tryAgain(written, task);
    else if (task === undefined) change({ form: null });
    else if (form === "extend") await extend(written, task);
    else await settle(form, written, task);
  } catch {
    // No answer came: a create may be on its way. A second click could pay twice, so the words say so.
    const price = form === "again" ? face.again?.price : face.extendPrice;
    const paid = form === "charged" || form === "free" ? "Whether it was settled, the next look tells." : `It may have been charged ${price ?? 0} credits: ask the assistant to look at list_tasks before you try again.`;
    change({ formFault: `No answer came. ${paid}` });
  } finally {
    change({ sending: false });
  }
}

/** Sends an extension; on a host that passes no calls on, asks the assistant to. */
async function extend(prompt: string, parent: Task): Promise<void> {
  if (host?.serverTools === undefined) {
    const text = `Extend the video ${parent.task_id} with extend_video. What happens next: ${prompt}`;
    await app.sendMessage({ role: "user", content: [{ type: "text", text }] });
    card.clearForm("extend");
    change({ form: null, note: "The assistant was asked to extend the video." });
    return;
  }
  const result = await app.callServerTool({ name: "extend_video", arguments: { task_id: parent.task_id, prompt, ...agreed(face.extendPrice) } });
  begun("extend", result, undefined, `The person extended the video ${parent.task_id} in its card.`);
}

/** Sends the same request again, or with another prompt: the new task takes the old one's place. */
async function tryAgain(prompt: string, before: Task | undefined): Promise<void> {
  const request = face.again;
  if (request === null) return;
  const same = prompt === request.prompt;
  const repeats = same && before?.status === "failed" ? { repeat_of: before.task_id } : {};
  const result = await app.callServerTool({ name: request.tool, arguments: { ...request.arguments, prompt, ...repeats, ...agreed(request.price) } });
  if (before === undefined || result.isError !== true) given = given && { ...given, arguments: { ...given.arguments, prompt } };
  begun("again", result, before?.task_id, "The person asked for another try in the card.");
}

/** Says what became of a request whose answer was lost. */
async function settle(form: "charged" | "free", id: string, task: Task): Promise<void> {
  const how = form === "charged" ? { upstream_task_id: id } : { not_charged: true };
  const result = await app.callServerTool({ name: "resolve_task", arguments: { task_id: task.task_id, ...how } });
  begun(form, result, task.task_id, `The person settled the request ${task.task_id} in its card.`);
}

/** Shows the answer to a form: the task that it began or changed, or why it did not. */
function begun(form: Form, result: CallToolResult, instead: string | undefined, summary: string): void {
  const task = result.structuredContent;
  if (result.isError === true || !isTask(task)) {
    quote = quoted(words(result));
    change({ formFault: quote === null ? words(result) || "The server refused without a reason." : `A quote: this costs ${quote} credits. Not charged. Press the button again to agree.` });
    return;
  }
  card.clearForm(form);
  change({ form: null });
  note(result, task, instead);
  void tellModel(`${summary} ${words(result)}`);
  void follow(task.task_id);
}

/** The person's yes to a price that was quoted: the button that was pressed names it. */
function agreed(price: number | null): Arguments {
  return quote !== null && quote === price ? { confirm_credits: price } : {};
}

/** Asks the assistant for another try: the card does not know all that was asked for. */
async function ask(): Promise<void> {
  const task = face.parts[face.chosen];
  const text = `Please make another try${task === undefined ? "" : ` at ${task.task_id} (${word(task.status).toLowerCase()})`}. Tell me the price and ask me first.`;
  await app.sendMessage({ role: "user", content: [{ type: "text", text }] }).catch(() => undefined);
  change({ canAsk: false, note: "The assistant was asked for another try." });
}

async function copy(url: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(url);
  } catch {
    // Not every host passes the permission on: show the address, chosen, so that Ctrl+C copies it.
    change({ bareLink: url });
    element("card").querySelector<HTMLInputElement>('[data-name="link"]')?.focus();
    if (!document.execCommand("copy")) return;
  }
  change({ copied: true });
  element("news").textContent = "Link copied";
  setTimeout(() => change({ copied: false }), 2500);
}

/** Lets the model know at its next turn, where the host can keep that for it; never starts a turn. */
async function tellModel(text: string): Promise<void> {
  if (host?.updateModelContext === undefined) return;
  await app.updateModelContext({ content: [{ type: "text", text }] }).catch(() => undefined);
}

function dress(context: McpUiHostContext): void {
  if (context.theme) applyDocumentTheme(context.theme);
  if (context.styles?.variables) applyHostStyleVariables(context.styles.variables);
  if (context.styles?.css?.fonts) applyHostFonts(context.styles.css.fonts);
}

/** Waits, but not past a click on "Try now", a page that is seen again, or the end. */
async function rest(seconds: number): Promise<void> {
  await new Promise<void>((done) => {
    const rise = (): void => {
      clearTimeout(timer);
      resting.delete(rise);
      done();
    };
    const timer = setTimeout(rise, seconds * 1000);
    resting.add(rise);
  });
}

function wake(): void {
  for (const rise of [...resting]) rise();
}

function words(result: CallToolResult): string {
  return result.content.map((block) => (block.type === "text" ? block.text : "")).join(" ").trim();
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
