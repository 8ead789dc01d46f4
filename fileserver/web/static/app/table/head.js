/** The head of a column: its name, its type, and a handle that makes it wider. */

import { say } from "../core/say.js";
import strings from "../../strings/table.js";

/** @typedef {import("./grid.js").Grid} Grid */

/** @param {Grid} grid @param {number} column */
export function headCell(grid, column) {
  const element = document.createElement("div");
  element.className = "table-column";
  element.id = grid.cellId(-1, column);
  Object.assign(element, { role: "columnheader", ariaColIndex: String(column + 2) });
  element.append(nameOf(grid, column), handleOf(grid, column));
  return element;
}

/** @param {Grid} grid @param {number} column */
function nameOf(grid, column) {
  const { onHead, typeOf } = grid.wishes;
  const element = document.createElement(onHead ? "button" : "div");
  element.className = "table-name";
  element.dataset.column = String(column);
  const name = document.createElement("span");
  name.textContent = grid.source.columns()[column] || strings.noName;
  element.title = grid.source.columns()[column];
  const type = document.createElement("small");
  type.textContent = (typeOf?.(column) ?? "").replace(/\(.*/, ""); // decimal(18,2) is a wide word for a narrow column
  element.append(name, type);
  if (onHead) {
    element.setAttribute("aria-haspopup", "dialog");
    element.tabIndex = -1; // reached by the arrow keys, as every cell
    element.addEventListener("click", () => onHead(column, element));
  }
  return element;
}

/** @param {Grid} grid @param {number} column */
function handleOf(grid, column) {
  const handle = document.createElement("div");
  handle.className = "table-handle";
  handle.ariaHidden = "true"; // Alt and the arrow keys do the same
  handle.title = say(strings.resize, { name: grid.source.columns()[column] });
  handle.addEventListener("pointerdown", (event) => drag(grid, column, event));
  handle.addEventListener("dblclick", () => grid.setWidth(column, fitting(grid, column)));
  return handle;
}

/** @param {Grid} grid @param {number} column @param {PointerEvent} event */
function drag(grid, column, event) {
  event.preventDefault();
  event.stopPropagation();
  const width = grid.widths[column] - event.clientX;
  const move = (/** @type {PointerEvent} */ moved) => grid.setWidth(column, width + moved.clientX);
  const stop = new AbortController();
  addEventListener("pointermove", move, { signal: stop.signal });
  for (const type of ["pointerup", "pointercancel"]) {
    addEventListener(type, () => stop.abort(), { signal: stop.signal });
  }
}

/** The width that shows all that is seen of a column. @param {Grid} grid @param {number} column */
function fitting(grid, column) {
  const cells = grid.body.querySelectorAll(`[aria-colindex="${column + 2}"]`);
  const widths = [...cells].map((cell) => /** @type {HTMLElement} */ (cell)).map(naturalWidth);
  return Math.max(...widths, 0) + 1;
}

/** @param {HTMLElement} cell */
function naturalWidth(cell) {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return range.getBoundingClientRect().width + 25;
}
