/** The buttons that every player of records has: back, play, on; the time; the volume. */

import strings from "../../strings/play.js";
import { html, icon, live } from "../core/html.js";
import { clock } from "../core/say.js";
import { toggle } from "./keys.js";

/** Back, play or pause, on. @param {HTMLMediaElement} element @param {(step: 1 | -1) => void} step */
export function steps(element, step) {
  const label = element.paused ? strings.play : strings.pause;
  return html`<button
      class="icon-button play-previous"
      aria-label=${strings.previous}
      title=${strings.previous}
      @click=${() => step(-1)}
    >
      ${icon("skip-back")}
    </button>
    <button class="icon-button play-toggle" aria-label=${label} title=${label} @click=${() => toggle(element)}>
      ${icon(element.paused ? "play" : "pause")}
    </button>
    <button class="icon-button" aria-label=${strings.next} title=${strings.next} @click=${() => step(1)}>
      ${icon("skip-forward")}
    </button>`;
}

/** The line of time between where it is and where it ends; `told` is how long the server says it is. @param {HTMLMediaElement} element @param {unknown} line @param {number | null} told */
export function times(element, line, told) {
  const whole = Number.isFinite(element.duration) ? element.duration : (told ?? 0);
  return html`<div class="play-line">
    <time class="play-time-now" .textContent=${live(clock(element.currentTime))}></time>
    ${line}
    <time>${clock(whole)}</time>
  </div>`;
}

/** Show the time alone: it changes four times a second. @param {ParentNode | null | undefined} place @param {HTMLMediaElement} element */
export function tick(place, element) {
  const now = place?.querySelector(".play-time-now");
  if (now) now.textContent = clock(element.currentTime);
}

/** @param {HTMLMediaElement} element */
export function volume(element) {
  const label = element.muted ? strings.unmute : strings.mute;
  const set = (/** @type {Event} */ event) => {
    element.volume = Number(/** @type {HTMLInputElement} */ (event.target).value);
    element.muted = false;
  };
  const mute = () => (element.muted = !element.muted);
  const now = String(element.muted ? 0 : element.volume);
  return html`<span class="play-volume">
    <button class="icon-button" aria-label=${label} title=${label} @click=${mute}>
      ${icon(element.muted ? "volume-x" : "volume-2")}
    </button>
    <input
      type="range"
      min="0"
      max="1"
      step="0.05"
      aria-label=${strings.volumeLabel}
      .value=${live(now)}
      @input=${set}
    />
  </span>`;
}
