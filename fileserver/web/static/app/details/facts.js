/** The facts of a file: what the listing tells, what is in it, its checksum, and the ways to have it elsewhere. */

import { ref } from "../../vendor/lit-html/directives/ref.js";
import strings from "../../strings/details.js";
import { env } from "../core/env.js";
import { html, icon, nothing, render } from "../core/html.js";
import { kindOf } from "../core/kinds.js";
import { hrefOf } from "../core/router.js";
import { number, say, size, when, whenExact } from "../core/say.js";
import { notice } from "../core/notice.js";
import { copyText } from "../core/clipboard.js";
import { checksumOf, compute, known } from "./checksum.js";
import { WAYS, lineOf } from "./lines.js";
import { mediaFacts } from "./media.js";

const PLAYED = ["picture", "video", "audio"];
const WAY = "details.way";

/** @typedef {import("./checksum.js").Checksum} Checksum */
/** @typedef {import("./lines.js").Way} Way */
/** @typedef {{checksum: Checksum, media: import("./media.js").Facts | null, way: Way, row: Row}} State `media` is null until it is known */

/** The facts within `place`, until what is answered is called. @param {HTMLElement} place @param {Row} row */
export function openFacts(place, row) {
  const ending = new AbortController();
  const { signal } = ending;
  const way = WAYS.find((each) => each === localStorage.getItem(WAY)) ?? "link";
  /** @type {State} */
  const state = { row, checksum: checksumOf(row), media: isPlayed(row) ? null : [], way };

  function draw() {
    if (!signal.aborted) render(content(state, { computed, chosen }), place);
  }

  function computed() {
    compute(row.key, (checksum) => changed({ checksum }), signal);
  }

  /** @param {Way} now */
  function chosen(now) {
    localStorage.setItem(WAY, now);
    changed({ way: now });
  }

  /** @param {Partial<State>} now */
  function changed(now) {
    Object.assign(state, now);
    draw();
  }

  draw();
  if (row.type === "file") {
    if (!row.sha256) learn(row, state, signal).then(draw, () => {}); // the facts of the listing stand without it
    if (env.hasMedia) {
      mediaOf(row, signal).then(
        (media) => changed({ media }),
        () => changed({ media: [] }),
      );
    }
  }
  return () => ending.abort();
}

/** What the listing did not know. @param {Row} row @param {State} state @param {AbortSignal} signal */
async function learn(row, state, signal) {
  const told = await known(row.key, signal);
  if (told.sha256 && !state.checksum.job) state.checksum = { ...state.checksum, sha256: told.sha256 };
  state.row = { ...state.row, media_type: row.media_type ?? told.media_type };
}

/** @param {Row} row @param {AbortSignal} signal */
async function mediaOf(row, signal) {
  return row.media_type === null || isPlayed(row) ? mediaFacts(row, signal) : [];
}

/** @param {Row} row */
function isPlayed(row) {
  return env.hasMedia && PLAYED.includes(kindOf(row));
}

/** @param {State} state @param {{computed: () => void, chosen: (way: Way) => void}} acts */
function content({ row, checksum, media, way }, { computed, chosen }) {
  const isFile = row.type === "file";
  return html`<dl class="details-facts">${basics(row).map(fact)}</dl>
    ${mediaPart(row, media)} ${isFile ? checksumPart(checksum, computed) : nothing}
    ${linksPart(row, isFile ? way : "link", chosen)}`;
}

/** Room is kept for what is still asked for, so that nothing moves when it comes. @param {Row} row @param {State["media"]} media */
function mediaPart(row, media) {
  if (media?.length === 0) return nothing;
  const waiting = html`<div class="skeleton details-media-waiting" data-kind=${kindOf(row)}></div>`;
  return html`<h3>${strings.media.title}</h3>
    ${media ? html`<dl class="details-facts">${media.map(fact)}</dl>` : waiting}`;
}

/** @param {[string, unknown]} pair */
function fact([name, value]) {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}

/** @param {Row} row @returns {[string, unknown][]} */
function basics(row) {
  const words = strings.facts;
  const folder = row.key.slice(0, row.key.replace(/\/$/, "").lastIndexOf("/") + 1);
  const type = row.media_type?.split(";")[0];
  const kind = type ? say(words.typed, { kind: words.kinds[kindOf(row)], type }) : words.kinds[kindOf(row)];
  const where = html`<a href=${hrefOf({ folder })}><bdi>${folder.replace(/\/$/, "") || words.top}</bdi></a>`;
  return [
    [words.kind, kind],
    ...(row.size === null ? [] : [/** @type {[string, unknown]} */ ([words.size, sizeOf(row.size)])]),
    [
      words.modified,
      html`<time datetime=${row.modified} title=${whenExact(row.modified)}>${when(row.modified)}</time>`,
    ],
    [words.where, where],
  ];
}

/** @param {number} bytes */
function sizeOf(bytes) {
  return bytes < 1000 ? size(bytes) : say(strings.facts.bytes, { size: size(bytes), exact: number(bytes) });
}

/** @param {Checksum} checksum @param {() => void} computed */
function checksumPart({ sha256, job, fault }, computed) {
  const words = strings.checksum;
  return html`<h3>${words.title}</h3>
    ${sha256 ? copied(sha256, words.copy) : nothing} ${job ? progress(job) : nothing}
    ${fault ? html`<p class="fault" role="alert">${fault}</p>` : nothing}
    ${
      sha256 || job
        ? nothing
        : html`<p class="details-unknown">
            ${words.unknown} <button class="button" @click=${computed}>${words.compute}</button>
          </p>`
    }`;
}

/** @param {import("./checksum.js").Job} job */
function progress({ bytes_done: done, bytes_total: total }) {
  const words = strings.checksum;
  const share = total ? done / total : 0;
  const label = total ? say(words.computing, { done: size(done), total: size(total) }) : words.waiting;
  const grow = (/** @type {Element | undefined} */ bar) => {
    /** @type {HTMLElement | undefined} */ (bar)?.style.setProperty("--value", String(share)); // markup may have no style
  };
  return html`<p class="label">${label}</p>
    <div
      class="meter"
      role="progressbar"
      aria-label=${label}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(share * 100)}
    >
      <i ${ref(grow)}></i>
    </div>`;
}

/** @param {Row} row @param {Way} way @param {(way: Way) => void} chosen */
function linksPart(row, way, chosen) {
  const words = strings.links;
  const tab = (/** @type {Way} */ each) =>
    html`<button aria-pressed=${each === way} @click=${() => chosen(each)}>${words[each]}</button>`;
  return html`<h3>${words.title}</h3>
    ${row.type === "file" ? html`<div class="tabs" role="group" aria-label=${words.choose}>${WAYS.map(tab)}</div>` : nothing}
    ${copied(lineOf(row, way), way === "link" ? words.copyLink : words.copyLine)}`;
}

/** A text with a button that copies it. @param {string} text @param {string} label */
function copied(text, label) {
  const { links } = strings;
  const copy = async () => {
    if (await copyText(text)) notice(links.copied);
    else notice(links.notCopied, { kind: "error" });
  };
  return html`<div class="details-copied">
    <code tabindex="0">${text}</code>
    <button class="icon-button" aria-label=${label} title=${label} @click=${copy}>${icon("copy")}</button>
  </div>`;
}
