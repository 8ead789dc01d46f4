/** What is known of the folder shown, and what of it is shown in which order. All else in this room looks here. */

import { comparing, folded, placeOf } from "./order.js";
import { isFew, ordered, orderedNow } from "./ordering.js";

/** @typedef {import("./order.js").Sort} Sort */

const SORT_KEY = "browse-sort";

/** The state of the room; changed by the functions below alone. */
export const shelf = {
  folder: "",
  /** the words searched for, as typed */
  words: "",
  /** all of the folder, by key @type {Map<string, Row>} */
  known: new Map(),
  /** what a search found below the folder, by key @type {Map<string, Row>} */
  found: new Map(),
  /** all of the folder, in order @type {Row[]} */
  sorted: [],
  /** what is shown, in order @type {Row[]} */
  shown: [],
  sort: rememberedSort(),
  /** whether all of the folder is known */
  isWhole: true,
  /** whether a search still goes on */
  isSearching: false,
};

/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {Map<string, number> | null} */
let places = null;
/** @type {WeakMap<Row, string>} */
const foldedNames = new WeakMap();

/** Call back whenever other rows are shown, or in another order. @param {() => void} listener */
export function onShown(listener) {
  listeners.add(listener);
}

/** Begin with a folder. @param {string} folder @param {Row[]} rows @param {{isWhole: boolean}} options */
export function begin(folder, rows, { isWhole }) {
  Object.assign(shelf, { folder, isWhole, words: "", isSearching: false });
  shelf.known = new Map(rows.map((row) => [row.key, row]));
  shelf.found = new Map();
  shelf.sorted = isWhole && isFew(rows) ? orderedNow(rows, shelf.sort) : rows;
  show();
  if (isWhole && !isFew(rows)) arrange();
}

/** Add rows of a listing that is still coming: they are put in order when it is whole. @param {Row[]} rows */
export function extend(rows) {
  const fresh = rows.filter((row) => !shelf.known.has(row.key));
  for (const row of fresh) shelf.known.set(row.key, row);
  shelf.sorted = shelf.sorted.concat(fresh);
  show();
}

/** All rows of the folder are known. @param {Row[]} [rows] what they are, where others were known before */
export async function complete(rows) {
  shelf.isWhole = true;
  if (rows) shelf.known = new Map(rows.map((row) => [row.key, row]));
  await arrange();
}

/** Add rows, or say anew what is known of them. @param {Row[]} rows */
export function put(rows) {
  for (const row of rows) {
    if (shelf.found.has(row.key)) shelf.found.set(row.key, row);
    if (parentOf(row.key) !== shelf.folder) continue;
    const before = shelf.known.get(row.key);
    if (before) shelf.sorted.splice(shelf.sorted.indexOf(before), 1);
    shelf.known.set(row.key, row);
    shelf.sorted.splice(placeOf(shelf.sorted, row, shelf.sort), 0, row);
  }
  show();
}

/** Take rows away, and what was found in them. @param {Iterable<string>} keys */
export function drop(keys) {
  const gone = new Set(keys);
  if (![...gone].some((key) => shelf.known.has(key) || shelf.found.has(key))) return;
  for (const key of gone) {
    shelf.known.delete(key);
    shelf.found.delete(key);
  }
  shelf.sorted = shelf.sorted.filter((row) => !gone.has(row.key));
  show();
}

/** @param {Sort} sort */
export function sortBy(sort) {
  shelf.sort = sort;
  localStorage.setItem(SORT_KEY, JSON.stringify(sort));
  return arrange();
}

/** Show only what has all words in its name. @param {string} words */
export function filterBy(words) {
  if (words === shelf.words) return;
  shelf.words = words;
  shelf.found = new Map();
  show();
}

/** Rows that a search found below the folder. @param {Row[]} rows @param {{isOver?: boolean}} [options] */
export function find(rows, { isOver = false } = {}) {
  for (const row of rows) shelf.found.set(row.key, row);
  shelf.isSearching = !isOver;
  show();
}

/** Where a row is among those shown; -1 where it is not. @param {string | null} key */
export function placeOfKey(key) {
  places ??= new Map(shelf.shown.map((row, place) => [row.key, place]));
  return (key === null ? null : places.get(key)) ?? -1;
}

/** What is known of a file or folder, shown or not. @param {string} key */
export function rowOf(key) {
  return shelf.known.get(key) ?? shelf.found.get(key) ?? null;
}

/** The folder that something is in. @param {string} key */
export function parentOf(key) {
  return key.slice(0, key.lastIndexOf("/", key.length - 2) + 1);
}

async function arrange() {
  const rows = [...shelf.known.values()];
  const sorted = isFew(rows) ? orderedNow(rows, shelf.sort) : await ordered(rows, shelf.sort);
  if (!sorted) return;
  shelf.sorted = sorted.filter((row) => shelf.known.get(row.key) === row); // some may have gone meanwhile
  if (shelf.sorted.length < shelf.known.size) return arrange(); // or come
  show();
}

function show() {
  places = null;
  const words = folded(shelf.words).split(/\s+/).filter(Boolean);
  shelf.shown = words.length
    ? shelf.sorted.filter((row) => words.every((word) => foldedName(row).includes(word)))
    : shelf.sorted;
  if (shelf.found.size) {
    const deeper = [...shelf.found.values()].filter((row) => !shelf.known.has(row.key));
    shelf.shown = shelf.shown.concat(deeper.sort(comparing(shelf.sort)));
  }
  for (const listener of listeners) listener();
}

/** @param {Row} row */
function foldedName(row) {
  const name = foldedNames.get(row) ?? folded(row.name);
  foldedNames.set(row, name);
  return name;
}

/** @returns {Sort} */
function rememberedSort() {
  try {
    return JSON.parse(localStorage.getItem(SORT_KEY) ?? "null") ?? { by: "name", isDown: false };
  } catch {
    return { by: "name", isDown: false };
  }
}
