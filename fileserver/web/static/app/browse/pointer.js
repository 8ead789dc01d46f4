/** Mouse and finger on rows: a click opens, with Ctrl or Shift it selects; a long press begins to select, taps add. */

import { openMenu } from "../core/menu.js";
import { actionsFor, open } from "./actions.js";
import { elementOf, rowAt } from "./lines.js";
import { meant, selectTo, selection, toggle } from "./selection.js";

const LONG_MS = 450;
const STILL_PX = 10; // a finger that moves further scrolls

let isTouch = false;
let isHeld = false;
let timer = 0;
let start = { x: 0, y: 0 };

/** @param {HTMLElement} grid */
export function startPointer(grid) {
  grid.addEventListener("pointerdown", pressed);
  grid.addEventListener("pointermove", (event) => {
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL_PX) clearTimeout(timer);
  });
  for (const type of ["pointerup", "pointercancel"]) grid.addEventListener(type, () => clearTimeout(timer));
  grid.addEventListener("click", clicked);
  grid.addEventListener("contextmenu", asked);
}

/** Whether the last touch of the page was a finger's. */
export function isByFinger() {
  return isTouch;
}

/** @param {PointerEvent} event */
function pressed(event) {
  isTouch = event.pointerType === "touch";
  isHeld = false;
  clearTimeout(timer);
  const row = rowAt(event.target);
  if (!isTouch || !row) return;
  start = { x: event.clientX, y: event.clientY };
  timer = setTimeout(() => {
    isHeld = true;
    toggle(row.key);
    navigator.vibrate?.(10);
  }, LONG_MS);
}

/** @param {MouseEvent} event */
function clicked(event) {
  const row = rowAt(event.target);
  const target = /** @type {Element} */ (event.target);
  if (!row) return;
  if (target.closest("input")) return boxClicked(event, row);
  if (target.closest(".browse-box")) return; // its box is clicked next
  const button = target.closest("button");
  if (button) return menuFor(row, /** @type {HTMLElement} */ (button));
  event.preventDefault();
  if (!isHeld) chosen(event, row);
}

/** @param {MouseEvent} event @param {Row} row */
function chosen(event, row) {
  const isAdding = event.ctrlKey || event.metaKey;
  if (event.shiftKey) selectTo(row.key, { isAdding });
  else if (isAdding || (isTouch && selection.keys.size)) toggle(row.key);
  else return open(row);
  elementOf(row.key)?.focus({ preventScroll: true });
}

/** @param {MouseEvent} event @param {Row} row */
function boxClicked(event, row) {
  if (event.shiftKey && selection.anchor) selectTo(row.key, { isAdding: true });
  else toggle(row.key);
}

/** @param {PointerEvent | MouseEvent} event */
function asked(event) {
  const row = rowAt(event.target);
  if (!row || event.shiftKey) return; // with Shift the browser's own menu opens
  event.preventDefault();
  if (isTouch) return;
  const isByKey = event.clientX === 0 && event.clientY === 0;
  menuFor(row, isByKey ? (elementOf(row.key) ?? null) : { x: event.clientX, y: event.clientY });
}

/** The menu of a row, or of all that are selected where it is one of them. @param {Row} row @param {HTMLElement | {x: number, y: number} | null} at */
export function menuFor(row, at) {
  selection.active = row.key;
  if (at) openMenu(at, actionsFor(meant(row), "menu"), { label: row.name });
}
