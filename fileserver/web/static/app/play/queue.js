/** Records one after another, that play on while one browses: a bar at the bottom, which a reload brings back. */

import strings from "../../strings/play.js";
import { Offline } from "../core/api.js";
import { notice } from "../core/notice.js";
import "../core/rooms.js";
import { say } from "../core/say.js";
import { Bar } from "./bar.js";
import { creditsOf } from "./credits.js";
import { Deck } from "./deck.js";
import { described } from "./describe.js";
import { enter } from "./now.js";
import { EMPTY, added, current, filled, inOrder, shuffled, sorted, stepped, without } from "./order.js";
import { recall, remember } from "./remembered.js";
import { keepPlace, startOf, stopIn } from "./resume.js";
import { present } from "./session.js";

/** @typedef {import("./types").Line} Line */

const SAVE_MS = 5000;

/** @type {Queue | null} */
let queue = null;

/** Play records one after another, beginning with one of them, at a second of it. @param {Row[]} rows @param {number} [start] @param {number} [at] */
export async function playAll(rows, start = 0, at = 0) {
  if (rows.length) await theQueue().fill(rows, start, at);
}

/** Have records play after those that are there. @param {Row[]} rows */
export function addToQueue(rows) {
  if (!rows.length) return;
  theQueue().add(rows);
  notice(say.many(strings.queued, rows.length));
}

/** Bring back what was there before the page was loaded again. */
export function restoreQueue() {
  const kept = recall("queue", { inTab: true });
  if (!queue && Array.isArray(kept?.line?.rows) && current(kept.line)) theQueue().restore(kept);
}

function theQueue() {
  queue ??= new Queue(() => (queue = null));
  return queue;
}

export class Queue {
  /** @type {Line} */
  #line = { ...EMPTY, ...recall("queue.habits") };
  #ending = new AbortController();
  /** Ends with the record that plays. */
  #turn = new AbortController();
  #failures = 0;
  #savedAt = 0;

  /** @param {() => void} onClose */
  constructor(onClose) {
    this.onClose = onClose;
    this.element = document.createElement("audio");
    this.element.preload = "auto";
    this.bar = new Bar(this.element, this);
    this.deck = new Deck(this.element, {
      onHopeless: () => this.#skipped(),
      onChanged: () => this.#skipped(),
      onWaiting: (isWaiting) => this.bar.wait(isWaiting),
    });
    const { signal } = this.#ending;
    this.element.addEventListener("ended", () => void this.step(1, { isAsked: false }), { signal });
    this.element.addEventListener("playing", () => (this.#failures = 0), { signal });
    this.element.addEventListener("timeupdate", () => Date.now() - this.#savedAt > SAVE_MS && this.#save(), { signal });
    addEventListener("pagehide", () => this.#save(), { signal });
  }

  get line() {
    return this.#line;
  }

  /** @param {Row[]} rows @param {number} start @param {number} at */
  async fill(rows, start, at) {
    this.#line = filled(this.#line, rows, start, Math.random);
    await this.#play({ at, isPlaying: true });
  }

  /** @param {Row[]} rows */
  add(rows) {
    const isIdle = !current(this.#line);
    this.#line = added(this.#line, rows);
    if (isIdle) void this.#play({ at: 0, isPlaying: true });
    else this.#changed();
  }

  /** @param {{line: Line, at: number, isPlaying: boolean}} kept */
  restore({ line, at, isPlaying }) {
    this.#line = { ...EMPTY, ...line };
    void this.#play({ at, isPlaying });
  }

  /** On to the next record, or back: first to the beginning of this one. @param {1 | -1} step @param {{isAsked: boolean}} [how] */
  async step(step, how = { isAsked: true }) {
    if (step < 0 && this.element.currentTime > 3) return void (this.element.currentTime = 0);
    const line = stepped(this.#line, step, how);
    if (!line) return this.element.pause();
    this.#line = line;
    await this.#play({ at: 0, isPlaying: true });
  }

  /** @param {number} place in the order */
  async jump(place) {
    this.#line = { ...this.#line, at: place };
    await this.#play({ at: 0, isPlaying: true });
  }

  /** @param {number} place in the order */
  drop(place) {
    const isNow = place === this.#line.at;
    this.#line = without(this.#line, place);
    if (!this.#line.rows.length) return this.close();
    if (isNow) void this.#play({ at: 0, isPlaying: !this.element.paused });
    else this.#changed();
  }

  shuffle() {
    this.#line = this.#line.isShuffled ? sorted(this.#line) : shuffled(this.#line, Math.random);
    this.#changed();
  }

  repeat() {
    const next = /** @type {const} */ ({ off: "all", all: "one", one: "off" });
    this.#line = { ...this.#line, repeat: next[this.#line.repeat] };
    this.#changed();
  }

  again() {
    this.deck.again();
  }

  close() {
    this.#turn.abort();
    this.#ending.abort();
    this.deck.close();
    this.bar.close();
    remember("queue", null, { inTab: true });
    this.onClose();
  }

  /** Begin with what is the turn of. @param {{at: number, isPlaying: boolean}} how */
  async #play({ at, isPlaying }) {
    const row = current(this.#line);
    if (!row) return;
    this.#turn.abort();
    const turn = (this.#turn = new AbortController());
    this.element.pause();
    this.bar.show(row, null, turn.signal);
    this.#changed();
    try {
      const [description, stop] = await Promise.all([described(row, turn.signal), stopIn(row.key, turn.signal)]);
      if (turn.signal.aborted) return;
      this.#present(row, description, turn.signal);
      const start = at || startOf(stop, "audio", description.format?.duration ?? null);
      this.deck.load(description.playback, { start, isPlaying });
    } catch (error) {
      if (turn.signal.aborted) return;
      if (error instanceof Offline) this.bar.wait(true, () => void this.#play({ at, isPlaying }));
      else this.#skipped();
    }
  }

  /** @param {Row} row @param {import("./types").Description} description @param {AbortSignal} signal */
  #present(row, description, signal) {
    enter(this.element, row.key, signal);
    keepPlace(this.element, row.key, "audio", signal);
    const credits = creditsOf(row, description);
    const [onPrevious, onNext] = [() => void this.step(-1), () => void this.step(1)];
    present(this.element, { credits, artwork: description.cover, onPrevious, onNext }, signal);
    this.bar.show(row, description, signal);
  }

  /** What does not play is left out; when nothing does, it ends. */
  #skipped() {
    const row = current(this.#line);
    this.#failures += 1;
    if (row) notice(say(strings.skipped, { name: row.name }), { kind: "error" });
    if (this.#failures < this.#line.rows.length) return void this.step(1);
    notice(strings.noneLeft, { kind: "error" });
    this.#turn.abort();
    this.element.pause();
  }

  #changed() {
    const { isShuffled, repeat } = this.#line;
    remember("queue.habits", { isShuffled, repeat });
    this.bar.update();
    this.#save();
  }

  #save() {
    this.#savedAt = Date.now();
    const kept = { line: this.#line, at: this.element.currentTime, isPlaying: !this.element.paused };
    if (inOrder(this.#line).length) remember("queue", kept, { inTab: true });
  }
}
