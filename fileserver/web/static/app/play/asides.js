/** What a player says beside the pictures: where it went on, what comes next, what a key did, why it cannot play. */

import strings from "../../strings/play.js";
import { href } from "../core/api.js";
import { html, icon, nothing, render } from "../core/html.js";
import { announce } from "../core/notice.js";
import { clock, say } from "../core/say.js";
import { copy, playListOf } from "./controls.js";

/** @typedef {import("./types").Description} Description */

const CHIP_MS = 8000;
const FLASH_MS = 700;
const COUNTDOWN_S = 8;

/** Tell that a film went on where it was left, with the way back to its beginning. @param {HTMLElement} stage @param {number} at @param {() => void} startOver @param {AbortSignal} signal */
export function resumed(stage, at, startOver, signal) {
  const chip = added(stage, "play-chip");
  const timer = setTimeout(() => chip.remove(), CHIP_MS);
  const text = say(strings.resumed, { time: clock(at) });
  const run = () => {
    clearTimeout(timer);
    chip.remove();
    startOver();
  };
  render(html`<span>${text}</span><button class="button quiet" @click=${run}>${strings.startOver}</button>`, chip);
  announce(text);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

/** Show for a moment what a key or a tap did. @param {HTMLElement} stage */
export function flasher(stage) {
  const element = added(stage, "play-flash");
  element.setAttribute("aria-hidden", "true");
  let timer = 0;
  return (/** @type {string} */ text) => {
    clearTimeout(timer);
    element.textContent = text;
    element.classList.add("is-shown");
    timer = setTimeout(() => element.classList.remove("is-shown"), FLASH_MS);
    announce(text);
  };
}

/** Tell what comes next, and begin it unless somebody says no. @param {HTMLElement} stage @param {Row} next @param {() => void} go @param {AbortSignal} signal */
export function comingUp(stage, next, go, signal) {
  const card = added(stage, "play-coming");
  let left = COUNTDOWN_S;
  const end = () => {
    clearInterval(timer);
    card.remove();
  };
  const now = () => {
    end();
    go();
  };
  const show = () =>
    render(
      html`<p class="play-coming-when">${say(strings.nextIn, { count: left })}</p>
        <p class="play-coming-name"><bdi>${next.name}</bdi></p>
        <footer>
          <button class="button" @click=${end}>${strings.cancel}</button>
          <button class="button main" @click=${now}>${icon("play")}${strings.playNow}</button>
        </footer>`,
      card,
    );
  const timer = setInterval(() => {
    left -= 1;
    if (left <= 0) now();
    else show();
  }, 1000);
  show();
  announce(`${strings.next}: ${next.name}`);
  signal.addEventListener("abort", end, { once: true });
  return end;
}

/** Tell that the server is away, while it is. @param {HTMLElement} stage @param {() => void} again */
export function waiting(stage, again) {
  const chip = added(stage, "play-chip");
  chip.setAttribute("role", "status");
  const retry = html`<button class="button quiet" @click=${again}>${strings.tryAgain}</button>`;
  render(html`${icon("wifi-off")}<span>${strings.waiting}</span>${retry}`, chip);
  return chip;
}

/**
 * Why a file does not play here, and what can be done with it. `startOver` is there for one that did play, up to a jump.
 *
 * @param {HTMLElement} place @param {Row} row @param {Description} description @param {(() => void) | null} startOver
 */
export function hopeless(place, row, description, startOver) {
  const reasons = [...new Set(description.playback.flatMap((way) => way.reasons))];
  const codings = description.streams.filter(({ codec_type: type }) => type === "video" || type === "audio");
  const coded = codings.map((track) => track.codec_name).join(", ");
  const title = description.isDamaged ? strings.damaged : startOver ? strings.stuck : strings.hopeless;
  const missing = description.missing ? say(strings.missing, { missing: description.missing }) : "";
  render(
    html`<div class="empty play-hopeless">
      ${icon("circle-alert")}
      <h2>${title}</h2>
      <p>
        ${coded ? say(strings.coded, { coded }) : nothing}
        ${description.isDamaged ? strings.damagedBody : strings.hopelessBody}
      </p>
      ${
        reasons.length || missing
          ? html`<details>
              <summary>${strings.waysTried}</summary>
              <ul>
                ${[...reasons, missing].filter(Boolean).map((reason) => html`<li>${reason}</li>`)}
              </ul>
            </details>`
          : nothing
      }
      <p class="play-choices">
        ${startOver ? html`<button class="button" @click=${startOver}>${icon("play")}${strings.startOver}</button>` : nothing}
        <a class="button main" href=${href("files", row.key, { download: "" })} download
          >${icon("download")}${strings.download}</a
        >
        <a class="button" href=${playListOf(row)}>${icon("external-link")}${strings.openElsewhere}</a>
        <button class="button" @click=${() => void copy(href("files", row.key))}>
          ${icon("link")}${strings.copyLink}
        </button>
      </p>
    </div>`,
    place,
  );
}

/** Something is wrong with the file or the way to it. @param {HTMLElement} place @param {{title: string, body: string, again: (() => void) | null}} told */
export function trouble(place, { title, body, again }) {
  const retry = again ? html`<button class="button main" @click=${again}>${strings.tryAgain}</button>` : nothing;
  render(
    html`<div class="empty">
      ${icon("circle-alert")}
      <h2>${title}</h2>
      <p>${body}</p>
      ${retry}
    </div>`,
    place,
  );
}

/** @param {HTMLElement} stage @param {string} className */
function added(stage, className) {
  const element = document.createElement("div");
  element.className = className;
  stage.append(element);
  return element;
}
