/** The elements of a grid's rows, which are made once and filled again and again. */

import { isSingle, isWithin, rangeOf } from "./range.js";

const LONGEST = 300; // characters of a value that are shown: more would not be seen
const NUMBER = /^(int|float|decimal)/;

/**
 * Show a value; `values` is undefined while the row is not here.
 *
 * @param {import("./grid.js").Grid} grid
 * @param {Element} element
 * @param {readonly (string | null)[] | undefined} values
 * @param {import("./range.js").Cell} cell
 */
export function fillCell(grid, element, values, { row, column }) {
  const value = values?.[column];
  const { active } = grid.picked;
  const isIn = isWithin(rangeOf(grid.picked), row, column);
  element.id = grid.cellId(row, column);
  element.ariaColIndex = String(column + 2);
  element.ariaSelected = String(isIn);
  element.textContent = value ? shown(value) : "";
  element.classList.toggle("is-coming", values === undefined);
  element.classList.toggle("is-blank", value === "");
  element.classList.toggle("is-active", row === active.row && column === active.column);
  element.classList.toggle("is-picked", isIn && !isSingle(grid.picked));
  element.classList.toggle("is-number", NUMBER.test(grid.wishes.typeOf?.(column) ?? ""));
}

/** Line breaks and tabs as signs, for a row has one line. @param {string} value */
function shown(value) {
  const short = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  return short.replace(/\r\n|\r|\n/g, "↵").replaceAll("\t", "⇥");
}

export function emptyRow() {
  const row = made("div", "table-row");
  const [gutter, cells] = [made("div", "table-number"), made("div", "table-cells")];
  row.role = "row";
  Object.assign(gutter, { role: "rowheader", ariaColIndex: "1" });
  cells.role = "presentation";
  row.append(gutter, cells);
  return row;
}

export function emptyCell() {
  const cell = made("div", "table-cell");
  cell.role = "gridcell";
  return cell;
}

/** Words for screen readers alone. @param {string} text */
export function unseen(text) {
  const element = made("span", "unseen");
  element.textContent = text;
  return element;
}

/** @param {string} name @param {string} className */
export function made(name, className) {
  const element = document.createElement(name);
  element.className = className;
  return element;
}
