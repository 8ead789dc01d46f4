/** The keyboard in the listing (WAI-ARIA APG, grid pattern), and the few keys that work everywhere on the page. */

import { route } from "../core/router.js";
import { collator } from "../core/say.js";
import { open } from "./actions.js";
import { geometry } from "./geometry.js";
import { elementOf, focusActive, reveal, rowAt } from "./lines.js";
import { menuFor } from "./pointer.js";
import { activate, meant, selectAll, selectNone, selectTo, selection, toggle } from "./selection.js";
import { placeOfKey, shelf } from "./shelf.js";
import { focusSearch } from "./bar.js";
import { leave } from "./travel.js";

const TYPING_MS = 800; // letters typed faster than that are one beginning

let typed = "";
let typedAt = 0;

/** @param {HTMLElement} grid */
export function startKeys(grid) {
  grid.addEventListener("keydown", (event) => {
    const isInside = /** @type {Element} */ (event.target).closest("input, .browse-heads button, .browse-menu");
    if (!isInside && !event.defaultPrevented && used(event)) event.preventDefault();
  });
  grid.addEventListener("focusin", (event) => {
    const row = rowAt(event.target);
    if (row && row.key !== selection.active) activate(row.key);
  });
  document.addEventListener("keydown", (event) => {
    if (isElsewhere(event) || event.defaultPrevented || !usedAnywhere(event)) return;
    event.preventDefault();
  });
}

/** Whether somebody writes, or is in a dialog or the viewer. @param {KeyboardEvent} event */
function isElsewhere(event) {
  const target = /** @type {Element} */ (event.target);
  if (route().view !== null || document.querySelector("dialog[open], .menu:popover-open")) return true;
  return target.matches("input:not([type=checkbox]), textarea, select, [contenteditable], video, audio");
}

/** The keys that work everywhere on the page. @param {KeyboardEvent} event @returns {boolean} */
function usedAnywhere(event) {
  const press = pressOf(event);
  if (press === "Escape") return selection.keys.size > 0 && done(selectNone);
  const act = { "/": focusSearch, "Shift+?": showKeys, "?": showKeys, "Ctrl+a": selectAll, "Alt+ArrowUp": leave }[
    press
  ];
  if (act) return done(act);
  const isAtNothing = document.activeElement === document.body || document.activeElement === null;
  return isAtNothing && ["ArrowDown", "Home", "End"].includes(press) && done(enter);
}

/** The keys that work on the row with the focus. @param {KeyboardEvent} event @returns {boolean} */
function used(event) {
  const row = shelf.shown[placeOfKey(selection.active)];
  if (!row || event.altKey) return false;
  const next = placeAfter(event, placeOfKey(row.key));
  if (next !== null) return done(() => moveTo(next, event));
  const menu = () => menuFor(row, elementOf(row.key));
  /** @type {Record<string, () => void>} */
  const acts = {
    " ": () => toggle(row.key),
    "Ctrl+ ": () => toggle(row.key),
    "Shift+ ": () => selectTo(row.key),
    Enter: () => open(row),
    Backspace: leave,
    F2: () => changing((all) => all.rename(row)),
    Delete: () => changing((all) => all.remove(meant(row))),
    ContextMenu: menu,
    "Shift+F10": menu,
  };
  const act = acts[pressOf(event)];
  return act ? done(act) : isLetter(event) && done(() => find(event.key));
}

/** A key with what is held down, as one word. @param {KeyboardEvent} event */
function pressOf(event) {
  const held = [event.altKey && "Alt+", (event.ctrlKey || event.metaKey) && "Ctrl+", event.shiftKey && "Shift+"];
  return held.filter(Boolean).join("") + event.key;
}

/** @param {KeyboardEvent} event */
function isLetter(event) {
  return event.key.length === 1 && !event.ctrlKey && !event.metaKey && !"/?".includes(event.key);
}

/** Where an arrow leads; null where the key is none. @param {KeyboardEvent} event @param {number} now */
function placeAfter(event, now) {
  const { isGrid, perLine, lineHeight } = geometry;
  const page = Math.max(1, Math.floor((innerHeight - geometry.above) / lineHeight) - 1) * perLine;
  const steps = { ArrowDown: perLine, ArrowUp: -perLine, PageDown: page, PageUp: -page };
  const sideways = { ArrowLeft: -1, ArrowRight: 1 };
  const last = shelf.shown.length - 1;
  if (event.key === "Home") return 0;
  if (event.key === "End") return last;
  const step = { ...steps, ...(isGrid ? sideways : {}) }[event.key];
  if (step === undefined) return null;
  return Math.min(last, Math.max(0, now + step));
}

/** @param {number} place @param {KeyboardEvent} event */
function moveTo(place, event) {
  const row = shelf.shown[place];
  if (!row) return;
  if (event.shiftKey) selectTo(row.key);
  else activate(row.key);
  if (!event.shiftKey) selection.anchor = row.key;
  reveal(row.key);
  focusActive();
}

/** Go to the next name that begins with what was typed. @param {string} letter */
function find(letter) {
  const now = performance.now();
  typed = now - typedAt < TYPING_MS ? typed + letter : letter;
  typedAt = now;
  const from = placeOfKey(selection.active) + (typed.length === 1 ? 1 : 0);
  const { shown } = shelf;
  for (let step = 0; step < shown.length; step += 1) {
    const row = shown[(from + step) % shown.length];
    if (collator.compare(row.name.slice(0, typed.length), typed) !== 0) continue;
    activate(row.key);
    reveal(row.key);
    return focusActive();
  }
}

function enter() {
  const key = selection.active ?? shelf.shown[0]?.key;
  if (!key) return;
  activate(key);
  reveal(key);
  focusActive();
}

async function showKeys() {
  const { showShortcuts } = await import("./shortcuts.js");
  showShortcuts();
}

/** @param {(module: typeof import("./changing.js")) => void} act */
async function changing(act) {
  act(await import("./changing.js"));
}

/** @param {() => void} act */
function done(act) {
  act();
  return true;
}
