/** What people say about a file, as they say it; about a moment of its playing where it plays. */

import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import strings from "../../strings/details.js";
import { messageOf } from "../core/api.js";
import { emit } from "../core/bus.js";
import { confirm } from "../core/dialog.js";
import { env } from "../core/env.js";
import { html, icon, live, nothing, render } from "../core/html.js";
import { notice } from "../core/notice.js";
import { clock, number, say, when, whenExact } from "../core/say.js";
import { momentOf } from "../play/now.js";
import { saidOf } from "./said.js";

/** @import {Comment} from "./said.js" */

const words = strings.comments;
const LONGEST = 4000; // characters, as the server counts them
const NEAR_END = 200;
const NAME = "comments.name";
const BEGUN = { fault: "", isLoaded: false, isPosting: false, isAtTime: true, text: "", isClosed: false };

/** The comments of a file within `place`, until what is answered is called. @param {HTMLElement} place @param {Row} row */
export function openComments(place, row) {
  const state = { ...BEGUN, key: row.key };
  const said = saidOf(row.key, draw);

  async function load() {
    try {
      await said.more();
      Object.assign(state, { fault: "", isLoaded: true });
    } catch (error) {
      state.fault = say(words.failed, { reason: messageOf(error) });
    }
    draw();
  }

  /** @param {SubmitEvent} event */
  async function post(event) {
    event.preventDefault();
    const text = state.text.trim();
    if (!text || lengthOf(text) > LONGEST || state.isPosting) return;
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const author = /** @type {HTMLInputElement} */ (form.elements.namedItem("author")).value.trim();
    localStorage.setItem(NAME, author);
    state.isPosting = true;
    draw();
    try {
      await said.post({ text, author, media_time: state.isAtTime ? playingAt(row.key) : null });
      state.text = "";
    } catch (error) {
      notice(messageOf(error), { kind: "error" });
    }
    state.isPosting = false;
    draw();
  }

  /** @param {Comment} comment */
  async function remove(comment) {
    const { removeTitle: title, removeBody: body, removeYes: yes } = words;
    if (!(await confirm({ title, body, yes, isDangerous: true }))) return;
    await said.remove(comment).catch((error) => notice(messageOf(error), { kind: "error" }));
  }

  function draw() {
    if (state.isClosed) return;
    const form = formOf(state, { post, draw });
    render(
      html`<h3>${words.title}</h3>
        ${listOf(row, { said, state, load, remove })} ${env.mayWrite ? form : nothing}`,
      place,
    );
  }

  load();
  return () => {
    state.isClosed = true;
    said.close();
  };
}

/**
 * @param {Row} row
 * @param {{said: ReturnType<typeof saidOf>, state: {fault: string, isLoaded: boolean}, load: () => void, remove: (comment: Comment) => void}} given
 */
function listOf(row, { said, state, load, remove }) {
  if (state.fault) {
    return html`<p class="fault" role="alert">${state.fault}</p>
      <button class="button" @click=${load}>${words.tryAgain}</button>`;
  }
  if (!state.isLoaded) return html`<div class="skeleton details-waiting"></div>`;
  const all = said.all();
  if (!all.length) return html`<p class="details-none">${env.mayWrite ? words.none : words.noneReadOnly}</p>`;
  const item = (/** @type {Comment} */ comment) => itemOf(row, comment, remove);
  return html`<ol class="details-comments" aria-live="polite">
      ${repeat(all, ({ id }) => id, item)}
    </ol>
    ${said.hasMore() ? html`<button class="button" @click=${load}>${words.earlier}</button>` : nothing}`;
}

/** @param {Row} row @param {Comment} comment @param {(comment: Comment) => void} remove */
function itemOf(row, comment, remove) {
  return html`<li>
    <header>
      <strong><bdi>${comment.author || words.nobody}</bdi></strong>
      <time datetime=${comment.time} title=${whenExact(comment.time)}>${when(comment.time)}</time>
      ${
        env.mayWrite
          ? html`<button
              class="icon-button"
              aria-label=${words.remove}
              title=${words.remove}
              @click=${() => remove(comment)}
            >
              ${icon("trash-2")}
            </button>`
          : nothing
      }
    </header>
    ${placeOf(row, comment)}
    <p><bdi>${comment.text}</bdi></p>
  </li>`;
}

/** What the comment is about, where it is a place in the file. @param {Row} row @param {Comment} comment */
function placeOf({ key }, { media_time: seconds, byte_offset: offset }) {
  if (typeof seconds === "number") {
    const label = say(words.goToTime, { time: clock(seconds) });
    const seek = () => emit("seek", { key, seconds });
    return html`<button class="details-place" aria-label=${label} title=${label} @click=${seek}>
      ${icon("clock")} ${clock(seconds)}
    </button>`;
  }
  if (typeof offset !== "number") return nothing;
  return html`<span class="details-place">${say(words.atByte, { offset: number(offset) })}</span>`;
}

/**
 * @param {{key: string, text: string, isAtTime: boolean, isPosting: boolean}} state
 * @param {{post: (event: SubmitEvent) => void, draw: () => void}} given
 */
function formOf(state, { post, draw }) {
  const typed = (/** @type {Event} */ event) => {
    state.text = /** @type {HTMLTextAreaElement} */ (event.target).value;
    draw();
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    /** @type {HTMLTextAreaElement} */ (event.target).form?.requestSubmit();
  };
  const left = LONGEST - lengthOf(state.text.trim());
  return html`<form class="details-say" @submit=${post}>
    <label class="field"
      ><span>${words.text}</span>
      <textarea
        rows="3"
        .value=${live(state.text)}
        aria-invalid=${left < 0}
        @input=${typed}
        @focus=${draw}
        @keydown=${pressed}
      ></textarea>
    </label>
    ${left < NEAR_END ? html`<p class=${left < 0 ? "fault" : "label"} role="status">${leftOf(left)}</p>` : nothing}
    <label class="field"
      ><span>${words.name}</span>
      <input name="author" maxlength="80" autocomplete="nickname" .defaultValue=${localStorage.getItem(NAME) ?? ""} />
    </label>
    <footer>
      ${timeBox(state, draw)}
      <button class="button main" ?disabled=${state.isPosting || !state.text.trim() || left < 0}>${words.post}</button>
    </footer>
  </form>`;
}

/** @param {{key: string, isAtTime: boolean}} state @param {() => void} draw */
function timeBox(state, draw) {
  const time = playingAt(state.key);
  if (time === null) return nothing;
  const turn = () => {
    state.isAtTime = !state.isAtTime;
    draw();
  };
  return html`<label class="check">
    <input type="checkbox" .checked=${live(state.isAtTime)} @change=${turn} />
    ${say(words.atTime, { time: clock(time) })}
  </label>`;
}

/** @param {number} left */
function leftOf(left) {
  return left < 0 ? say.many(words.tooLong, -left) : say.many(words.left, left);
}

/** Characters are counted as the server does: one for each code point. @param {string} text */
function lengthOf(text) {
  return [...text].length;
}

/** Where somebody is in the film or record, to a tenth of a second; null where it does not play. @param {string} key */
function playingAt(key) {
  const moment = momentOf(key);
  return moment ? Math.round(moment * 10) / 10 : null;
}
