// Draws the card: plain DOM, rebuilt when what it shows changes, except that a playing video and a half-written text stay.
// Called by panel.ts. All text goes in through textContent; nothing here speaks to the host.

import { type Task, allowed, clock, money, webAddress, word, working } from "./task.js";

/** What the card shows; whatever changes here is drawn anew. */
export interface Face {
  /** The video and its extensions, in order. */
  parts: Task[];
  chosen: number;
  /** The prompt, before there is a task. */
  prompt: string;
  /** Text that takes the place of a task: a refusal, or a call that was cancelled. */
  refusal: string | null;
  /** A line about the card itself, such as that the server is out of reach. */
  note: string | null;
  canRetry: boolean;
  /** URLs whose playing failed: they get a link instead. */
  unplayable: ReadonlySet<string>;
  origins: readonly string[];
  extendPrice: number | null;
  canOpen: boolean;
  form: "closed" | "open" | "sending";
  formFault: string | null;
  copied: boolean;
  bareLink: string | null;
}

/** What a person can do. */
export interface Acts {
  choose(part: number): void;
  toggleForm(open: boolean): void;
  extend(prompt: string): void;
  copy(url: string): void;
  open(url: string): void;
  cannotPlay(url: string): void;
  retry(): void;
}

/** The parts of the card that live on between two drawings. */
export class Card {
  private film: { url: string; box: HTMLElement } | null = null;
  private readonly text = make("textarea");
  private clockText: HTMLElement | null = null;

  constructor(private readonly root: HTMLElement, private readonly acts: Acts) {
    this.text.id = "next";
    this.text.rows = 2;
    this.text.maxLength = 2000;
    this.text.placeholder = "The camera slowly zooms out, rain begins";
    this.text.dataset["name"] = "next";
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Escape") acts.toggleForm(false);
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.submit();
    });
  }

  /** Draws `face`; what had the keyboard's focus has it afterwards, when it is still there. */
  draw(face: Face, elapsed: number): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset["name"];
    const task = face.parts[face.chosen];
    this.clockText = null;
    const pieces = task === undefined ? this.before(face) : this.about(task, face, elapsed);
    keep(this.root, pieces);
    this.root.setAttribute("aria-busy", String(task !== undefined ? working(task) : face.refusal === null));
    if (focused !== undefined && document.activeElement === document.body) {
      this.root.querySelector<HTMLElement>(`[data-name="${focused}"]`)?.focus();
    }
  }

  /** Moves the clock on, without drawing anew. */
  tick(elapsed: number): void {
    if (this.clockText !== null) this.clockText.textContent = clock(elapsed);
  }

  focusForm(): void {
    this.text.focus();
  }

  clearForm(): void {
    this.text.value = "";
  }

  private before(face: Face): HTMLElement[] {
    this.film = null;
    if (face.refusal !== null) {
      const top = make("div", "top", make("span", "status refused", "No video was started"));
      return [make("div", "body", top, ...promptLine(face.prompt), make("p", "say", face.refusal))];
    }
    const top = make("div", "top", make("span", "status working", "Sending"));
    return [make("div", "body", top, ...promptLine(face.prompt))];
  }

  private about(task: Task, face: Face, elapsed: number): HTMLElement[] {
    const url = task.status === "completed" ? webAddress(task.video_urls?.[0]) : null;
    const playable = url !== null && allowed(url, face.origins) && !face.unplayable.has(url.href);
    const pieces: HTMLElement[] = [];
    if (playable) pieces.push(this.player(url.href, task));
    else this.film = null;
    if (working(task)) pieces.push(this.stage(task, elapsed));
    const top = make("div", "top", make("span", `status ${working(task) ? "working" : task.status}`, word(task.status)));
    if (task.sandbox === true) {
      const badge = make("span", "sandbox", "SANDBOX");
      badge.title = "Drawn without an AI model; no real credits";
      top.append(badge);
    }
    const body = make("div", "body", top, ...promptLine(task.prompt), facts(task), ...this.outcome(task, url, playable));
    if (face.parts.length > 1) body.append(this.chain(face));
    if (url !== null) body.append(this.buttons(url.href, face));
    if (face.bareLink !== null) body.append(bareLink(face.bareLink));
    if (url !== null && face.form !== "closed" && face.extendPrice !== null) body.append(this.form(face, face.extendPrice));
    if (face.note !== null) body.append(this.noteLine(face.note, face.canRetry));
    return [...pieces, body];
  }

  private player(url: string, task: Task): HTMLElement {
    if (this.film?.url === url) return this.film.box;
    const video = make("video");
    video.controls = true;
    video.playsInline = true;
    video.preload = "metadata";
    video.classList.toggle("tall", task.aspect_ratio === "9:16");
    video.setAttribute("aria-label", `Video: ${task.prompt}`);
    video.dataset["name"] = "video";
    // Blocked by the host's policy, gone, or not a format of this browser: in every case the link is what is left.
    video.addEventListener("error", () => this.acts.cannotPlay(url));
    video.src = url;
    this.film = { url, box: make("div", "film", video) };
    return this.film.box;
  }

  private stage(task: Task, elapsed: number): HTMLElement {
    const time = make("span", "clock", clock(elapsed));
    time.setAttribute("role", "timer");
    this.clockText = time;
    return make("div", "stage", time, make("small", "", task.progress === undefined ? "so far" : `progress ${task.progress}`));
  }

  private outcome(task: Task, url: URL | null, playable: boolean): HTMLElement[] {
    switch (task.status) {
      case "completed":
        if (playable) return [];
        return [make("p", "say", url === null ? "The API named no video address." : `The video is at ${url.host}; it cannot be played here.`)];
      case "failed":
      case "refused":
        return [make("p", "say bad", task.error?.message || "No reason was given.")];
      case "unknown":
        return [make("p", "say odd", `Nobody knows whether this request was taken. It was not sent again. ${task.error?.message ?? ""}`.trim())];
      default:
        return [];
    }
  }

  private chain(face: Face): HTMLElement {
    const row = make("nav", "row");
    row.setAttribute("aria-label", "Parts");
    face.parts.forEach((_, part) => {
      const button = this.button(`Part ${part + 1}`, `part-${part}`, () => this.acts.choose(part));
      button.setAttribute("aria-current", String(part === face.chosen));
      row.append(button);
    });
    return row;
  }

  private buttons(url: string, face: Face): HTMLElement {
    const row = make("div", "row");
    if (face.extendPrice !== null && face.form === "closed") {
      row.append(this.button("Extend", "extend", () => this.acts.toggleForm(true), "main"));
    }
    row.append(this.button(face.copied ? "Copied" : "Copy link", "copy", () => this.acts.copy(url)));
    if (face.canOpen) row.append(this.button("Open", "open", () => this.acts.open(url)));
    return row;
  }

  private form(face: Face, price: number): HTMLElement {
    const sending = face.form === "sending";
    this.text.disabled = sending;
    const label = make("label", "", "What happens next?");
    label.htmlFor = this.text.id;
    const send = this.button(sending ? "Sending…" : `Extend for about ${price} credits`, "send", () => this.submit(), "main");
    send.disabled = sending;
    const back = this.button("Cancel", "cancel", () => this.acts.toggleForm(false));
    back.disabled = sending;
    const fault = make("p", "say bad", face.formFault ?? "");
    fault.setAttribute("role", "alert");
    // Not a <form>: a frame that may not submit forms, as some hosts make it, does not even tell that one was sent.
    const form = make("div", "form", label, this.text, ...(face.formFault === null ? [] : [fault]), make("div", "row", send, back));
    form.setAttribute("role", "group");
    form.setAttribute("aria-label", "Extend the video");
    return form;
  }

  private submit(): void {
    const prompt = this.text.value.trim();
    if (prompt === "") this.text.focus();
    else if (!this.text.disabled) this.acts.extend(prompt);
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

function facts(task: Task): HTMLElement {
  const took = working(task) ? [] : [`took ${clock(task.elapsed_seconds)}`];
  const known = [task.extends === undefined ? task.mode : "extension", task.aspect_ratio, task.resolution].filter((part) => part !== undefined);
  return make("p", "facts", ...[money(task), ...known, ...took].map((fact) => make("span", "", fact)));
}

function bareLink(url: string): HTMLElement {
  const field = make("input");
  field.readOnly = true;
  field.value = url;
  field.dataset["name"] = "link";
  field.setAttribute("aria-label", "The video's address");
  field.addEventListener("focus", () => field.select());
  return field;
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
