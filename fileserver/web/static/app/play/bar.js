/** The bar of what plays: small at the bottom of the page, and as a sheet with everything in it. */

import strings from "../../strings/play.js";
import { modal } from "../core/dialog.js";
import { html, icon, nothing, render } from "../core/html.js";
import { announce } from "../core/notice.js";
import { say } from "../core/say.js";
import { creditsOf } from "./credits.js";
import { inOrder } from "./order.js";
import { pictureOf } from "./record.js";
import { recall, remember } from "./remembered.js";
import { steps, tick, times, volume } from "./transport.js";
import { waveform } from "./waveform.js";

/** @typedef {import("./types").Description} Description @typedef {import("./types").Credits} Credits */
/** @typedef {{credits: Credits, description: Description | null, signal: AbortSignal}} Shown */

const REPEATS = { off: strings.repeatOff, all: strings.repeatAll, one: strings.repeatOne };

export class Bar {
  /** @type {Shown | null} */
  #shown = null;
  /** @type {HTMLElement | null} */
  #wave = null;
  /** @type {ReturnType<typeof modal> | null} */
  #sheet = null;
  /** @type {HTMLElement | null} */
  #sheetWave = null;
  #ending = new AbortController();
  /** @type {(() => void) | null} */
  #again = null;

  /** @param {HTMLAudioElement} element @param {import("./queue.js").Queue} queue */
  constructor(element, queue) {
    this.element = element;
    this.queue = queue;
    this.root = document.createElement("section");
    this.root.className = "play-queue";
    this.root.setAttribute("aria-label", strings.player);
    document.body.append(this.root);
    element.volume = recall("volume") ?? 1;
    const { signal } = this.#ending;
    for (const name of ["play", "pause", "volumechange", "durationchange"]) {
      element.addEventListener(name, () => this.update(), { signal });
    }
    element.addEventListener(
      "timeupdate",
      () => [this.root, this.#sheet?.element].forEach((each) => tick(each, element)),
      {
        signal,
      },
    );
    element.addEventListener("volumechange", () => remember("volume", element.volume), { signal });
    const sizes = new ResizeObserver(() => makeRoom(this.root.offsetHeight));
    sizes.observe(this.root);
    signal.addEventListener("abort", () => sizes.disconnect(), { once: true });
  }

  /** Show a record; `description` is null until it is known. @param {Row} row @param {Description | null} description @param {AbortSignal} signal */
  show(row, description, signal) {
    const credits = creditsOf(row, description);
    if (description) announce(say(strings.playing, { name: credits.title }));
    this.#shown = { credits, description, signal };
    this.#again = null;
    this.#wave = this.#waveform();
    if (this.#sheet) this.#sheetWave = this.#waveform();
    this.update();
  }

  /** Tell that the server is away. @param {boolean} isWaiting @param {() => void} [again] */
  wait(isWaiting, again = () => this.queue.again()) {
    this.#again = isWaiting ? again : null;
    this.update();
  }

  update() {
    if (this.#ending.signal.aborted || !this.#shown) return;
    render(this.#content(this.#shown), this.root);
    this.#sheet?.update();
  }

  close() {
    this.#ending.abort();
    this.#sheet?.close();
    this.root.remove();
    makeRoom(0);
  }

  #waveform() {
    const { description, signal } = /** @type {Shown} */ (this.#shown);
    const [address, duration] = [description?.waveform ?? null, description?.format?.duration ?? null];
    return waveform(this.element, { label: strings.waveform, href: address, duration, signal });
  }

  /** @param {Shown} shown */
  #content({ credits, description }) {
    const { queue } = this;
    return html`<button
        class="play-queue-record"
        title=${strings.openPlayer}
        aria-haspopup="dialog"
        @click=${() => this.#open()}
      >
        <span class="play-queue-cover">${pictureOf(description?.cover ?? null)}</span>
        <span class="play-queue-names">
          <b><bdi>${credits.title}</bdi></b>
          ${this.#again ? html`<small>${strings.waiting}</small>` : html`<small><bdi>${credits.artist || credits.album}</bdi></small>`}
        </span>
      </button>
      ${this.#again ? html`<button class="button quiet" @click=${this.#again}>${strings.tryAgain}</button>` : nothing}
      <div class="play-queue-main">${steps(this.element, (step) => void this.queue.step(step))}</div>
      ${times(this.element, this.#wave, description?.format?.duration ?? null)}
      <div class="play-queue-more">
        ${this.#habits()} ${volume(this.element)}
        <button
          class="icon-button"
          aria-label=${strings.showQueue}
          title=${strings.showQueue}
          aria-haspopup="dialog"
          @click=${() => this.#open()}
        >
          ${icon("list-music")}
        </button>
      </div>
      <button
        class="icon-button play-queue-close"
        aria-label=${strings.closeQueue}
        title=${strings.closeQueue}
        @click=${() => queue.close()}
      >
        ${icon("x")}
      </button>`;
  }

  #habits() {
    const { isShuffled, repeat } = this.queue.line;
    return html`<button
        class="icon-button"
        aria-label=${strings.shuffle}
        title=${strings.shuffle}
        aria-pressed=${isShuffled}
        @click=${() => this.queue.shuffle()}
      >
        ${icon("shuffle")}
      </button>
      <button
        class="icon-button play-repeat"
        data-repeat=${repeat}
        aria-label=${REPEATS[repeat]}
        title=${REPEATS[repeat]}
        @click=${() => this.queue.repeat()}
      >
        ${icon("repeat")}
      </button>`;
  }

  #open() {
    this.#sheetWave = this.#waveform();
    this.#sheet = modal({
      title: strings.queue,
      className: "play-sheet",
      content: () => this.#whole(),
      onClose: () => (this.#sheet = this.#sheetWave = null),
    });
    this.#sheet.element.querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
  }

  #whole() {
    const { credits, description } = /** @type {Shown} */ (this.#shown);
    const { line } = this.queue;
    return html`<div>
      <div class="play-sheet-now">
        <span class="play-queue-cover">${pictureOf(description?.cover ?? null)}</span>
        <p class="play-queue-names">
          <b><bdi>${credits.title}</bdi></b> <small><bdi>${credits.artist || credits.album}</bdi></small>
        </p>
        ${times(this.element, this.#sheetWave, description?.format?.duration ?? null)}
        <div class="play-sheet-main">
          ${this.#habits()} ${steps(this.element, (step) => void this.queue.step(step))}
        </div>
      </div>
      <ol class="play-list">
        ${inOrder(line).map((row, place) => this.#entry(row, place, place === line.at))}
      </ol>
    </div>`;
  }

  /** @param {Row} row @param {number} place @param {boolean} isNow */
  #entry(row, place, isNow) {
    const label = say(strings.remove, { name: row.name });
    return html`<li aria-current=${isNow ? "true" : nothing}>
      <button class="play-list-name" @click=${() => void this.queue.jump(place)}><bdi>${row.name}</bdi></button>
      <button class="icon-button" aria-label=${label} title=${label} @click=${() => this.queue.drop(place)}>
        ${icon("x")}
      </button>
    </li>`;
  }
}

/** Nothing of the page is under the bar. @param {number} height in pixels */
function makeRoom(height) {
  document.documentElement.style.setProperty("--bottom-bar", `${height}px`);
}
