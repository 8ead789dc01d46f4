/**
 * The rows that can be seen, and a few around them, as elements: however many there are, the document stays small. The
 * window scrolls; what is not there is room above and below.
 */

import { geometry, measure, topOf } from "./geometry.js";
import { mark, rowElement, tileElement } from "./row.js";
import { selection } from "./selection.js";
import { onShown, placeOfKey, shelf } from "./shelf.js";

const BEYOND = 8; // lines drawn outside of the window, on each side

/** @type {HTMLElement} */
let holder;
/** @type {Map<string, HTMLElement>} */
let drawn = new Map();
/** what an element was made of @type {WeakMap<HTMLElement, {row: Row, isGrid: boolean, words: string}>} */
const made = new WeakMap();
let first = 0;
let last = 0;
/** whether the keyboard is in a row that is not drawn */
let isFocusKept = false;

/** Draw into `rows`, and go on doing so. @param {HTMLElement} rows */
export function startLines(rows) {
  holder = rows;
  holder.replaceChildren();
  holder.tabIndex = -1;
  onShown(() => redraw());
  addEventListener("scroll", () => draw(), { passive: true });
  new ResizeObserver(resized).observe(/** @type {Element} */ (holder.parentElement));
  holder.addEventListener("focusin", (event) => {
    if (event.target !== holder) isFocusKept = false;
  });
  holder.addEventListener("focusout", (event) => {
    if (event.target === holder) isFocusKept = false;
  });
}

/** Draw everything anew: other rows, another order, another form. */
export function redraw() {
  const anchor = anchored();
  const hadFocus = holder.contains(document.activeElement);
  measure(holder);
  if (placeOfKey(selection.active) < 0) selection.active = shelf.shown[0]?.key ?? null;
  holder.style.height = `${geometry.lineHeight * lineCount()}px`;
  const count = lineCount() + (geometry.isGrid ? 0 : 1);
  holder.parentElement?.setAttribute("aria-rowcount", shelf.isWhole ? String(count) : "-1");
  forgetStale();
  first = last = -1;
  if (anchor) restore(anchor);
  draw();
  if (hadFocus && !holder.contains(document.activeElement)) focusActive();
}

/** Show anew which rows are selected. */
export function remark() {
  for (const [key, element] of drawn) mark(element, key);
}

/** Have a row in sight; say where it is. @param {string} key */
export function reveal(key) {
  const place = placeOfKey(key);
  if (place < 0) return;
  const line = Math.floor(place / geometry.perLine);
  const top = topOf(line);
  const above = geometry.above + 8;
  const below = innerHeight - geometry.below - geometry.lineHeight;
  if (top - scrollY < above) scrollTo({ top: top - above });
  else if (top - scrollY > below) scrollTo({ top: top - below });
  draw();
}

/** Give the focus to the row where the keyboard is; where it is not drawn, as soon as it is. */
export function focusActive() {
  const row = selection.active ? drawn.get(selection.active) : null;
  (row ?? holder).focus({ preventScroll: true });
  isFocusKept = !row;
}

/** The row that an element is in. @param {EventTarget | null} target @returns {Row | null} */
export function rowAt(target) {
  const element = target instanceof Element ? target.closest("[data-key]") : null;
  if (!element || !holder.contains(element)) return null;
  return shelf.shown[placeOfKey(/** @type {HTMLElement} */ (element).dataset.key ?? "")] ?? null;
}

/** @param {string} key */
export function elementOf(key) {
  return drawn.get(key) ?? null;
}

function lineCount() {
  return Math.ceil(shelf.shown.length / geometry.perLine);
}

function draw() {
  const from = Math.floor((scrollY - geometry.top) / geometry.lineHeight);
  const seen = Math.ceil(innerHeight / geometry.lineHeight);
  if (from >= first + 2 && from + seen <= last - 2) return;
  const nextFirst = Math.max(0, from - BEYOND);
  const nextLast = Math.min(lineCount(), from + seen + BEYOND);
  if (nextFirst === first && nextLast === last) return;
  first = nextFirst;
  last = Math.max(nextLast, nextFirst);
  fill();
}

function fill() {
  const wanted = new Map();
  const lines = [];
  for (let line = first; line < last; line += 1) lines.push(lineElement(line, wanted));
  const focused = document.activeElement;
  const isLost = focused !== holder && holder.contains(focused) && !lines.some((line) => line.contains(focused));
  if (isLost) {
    holder.focus({ preventScroll: true });
    isFocusKept = true;
  }
  drawn = wanted;
  keepOnly(lines);
  holder.style.paddingTop = `${first * geometry.lineHeight}px`;
  if (isFocusKept && selection.active && drawn.has(selection.active)) focusActive();
}

/** Lines that stay are not touched: their focus, and their pictures, are. @param {HTMLElement[]} lines */
function keepOnly(lines) {
  const staying = new Set(lines);
  for (const child of [...holder.children]) if (!staying.has(/** @type {HTMLElement} */ (child))) child.remove();
  let before = holder.firstElementChild;
  for (const line of lines) {
    if (line === before) before = before.nextElementSibling;
    else holder.insertBefore(line, before);
  }
}

/** @param {number} line @param {Map<string, HTMLElement>} wanted */
function lineElement(line, wanted) {
  const rows = shelf.shown.slice(line * geometry.perLine, (line + 1) * geometry.perLine);
  if (!geometry.isGrid) {
    const element = elementFor(rows[0], line);
    element.setAttribute("aria-rowindex", String(line + 2));
    wanted.set(rows[0].key, element);
    return element;
  }
  const tiles = rows.map((row, column) => elementFor(row, line * geometry.perLine + column));
  rows.forEach((row, column) => wanted.set(row.key, tiles[column]));
  const before = tiles[0].parentElement;
  const isSame =
    before?.childElementCount === tiles.length && tiles.every((tile, column) => before.children[column] === tile);
  const element = isSame && before ? before : document.createElement("div");
  element.className = "browse-line";
  element.setAttribute("role", "row");
  element.setAttribute("aria-rowindex", String(line + 1));
  if (!isSame) element.append(...tiles);
  return element;
}

/** What is known of a row may have changed, or the form it is shown in. */
function forgetStale() {
  for (const [key, element] of drawn) {
    const row = shelf.shown[placeOfKey(key)];
    const before = made.get(element);
    const isSame = before?.row === row && before.isGrid === geometry.isGrid && before.words === shelf.words;
    if (!isSame) drawn.delete(key);
  }
}

/** @param {Row} row @param {number} place @returns {HTMLElement} */
function elementFor(row, place) {
  const before = drawn.get(row.key);
  if (before) return before;
  const element = geometry.isGrid ? tileElement(row, place % geometry.perLine) : rowElement(row, place);
  made.set(element, { row, isGrid: geometry.isGrid, words: shelf.words });
  return element;
}

/** The first row in sight and how far it is from the top, when somebody has scrolled. */
function anchored() {
  if (scrollY <= geometry.top) return null;
  const key = [...drawn.keys()].find((each) => (drawn.get(each)?.getBoundingClientRect().top ?? -1) >= geometry.above);
  return key ? { key, top: drawn.get(key)?.getBoundingClientRect().top ?? 0 } : null;
}

/** @param {{key: string, top: number}} anchor */
function restore({ key, top }) {
  const place = placeOfKey(key);
  if (place >= 0) scrollTo({ top: topOf(Math.floor(place / geometry.perLine)) - top, behavior: "instant" });
}

function resized() {
  const { lineHeight, perLine, top } = geometry;
  measure(holder);
  if (lineHeight !== geometry.lineHeight || perLine !== geometry.perLine || top !== geometry.top) redraw();
}
