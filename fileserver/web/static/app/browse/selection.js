/** Which rows are selected, and where the keyboard is. Rows are known by key: they outlive sorting and changes. */

import { emit } from "../core/bus.js";
import { placeOfKey, rowOf, shelf } from "./shelf.js";

export const selection = {
  /** @type {Set<string>} */
  keys: new Set(),
  /** the row that has the focus, or would have it @type {string | null} */
  active: null,
  /** where a range begins @type {string | null} */
  anchor: null,
};

/** The rows that are selected, in the order they are shown. @returns {Row[]} */
export function selected() {
  return shelf.shown.filter((row) => selection.keys.has(row.key));
}

/** The rows that something is to be done with: those selected where `row` is one of them, else it alone. @param {Row} row */
export function meant(row) {
  return selection.keys.has(row.key) ? selected() : [row];
}

/** Have the keyboard at a row, or at the first. @param {string | null} key */
export function activate(key) {
  selection.active = key ?? shelf.shown[0]?.key ?? null;
  changed();
}

/** @param {Iterable<string>} keys */
export function selectOnly(keys) {
  selection.keys = new Set(keys);
  changed();
}

/** @param {string} key */
export function toggle(key) {
  if (!selection.keys.delete(key)) selection.keys.add(key);
  selection.anchor = selection.active = key;
  changed();
}

/** Select from where the range begins to a row. @param {string} key @param {{isAdding?: boolean}} [options] */
export function selectTo(key, { isAdding = false } = {}) {
  const from = Math.max(0, placeOfKey(selection.anchor ?? selection.active));
  const to = placeOfKey(key);
  const range = shelf.shown.slice(Math.min(from, to), Math.max(from, to) + 1).map((row) => row.key);
  selection.keys = new Set([...(isAdding ? selection.keys : []), ...range]);
  selection.anchor = shelf.shown[from]?.key ?? key;
  selection.active = key;
  changed();
}

export function selectAll() {
  selectOnly(shelf.shown.map((row) => row.key));
}

export function selectNone() {
  selection.anchor = null;
  if (selection.keys.size) selectOnly([]);
}

/** Forget rows that are there no more, and all of them where another folder is shown. */
export function prune() {
  const left = [...selection.keys].filter((key) => rowOf(key));
  if (left.length < selection.keys.size) selectOnly(left);
}

function changed() {
  emit("selection", selection.keys.size);
}
