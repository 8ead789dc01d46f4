/** The order of rows: folders first, then by what is asked for, equals by name as people read it. */

import { collator } from "../core/say.js";

/**
 * What an order follows from, in columns: they cross to a worker quickly.
 *
 * @typedef {{names: string[], folders: Uint8Array, values: Float64Array | string[] | null}} Columns
 * @typedef {{by: "name" | "size" | "modified" | "kind", isDown: boolean}} Sort
 */

/** @param {Row[]} rows @param {Sort} sort @returns {Columns} */
export function columnsOf(rows, { by }) {
  return {
    names: rows.map((row) => row.name),
    folders: Uint8Array.from(rows, (row) => Number(row.type === "folder")),
    values: valuesOf(rows, by),
  };
}

/** The places of the rows, one after another as they are shown. @param {Columns} columns @param {boolean} isDown */
export function orderOf(columns, isDown) {
  const order = new Uint32Array(columns.names.length).map((_, index) => index);
  return order.sort(comparison(columns, isDown));
}

/** How two rows are to each other. @param {Sort} sort @returns {(one: Row, other: Row) => number} */
export function comparing(sort) {
  return (one, other) => comparison(columnsOf([one, other], sort), sort.isDown)(0, 1);
}

/** Where a row belongs among those in order. @param {Row[]} sorted @param {Row} row @param {Sort} sort */
export function placeOf(sorted, row, sort) {
  const compare = comparing(sort);
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(sorted[middle], row) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A text as it is searched in: accents and capitals do not count. @param {string} text */
export function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @param {Columns} columns @param {boolean} isDown @returns {(one: number, other: number) => number} */
function comparison({ names, folders, values }, isDown) {
  const sign = isDown ? -1 : 1;
  return (one, other) => {
    if (folders[one] !== folders[other]) return folders[other] - folders[one];
    const byValue = values ? compared(values[one], values[other]) : 0;
    return sign * (byValue || collator.compare(names[one], names[other]) || compared(names[one], names[other]));
  };
}

/** @param {string | number} one @param {string | number} other */
function compared(one, other) {
  return one < other ? -1 : Number(one > other);
}

/** @param {Row[]} rows @param {Sort["by"]} by @returns {Columns["values"]} */
function valuesOf(rows, by) {
  if (by === "size") return Float64Array.from(rows, (row) => row.size ?? -1);
  if (by === "modified") return Float64Array.from(rows, (row) => Date.parse(row.modified) || 0);
  return by === "kind" ? rows.map((row) => row.media_type ?? "") : null;
}
