// Draws the card: plain DOM, rebuilt when what it shows changes, except that a playing video and a half-written text stay.
// Called by panel.ts. All text goes in through textContent; nothing here speaks to the host.

import { type Request, type Task, allowed, clock, fullness, money, shape, webAddress, word, working } from "./task.js";

/** The forms of the card; one is open at a time, where the button was that opened it. */
export type Form = "extend" | "again" | "charged" | "free";

/** What the card shows; it is redrawn with every change of this. */
export interface Face {
  /** The film's parts, in order. */
  parts: Task[];
  chosen: number;
  /** The prompt and the ratio that were asked for, before there is a task. */
  prompt: string;
  ratio: unknown;
  /** Text that takes the place of a task: a refusal, or a call that was cancelled. */
  refusal: string | null;
  /** Whether that text is a price, which nothing was sent for yet. */
  isQuote: boolean;
  /** How long the chosen task usually takes, in seconds. */
  usual: number | undefined;
  /** A line about the card itself, such as that the server is out of reach. */
  note: string | null;
  canRetry: boolean;
  /** URLs whose playing failed: they get a link instead. */
  unplayable: ReadonlySet<string>;
  origins: readonly string[];
  extendPrice: number | null;
  /** The request for another try; null if the card does not know enough. */
  again: Request | null;
  /** Whether the assistant can be asked for another try instead. */
  canAsk: boolean;
  canSettle: boolean;
  canOpen: boolean;
  form: Form | null;
  sending: boolean;
  formFault: string | null;
  copied: boolean;
  bareLink: string | null;
}

/** What a person can do. */
export interface Acts {
  choose(part: number): void;
  toggleForm(form: Form | null): void;
  /** Sends the open form with what was written into it; "" where it asks for nothing. */
  send(form: Form, written: string): void;
  ask(): void;
  copy(url: string): void;
  open(url: string): void;
  cannotPlay(url: string): void;
  retry(): void;
}

/** The parts of the card that live on between two drawings. */
export class Card {
  private film: { url: string; video: HTMLVideoElement; box: HTMLElement } | null = null;
  private clockText: HTMLElement | null = null;
  private full: { bar: HTMLElement; task: Task; usual: number | undefined } | null = null;
  private readonly fields = {
    extend: area("next", "The camera slowly zooms out, rain begins"),
    again: area("again-text", ""),
    charged: field("api-id"),
  };

  constructor(private readonly root: HTMLElement, private readonly acts: Acts) {
    for (const form of ["extend", "again", "charged"] as const) {
      this.fields[form].addEventListener("keydown", (event) => {
        const key = event as KeyboardEvent;
        if (key.key === "Escape") acts.toggleForm(null);
        if (key.key === "Enter" && (form === "charged" || key.ctrlKey || key.metaKey)) this.submit(form);
      });
    }
  }

  /** Draws `face`; what had the keyboard's focus has it afterwards, when it is still there. */
  draw(face: Face, elapsed: number): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset["name"];
    const task = face.parts[face.chosen];
    this.clockText = null;
    this.full = null;
    const [wide, high] = shape(task?.aspect_ratio ?? face.ratio, task?.width, task?.height);
    const pieces = task === undefined ? this.before(face, elapsed) : this.about(task, face, elapsed);
    keep(this.root, pieces);
    this.root.style.setProperty("--shape", `${wide} / ${high}`);
    this.root.classList.toggle("tall", high > wide && pieces.length > 1);
    this.root.setAttribute("aria-busy", String(task !== undefined ? working(task) : face.refusal === null));
    if (focused !== undefined && document.activeElement === document.body) {
      this.root.querySelector<HTMLElement>(`[data-name="${focused}"]`)?.focus();
    }
  }

  /** Moves the clock and the bar on, without redrawing. */
  tick(elapsed: number): void {
    if (this.clockText !== null) this.clockText.textContent = clock(elapsed);
    if (this.full !== null) fill(this.full.bar, fullness(this.full.task, elapsed, this.full.usual) ?? 0);
  }

  /** Puts the cursor into the open form; `text` is what is proposed, where nothing was written yet. */
  focusForm(form: Form, text = ""): void {
    if (form === "free") return this.root.querySelector<HTMLElement>('[data-name="send"]')?.focus();
    const into = this.fields[form];
    if (into.value === "") into.value = text;
    into.focus();
  }

  clearForm(form: Form): void {
    if (form !== "free") this.fields[form].value = "";
  }

  private before(face: Face, elapsed: number): HTMLElement[] {
    this.film = null;
    if (face.refusal !== null) {
      const top = make("div", "top", face.isQuote ? make("span", "status", "A price to agree to") : make("span", "status refused", "No video was started"));
      return [make("div", "body", top, ...promptLine(face.prompt), make("p", "say", face.refusal), ...this.anotherTry(face))];
    }
    const top = make("div", "top", make("span", "status working", "Sending"));
    return [this.waiting(null, face, elapsed), make("div", "body", top, ...promptLine(face.prompt))];
  }

  private about(task: Task, face: Face, elapsed: number): HTMLElement[] {
    const url = task.status === "completed" ? webAddress(task.video_urls?.[0]) : null;
    const playable = url !== null && allowed(url, face.origins) && !face.unplayable.has(url.href);
    const pieces: HTMLElement[] = [];
    if (playable) pieces.push(this.player(url.href, task));
    else this.film = null;
    if (working(task)) pieces.push(this.waiting(task, face, elapsed));
    if (url !== null && !playable) pieces.push(linkOut(url));
    const top = make("div", "top", make("span", `status ${working(task) ? "working" : task.status}`, word(task.status)));
    if (task.sandbox === true) {
      const badge = make("span", "sandbox", "SANDBOX");
      badge.title = "Drawn without an AI model; no real credits";
      top.append(badge);
    }
    const body = make("div", "body", top, ...promptLine(task.prompt), facts(task), ...this.outcome(task, url, face));
    if (face.parts.length > 1) body.append(...this.chain(face));
    if (url !== null) body.append(face.form === "extend" && face.extendPrice !== null ? this.extendForm(face, face.extendPrice) : this.buttons(url.href, face));
    if (face.bareLink !== null) body.append(bareLink(face.bareLink));
    if (face.note !== null) body.append(this.noteLine(face.note, face.canRetry));
    return [...pieces, body];
  }

  private player(url: string, task: Task): HTMLElement {
    if (this.film?.url === url) return this.film.box;
    const video = make("video");
    video.controls = true;
    video.playsInline = true;
    video.preload = "metadata";
    video.setAttribute("aria-label", `Video: ${task.prompt}`);
    video.dataset["name"] = "video";
    // Blocked by the host's policy, gone, or not a format of this browser: in every case the link is what is left.
    video.addEventListener("error", () => this.acts.cannotPlay(url));
    // What the file itself says is right, whatever was asked for; bars beside the picture would be the proof that it was not.
    video.addEventListener("loadedmetadata", () => {
      if (video.videoWidth === 0 || this.film?.video !== video) return;
      this.root.style.setProperty("--shape", `${video.videoWidth} / ${video.videoHeight}`);
      this.root.classList.toggle("tall", video.videoHeight > video.videoWidth);
    });
    video.src = url;
    this.film = { url, video, box: make("div", "screen", video) };
    return this.film.box;
  }

  private waiting(task: Task | null, face: Face, elapsed: number): HTMLElement {
    const time = make("span", "clock", clock(elapsed));
    time.setAttribute("role", "timer");
    this.clockText = time;
    const screen = make("div", "screen waiting", time);
    if (task === null) return screen;
    const full = fullness(task, elapsed, face.usual);
    if (full !== null) {
      const bar = make("div", "bar", make("i"));
      bar.setAttribute("role", "progressbar");
      bar.setAttribute("aria-label", "Progress of the video");
      fill(bar, full);
      this.full = { bar, task, usual: face.usual };
      screen.append(bar);
    }
    screen.append(make("small", "", face.usual === undefined ? "so far" : `usually about ${clock(face.usual)}`));
    return screen;
  }

  private outcome(task: Task, url: URL | null, face: Face): HTMLElement[] {
    const said = task.error?.message;
    switch (task.status) {
      case "completed":
        return url === null ? [make("p", "say", "The API gave no video address.")] : [];
      case "failed":
        return [
          make("p", "say bad", said || "No reason was given."),
          make("p", "quiet", "Fix what the reason names, or try the same request again: it may succeed."),
          ...this.anotherTry(face),
        ];
      case "refused": {
        const wait = task.retry_after_seconds === undefined ? "" : ` Wait ${clock(task.retry_after_seconds)} first.`;
        const byHand = task.error?.code === "settled_by_hand";
        const reason = byHand ? "It was settled by a person: the API never accepted it." : said || "No reason was given.";
        return [
          make("p", byHand ? "say" : "say bad", reason),
          make("p", "quiet", `No video was made. You can try again.${wait}`),
          ...this.anotherTry(face),
        ];
      }
      case "unknown":
        return [
          make("p", "say odd", `It is unknown whether the API accepted this request: ${said || "its answer was lost"}. It is not sent again.`),
          ...this.settling(task, face),
        ];
      default:
        return [];
    }
  }

  /** A way to pay for another try: a form that names the price, or a word to the assistant. */
  private anotherTry(face: Face): HTMLElement[] {
    const { again } = face;
    if (again === null) {
      return face.canAsk ? [make("div", "row", this.button("Ask for another try", "ask", () => this.acts.ask(), "main"))] : [];
    }
    if (face.form !== "again") return [make("div", "row", this.button(face.isQuote ? "Make it…" : "Try again…", "again", () => this.acts.toggleForm("again"), "main"))];
    const price = `${again.estimated ? "about " : ""}${again.price}`;
    return [this.form(face, "again", "Make another try", "What should the video show?", this.fields.again, `Make it for ${price} credits`)];
  }

  private settling(task: Task, face: Face): HTMLElement[] {
    if (!face.canSettle) {
      return [make("p", "quiet", `Look into the account's history at the API, then settle it at a terminal: veo-mcp tasks resolve ${task.task_id}`)];
    }
    if (face.form === "charged") {
      return [
        this.form(face, "charged", "Settle as charged", "It was charged: the API's id is", this.fields.charged, "Save",
          "It stands in the account's history at the API. The video then goes on here."),
      ];
    }
    if (face.form === "free") {
      return [
        this.form(face, "free", "Settle as not charged", null, null, "It was not charged",
          "Only if the account's history shows no such request and the balance did not fall. It then counts as not charged, and can be asked for again."),
      ];
    }
    return [
      make("p", "quiet", "Look into the account's history at the API, then say what you found:"),
      make("div", "row long", this.button("It was charged…", "charged", () => this.acts.toggleForm("charged")),
        this.button("It was not charged…", "free", () => this.acts.toggleForm("free"))),
    ];
  }

  private chain(face: Face): HTMLElement[] {
    const row = make("nav", "row parts");
    row.setAttribute("aria-label", "The film's parts, in order");
    face.parts.forEach((_, part) => {
      const button = this.button(`Part ${part + 1}`, `part-${part}`, () => this.acts.choose(part));
      button.setAttribute("aria-current", String(part === face.chosen));
      row.append(button);
    });
    const [task, parent] = [face.parts[face.chosen], face.parts[face.chosen - 1]];
    const [seconds, before] = [task?.duration_seconds, parent?.duration_seconds];
    if (seconds === undefined || before === undefined || task?.extends === undefined) return [row];
    return [row, make("p", "quiet", seconds >= before + 2 ? "This file holds the whole film up to here." : "This file holds only this part of the film.")];
  }

  private buttons(url: string, face: Face): HTMLElement {
    const row = make("div", "row");
    if (face.extendPrice !== null) row.append(this.button("Extend", "extend", () => this.acts.toggleForm("extend"), "main"));
    row.append(this.button(face.copied ? "Copied" : "Copy link", "copy", () => this.acts.copy(url)));
    if (face.canOpen) row.append(this.button("Open", "open", () => this.acts.open(url)));
    return row;
  }

  private extendForm(face: Face, price: number): HTMLElement {
    return this.form(face, "extend", "Extend the video", "What happens next?", this.fields.extend, `Extend for about ${price} credits`);
  }

  private form(face: Face, form: Form, name: string, question: string | null, into: HTMLInputElement | HTMLTextAreaElement | null, act: string, hint = ""): HTMLElement {
    const inside: HTMLElement[] = [];
    if (into !== null) {
      into.disabled = face.sending;
      const label = make("label", "", question ?? "");
      label.htmlFor = into.id;
      inside.push(label, into);
    }
    if (hint !== "") inside.push(make("p", "quiet", hint));
    if (face.formFault !== null) {
      const fault = make("p", "say bad", face.formFault);
      fault.setAttribute("role", "alert");
      inside.push(fault);
    }
    const send = this.button(face.sending ? "Sending…" : act, "send", () => this.submit(form), "main");
    const back = this.button("Cancel", "cancel", () => this.acts.toggleForm(null));
    send.disabled = back.disabled = face.sending;
    // Not a <form>: a frame that may not submit forms, as some hosts make it, does not even tell that one was sent.
    const box = make("div", "form", ...inside, make("div", "row long", send, back));
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", name);
    return box;
  }

  private submit(form: Form): void {
    if (form === "free") return this.acts.send(form, "");
    const written = this.fields[form].value.trim();
    if (written === "") this.fields[form].focus();
    else if (!this.fields[form].disabled) this.acts.send(form, written);
  }

  private noteLine(note: string, canRetry: boolean): HTMLElement {
    const row = make("div", "row", make("p", "quiet", note));
    if (canRetry) row.append(this.button("Try now", "retry", () => this.acts.retry()));
    return row;
  }

  private button(text: string, name: string, act: () => void, kind = ""): HTMLButtonElement {
    const button = make("button", kind, text);
    button.type = "button";
    button.dataset["name"] = name;
    button.addEventListener("click", act);
    return button;
  }
}

function promptLine(prompt: string): HTMLElement[] {
  if (prompt === "") return [];
  const line = make("p", "prompt", prompt);
  line.title = prompt;
  return [line];
}

/** What it cost, and what it is: its own size and length once the file is known, what was asked for until then. */
function facts(task: Task): HTMLElement {
  const { duration_seconds: seconds, width, height } = task;
  const size = width === undefined || height === undefined ? [task.aspect_ratio, task.resolution] : [`${width}×${height}`];
  const took = working(task) || task.status === "unknown" ? undefined : `took ${clock(task.elapsed_seconds)}`;
  const length = seconds === undefined ? undefined : `${Number(seconds.toFixed(1))} s`;
  const known = [length, ...size, task.extends === undefined ? task.mode : "extension", took].filter((part) => part !== undefined);
  return make("div", "facts", make("span", "", money(task)), make("span", "", known.join(" · ")));
}

function linkOut(url: URL): HTMLElement {
  return make("div", "screen", make("span", "glyph"), make("small", "", `The video is at ${url.host}; it cannot be played here.`));
}

function bareLink(url: string): HTMLElement {
  const link = field("link");
  link.readOnly = true;
  link.value = url;
  link.setAttribute("aria-label", "The video's address");
  link.addEventListener("focus", () => link.select());
  return link;
}

function fill(bar: HTMLElement, full: number): void {
  const percent = Math.round(full * 100);
  bar.setAttribute("aria-valuenow", String(percent));
  (bar.firstElementChild as HTMLElement).style.width = `${percent}%`;
}

function area(id: string, placeholder: string): HTMLTextAreaElement {
  const text = make("textarea");
  text.id = id;
  text.dataset["name"] = id;
  text.rows = 2;
  text.maxLength = 2000;
  text.placeholder = placeholder;
  return text;
}

function field(id: string): HTMLInputElement {
  const input = make("input");
  input.id = id;
  input.dataset["name"] = id;
  input.autocomplete = "off";
  input.spellcheck = false;
  return input;
}

/** Puts `pieces` into `root`, without taking out one that is there already: a video that is moved stops playing. */
function keep(root: HTMLElement, pieces: HTMLElement[]): void {
  for (const child of [...root.children]) {
    if (!pieces.includes(child as HTMLElement)) child.remove();
  }
  pieces.forEach((piece, place) => {
    if (root.children[place] !== piece) root.insertBefore(piece, root.children[place] ?? null);
  });
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, style = "", ...inside: (HTMLElement | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (style !== "") element.className = style;
  element.append(...inside);
  return element;
}
