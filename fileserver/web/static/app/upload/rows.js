/** One upload as a row of the panel: its name, how far it is, and what can be done about it. */

import { html, icon, nothing } from "../core/html.js";
import { hrefOf, navigate } from "../core/router.js";
import { say, size } from "../core/say.js";
import strings from "../../strings/upload.js";
import { folderOf, leafOf } from "./names.js";
import { cancel, hasEnded, pause, resume } from "./queue.js";
import { recover } from "./unfinished.js";

const MOST = 60; // a folder of many thousands is not a list that anybody reads

/** What a person can do something about stands first, then what goes on. @type {Record<UploadState, number>} */
const ORDER = {
  asking: 0,
  checking: 3,
  failed: 1,
  lost: 2,
  sending: 3,
  resting: 3,
  paused: 4,
  waiting: 5,
  skipped: 6,
  done: 6,
};

/** The rows that are seen, of all. @param {readonly UploadItem[]} uploads */
export function shownRows(uploads) {
  if (uploads.length <= 6) return [...uploads]; // all are seen at once: nothing has to move
  /** @type {UploadItem[][]} */
  const ranks = Array.from({ length: 7 }, () => []);
  for (const item of uploads) ranks[ORDER[item.state]].push(item);
  ranks[6].reverse(); // the latest first
  return ranks.flat().slice(0, MOST);
}

/** @param {UploadItem} item */
export function rowOf(item) {
  const name = leafOf(item.key);
  const share = item.size ? Math.min(item.sent / item.size, 1) : 0;
  const isMoving = ["sending", "resting", "paused"].includes(item.state);
  return html`<li class=${`upload-row is-${item.state}`}>
    <div class="upload-words">
      ${item.state === "done" ? linkTo(item, name) : html`<span class="upload-name" title=${item.key}>${name}</span>`}
      <small>${statusOf(item)}</small>
      ${
        isMoving
          ? html`<div
              class="meter"
              role="progressbar"
              aria-label=${name}
              aria-valuemin="0"
              aria-valuemax="100"
              aria-valuenow=${Math.floor(share * 100)}
            >
              <i .style=${`--value: ${share}`}></i>
            </div>`
          : nothing
      }
    </div>
    ${actionsOf(item, name)}
  </li>`;
}

/** @param {UploadItem} item @param {string} name */
function linkTo(item, name) {
  const isFolder = item.key.endsWith("/");
  const place = isFolder ? { folder: item.key } : { folder: folderOf(item.key), view: name };
  const go = (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    navigate(place);
  };
  return html`<a class="upload-name" href=${hrefOf(place)} title=${item.key} @click=${go}>${name}</a>`;
}

/** @param {UploadItem} item */
function statusOf(item) {
  const values = { sent: size(item.sent), size: size(item.size), folder: leafOf(folderOf(item.key)) || strings.root };
  if (item.state === "failed" || item.state === "resting") return item.fault;
  if (item.state === "paused" || item.state === "sending") return say(strings[item.state], values);
  if (item.state === "lost") return item.handle ? strings.needsLeave : strings.needsFile;
  return say(strings[item.state], values);
}

/** @param {UploadItem} item @param {string} name */
function actionsOf(item, name) {
  if (item.state === "done") return sign(item);
  return html`${mainAction(item, name)}
  ${action(say(hasEnded(item) ? strings.dismiss : strings.cancel, { name }), "x", () => cancel([item]))}`;
}

/** @param {UploadItem} item */
function sign({ isVerified }) {
  const title = isVerified ? strings.verifiedWhy : strings.stored;
  return html`<span class="upload-sign" title=${title}>${icon(isVerified ? "shield-check" : "check", title)}</span>`;
}

/** @param {UploadItem} item @param {string} name */
function mainAction(item, name) {
  switch (item.state) {
    case "waiting":
    case "sending":
      return action(say(strings.pause, { name }), "pause", () => pause(item));
    case "paused":
      return action(say(strings.resume, { name }), "play", () => resume(item));
    case "resting":
      return action(say(strings.tryNow, { name }), "refresh-cw", () => resume(item));
    case "lost":
      return worded(item.handle ? strings.goOn : strings.choose, name, () => recover(item));
    case "failed":
      return item.file || item.handle ? worded(strings.retry, name, () => resume(item)) : nothing;
    default:
      return nothing;
  }
}

/** @param {string} label @param {string} drawing @param {() => void} run */
function action(label, drawing, run) {
  return html`<button class="icon-button" aria-label=${label} title=${label} @click=${run}>${icon(drawing)}</button>`;
}

/** @param {string} words @param {string} name @param {() => void} run */
function worded(words, name, run) {
  return html`<button class="button" aria-label=${`${words}: ${name}`} @click=${run}>${words}</button>`;
}
