/** Small pictures of files: asked for when they have been in sight for a moment, a few at a time; a drawing until then. */

import { href } from "../core/api.js";
import { env } from "../core/env.js";
import { iconElement } from "../core/html.js";
import { iconOf, kindOf } from "../core/kinds.js";

const AT_ONCE = 6;
const WIDTH = 320; // px: twice what a tile is wide

/** @type {Map<HTMLElement, Row>} */
const waiting = new Map();
let running = 0;

const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const holder = /** @type {HTMLElement & {row?: Row}} */ (target);
      if (isIntersecting && holder.row) waiting.set(holder, holder.row);
      else waiting.delete(holder);
    }
    setTimeout(next, 60); // what only flies by is not asked for
  },
  { rootMargin: "100px" },
);

/** Whether a picture can be asked for. @param {Row} row */
export function hasThumbnail(row) {
  return partFor(row) !== null;
}

/** A place for the picture of a file, with its drawing in it. @param {Row} row */
export function thumbnail(row) {
  const holder = /** @type {HTMLElement & {row?: Row}} */ (document.createElement("span"));
  holder.className = "browse-picture";
  holder.append(iconElement(iconOf(row)));
  if (hasThumbnail(row)) {
    holder.row = row;
    observer.observe(holder);
  }
  return holder;
}

function next() {
  for (const [holder, row] of [...waiting]) {
    if (running >= AT_ONCE) return;
    waiting.delete(holder);
    if (holder.isConnected) load(holder, row);
  }
}

/** @param {HTMLElement} holder @param {Row} row */
async function load(holder, row) {
  observer.unobserve(holder);
  running += 1;
  const picture = new Image();
  picture.alt = "";
  picture.decoding = "async";
  picture.draggable = false;
  picture.src = href("media", row.key, { width: WIDTH }, partFor(row) ?? "");
  try {
    await picture.decode();
    holder.replaceChildren(picture);
  } catch {
    holder.classList.add("browse-plain"); // no picture can be made of it: the drawing stays
  } finally {
    running -= 1;
    next();
  }
}

/** @param {Row} row */
function partFor(row) {
  if (!env.hasMedia) return null;
  return { picture: "preview", video: "poster" }[/** @type {string} */ (kindOf(row))] ?? null;
}
