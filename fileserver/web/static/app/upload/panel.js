/** The panel of uploads: how far all are together, and each; at the lower edge, in nobody's way. */

import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { confirm } from "../core/dialog.js";
import { html, icon, nothing, render } from "../core/html.js";
import { announce } from "../core/notice.js";
import { number, rate, say, timeLeft } from "../core/say.js";
import { isPhone } from "../core/viewport.js";
import strings from "../../strings/upload.js";
import { cancel, clear, hasEnded, onUploads, pause, resume, speed, uploads } from "./queue.js";
import { rowOf, shownRows } from "./rows.js";

const EVERY_MS = 200; // often enough to look alive
const LEAVES_MS = 8000; // when nothing is left to say

/** @type {HTMLElement | null} */
let element = null;
let isOpen = !isPhone();
let isDue = false;
let wasBusy = false;
let leaving = 0;

/** Show the panel, if it is not seen. */
export function showPanel() {
  if (element) return;
  element = document.createElement("section");
  element.className = "upload-panel";
  element.setAttribute("aria-label", strings.uploads);
  isOpen = !isPhone();
  document.body.append(element);
  measuring.observe(element);
  drawn();
}

/** How much the panel takes of a phone's lower edge, for what else is there. */
const measuring = new ResizeObserver(() => {
  const height = element && isPhone() ? (element.querySelector("header")?.offsetHeight ?? 0) : 0; // opened it is a sheet
  document.documentElement.style.setProperty("--upload-bar", `${height}px`);
});

onUploads(() => {
  if (isDue || !element) return;
  isDue = true;
  setTimeout(drawn, EVERY_MS);
});

function close() {
  clear();
  if (uploads().length) return;
  const hadFocus = element?.contains(document.activeElement);
  element?.remove(); // measured once more: it has no height any more
  element = null;
  if (hadFocus) document.querySelector("main")?.focus();
}

function drawn() {
  isDue = false;
  if (!element) return;
  if (!uploads().length) return close();
  const counts = counted();
  render(template(counts), element);
  element.style.setProperty("--value", String(counts.share));
  tellEnd(counts);
  if (uploads().some((item) => item.state === "sending" && speed.rate(performance.now()) > 0)) drawAgain();
}

/** The time left changes also while nothing moves. */
function drawAgain() {
  if (isDue) return;
  isDue = true;
  setTimeout(drawn, EVERY_MS * 5);
}

/** @typedef {ReturnType<typeof counted>} Counts */

function counted() {
  const all = uploads();
  const of = (/** @type {UploadState[]} */ ...states) => all.filter((item) => states.includes(item.state)).length;
  const total = all.reduce((sum, item) => sum + item.size, 0);
  const sent = all.reduce((sum, item) => sum + Math.min(item.sent, item.size), 0);
  const open = all.filter((item) => !hasEnded(item)).length;
  const share = total ? sent / total : 1 - open / Math.max(all.length, 1);
  const [busy, stopped] = [of("waiting", "sending", "resting", "checking"), of("paused")];
  return {
    all: all.length,
    open,
    busy,
    stopped,
    lost: of("lost"),
    asking: of("asking"),
    done: of("done"),
    failed: of("failed"),
    total,
    sent,
    share,
  };
}

/** @param {Counts} counts */
function template(counts) {
  const rows = isOpen ? shownRows(uploads()) : [];
  const more = uploads().length - rows.length;
  return html`<header>
      <button class="upload-title" aria-expanded=${String(isOpen)} @click=${toggle}>
        <strong>${titleOf(counts)}</strong>
        <small>${counts.busy ? pace(counts) : nothing}</small>
        ${icon(isOpen ? "chevron-down" : "chevron-up")}
      </button>
      ${
        counts.busy
          ? iconButton(strings.pauseAll, "pause", () => uploads().forEach(pause))
          : counts.stopped
            ? iconButton(strings.resumeAll, "play", () => paused().reverse().forEach(resume))
            : nothing
      }
      ${counts.open ? iconButton(strings.cancelAll, "x", cancelAll) : iconButton(strings.close, "x", close)}
    </header>
    ${
      counts.open
        ? html`<div
            class="meter"
            role="progressbar"
            aria-label=${strings.uploads}
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=${Math.floor(counts.share * 100)}
          >
            <i></i>
          </div>`
        : nothing
    }
    ${
      isOpen
        ? html`<ul>
            ${repeat(rows, (item) => item.id, rowOf)}
            ${more ? html`<li class="upload-more">${say.many(strings.more, more)}</li>` : nothing}
          </ul>`
        : nothing
    }`;
}

/** @param {Counts} counts */
function titleOf({ all, open, busy, stopped, lost, asking, done, failed }) {
  if (busy) return say.many(strings.uploading, all, { done: number(done) });
  if (asking) return say.many(strings.waitingForAnswer, asking);
  if (lost) return say.many(strings.interrupted, lost);
  if (stopped) return say.many(strings.stopped, open);
  if (failed) return say.many(strings.notUploaded, failed);
  return say.many(strings.uploaded, done);
}

/** @param {Counts} counts */
function pace({ share, total, sent }) {
  const now = speed.rate(performance.now());
  const parts = [`${Math.floor(share * 100)}%`];
  if (now) parts.push(rate(now), say(strings.left, { time: timeLeft((total - sent) / now) }));
  return parts.join(" · ");
}

/** @param {string} label @param {string} name @param {() => void} run */
function iconButton(label, name, run) {
  return html`<button class="icon-button" aria-label=${label} title=${label} @click=${run}>${icon(name)}</button>`;
}

function toggle() {
  isOpen = !isOpen;
  drawn();
}

function paused() {
  return uploads().filter((item) => item.state === "paused");
}

async function cancelAll() {
  const open = uploads().filter((item) => !hasEnded(item));
  const title = say.many(strings.cancelTitle, open.length);
  if (await confirm({ title, body: strings.cancelBody, yes: strings.cancelYes, isDangerous: true })) {
    cancel(uploads().filter((item) => !hasEnded(item)));
  }
}

/** Say aloud how it ended, and leave when there is nothing more to see. @param {Counts} counts */
function tellEnd(counts) {
  const isBusy = counts.busy > 0;
  if (wasBusy !== isBusy) announce(titleOf(counts));
  wasBusy = isBusy;
  clearTimeout(leaving);
  if (!counts.open && !counts.failed) leaving = setTimeout(leave, LEAVES_MS);
}

/** Not while somebody looks at it. */
function leave() {
  if (!element || element.matches(":hover, :focus-within")) leaving = setTimeout(leave, LEAVES_MS);
  else close();
}
