/**
 * A deck: an element that plays a file by the first way that works here. Where one fails midway, the next goes on from
 * the same moment; where the server cannot be reached, it waits until it can.
 */

import { Offline, Problem, ask } from "../core/api.js";
import { streamInto } from "./stream.js";
import { abilitiesOf, isPlaylist, playable } from "./ways.js";

/** @typedef {import("./types").Way} Way @typedef {import("./types").Description} Description */

/**
 * @typedef {object} Listener
 * @property {() => void} onHopeless no way is left
 * @property {() => void} [onChanged] the file is not the one that was described
 * @property {(isWaiting: boolean) => void} [onWaiting] the server cannot be reached, or can again
 */

const AGAIN_MS = 5000;

export class Deck {
  /** @type {Way[]} */
  #ways = [];
  #index = -1;
  /** The second to begin at, until the element is there. */
  #wanted = 0;
  /** @type {number | null} */
  #sound = null;
  #isToPlay = true;
  /** Counts what was loaded: an answer that comes after something else was asked for is dropped. */
  #turn = 0;
  /** @type {import("./stream.js").Hls | null} */
  #hls = null;
  #ending = new AbortController();
  #timer = 0;
  #isWaiting = false;

  /** @param {HTMLMediaElement} element @param {Listener} listener */
  constructor(element, listener) {
    this.element = element;
    this.listener = listener;
    const { signal } = this.#ending;
    element.addEventListener("error", () => void (element.error && !this.#hls && this.#failed()), { signal });
    element.addEventListener("play", () => (this.#isToPlay = true), { signal });
    element.addEventListener("pause", () => this.#paused(), { signal });
    element.addEventListener("loadedmetadata", () => this.#arrived(), { signal });
    addEventListener("online", () => this.#isWaiting && this.again(), { signal });
  }

  /** The way that is taken, null before the first and after the last. */
  get way() {
    return this.#ways[this.#index] ?? null;
  }

  /**
   * Play a file, at a second and with a track of sound of one's own; `sound` counts those that HLS has.
   *
   * @param {Way[]} ways @param {{start?: number, sound?: number | null, isPlaying?: boolean}} [wishes]
   */
  load(ways, { start = 0, sound = null, isPlaying = true } = {}) {
    this.#ways = playable(ways, abilitiesOf(this.element));
    this.#sound = sound;
    this.#isToPlay = isPlaying;
    const streams = this.#ways.findIndex(({ href }) => isPlaylist(href));
    this.#take(sound === null || streams < 0 ? 0 : streams, start);
  }

  /** Whether somebody may choose among several tracks of sound. */
  get hasStream() {
    return this.#ways.some(({ href }) => isPlaylist(href));
  }

  /** Play another track of sound. @param {number} sound */
  choose(sound) {
    this.#sound = sound;
    if (this.#hls) this.#hls.audioTrack = sound;
    else if (isPlaylist(this.way?.href ?? "")) choosePlatform(this.element, sound);
    else {
      this.#take(
        Math.max(
          0,
          this.#ways.findIndex(({ href }) => isPlaylist(href)),
        ),
        this.#now(),
      );
    }
  }

  /** Try the same way once more, where it was. */
  again() {
    this.#wait(false);
    this.#take(this.#index, this.#now());
  }

  /** Let go of the file and of the element. */
  close() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#ending.abort();
    this.#release();
    this.element.removeAttribute("src");
    this.element.load();
  }

  #now() {
    return this.element.currentTime || this.#wanted;
  }

  /** @param {number} index @param {number} start */
  #take(index, start) {
    this.#turn += 1;
    this.#release();
    this.#index = index;
    this.#wanted = start;
    const way = this.way;
    if (!way) return this.listener.onHopeless();
    if (isPlaylist(way.href) && globalThis.MediaSource) void this.#stream(way, start);
    else this.element.src = way.href;
    if (this.#isToPlay) play(this.element);
  }

  /** @param {Way} way @param {number} start */
  async #stream(way, start) {
    const turn = this.#turn;
    const isNow = () => turn === this.#turn;
    const onEnd = () => void (isNow() && this.#failed());
    try {
      const hls = await streamInto(this.element, way.href, { start, sound: this.#sound, onEnd });
      if (!isNow()) return hls.destroy();
      this.#hls = hls;
      if (this.#isToPlay) play(this.element);
    } catch {
      onEnd(); // the library could not be fetched
    }
  }

  /** An element that fails pauses too, and nobody wanted that. */
  #paused() {
    if (this.element.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !this.element.error) this.#isToPlay = false;
  }

  #arrived() {
    const isAsked = this.element.currentTime > 0; // somebody was faster
    if (!this.#hls && this.#wanted > 0 && !isAsked) this.element.currentTime = this.#wanted;
    if (!this.#hls && this.#sound !== null) choosePlatform(this.element, this.#sound);
  }

  /** What failed tells little: the server knows whether the file is there, and whether it is itself. */
  async #failed() {
    const turn = this.#turn;
    const at = this.#now();
    const trouble = await troubleWith(this.way?.href ?? "");
    if (turn !== this.#turn) return;
    this.#wanted = at;
    if (trouble === "away") return this.#wait(true);
    if (trouble === "changed" && this.listener.onChanged) return this.listener.onChanged();
    this.#take(this.#index + 1, at);
  }

  /** @param {boolean} isWaiting */
  #wait(isWaiting) {
    clearTimeout(this.#timer);
    if (isWaiting) this.#timer = setTimeout(() => this.again(), AGAIN_MS);
    if (isWaiting !== this.#isWaiting) this.listener.onWaiting?.(isWaiting);
    this.#isWaiting = isWaiting;
  }

  #release() {
    this.#hls?.destroy();
    this.#hls = null;
  }
}

/** Begin to play, if the browser lets us: before the first touch of a page it may not. @param {HTMLMediaElement} element */
export function play(element) {
  element.play().catch(() => {}); // what cannot be played tells so by its error
}

/** @param {string} href @returns {Promise<"away" | "changed" | "unplayable">} */
async function troubleWith(href) {
  try {
    await ask(href, { method: "HEAD" });
    return "unplayable";
  } catch (error) {
    if (error instanceof Offline) return "away";
    const status = error instanceof Problem ? error.status : 0;
    if (status === 404 || status === 410) return "changed";
    return status === 429 || status >= 502 ? "away" : "unplayable";
  }
}

/** Safari chooses among tracks itself. @param {any} element @param {number} sound */
function choosePlatform(element, sound) {
  const tracks = element.audioTracks;
  for (let index = 0; index < (tracks?.length ?? 0); index += 1) tracks[index].enabled = index === sound;
}
