/** Mouse, finger, keys and clipboard on a grid. */

import { notice, announce } from "../core/notice.js";
import { number, say } from "../core/say.js";
import strings from "../../strings/table.js";
import { copyText } from "../core/clipboard.js";
import { cellAfter, clipboardText, isSingle, rangeOf } from "./range.js";

/** @typedef {import("./grid.js").Grid} Grid */

const MOST_COPIED = 10_000; // rows: what a spreadsheet takes from a clipboard without a pause
/** @type {Record<string, number>} */
const WIDER = { ArrowRight: 24, ArrowLeft: -24 }; // pixels, with Alt

/** @param {Grid} grid */
export function listenTo(grid) {
  grid.pane.addEventListener("keydown", (event) => pressed(grid, event));
  grid.pane.addEventListener("copy", (event) => copied(grid, event));
  grid.body.addEventListener("pointerdown", (event) => pointed(grid, event));
  grid.body.addEventListener("dblclick", () => open(grid));
}

/** @param {Grid} grid @param {KeyboardEvent} event */
function pressed(grid, event) {
  if (!grid.source.columns().length) return;
  if (!(moved(grid, event) || did(grid, event))) return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {Grid} grid @param {KeyboardEvent} event */
function moved(grid, event) {
  const page = Math.max(1, Math.floor(grid.view / grid.rowHeight) - 1);
  const size = { rows: grid.source.count(), columns: grid.widths.length, page };
  const active = cellAfter(event, grid.picked.active, size);
  if (!active) return false;
  const isRange = event.shiftKey && active.row >= 0 && grid.picked.anchor.row >= 0;
  grid.pick({ active, anchor: isRange ? grid.picked.anchor : active });
  if (isRange) announce(grid.told);
  return true;
}

/** @param {Grid} grid @param {KeyboardEvent} event */
function did(grid, event) {
  const isCommand = event.ctrlKey || event.metaKey;
  const { row, column } = grid.picked.active;
  if (isCommand && event.key.toLowerCase() === "a") return pickAll(grid);
  if (event.key === "Enter" || event.key === "F2") return row < 0 ? openHead(grid, column) : open(grid);
  if (event.key === "Escape" && !isSingle(grid.picked)) return collapse(grid);
  return event.altKey && event.key in WIDER && resize(grid, column, WIDER[event.key]);
}

/** @param {Grid} grid */
function pickAll(grid) {
  const anchor = { row: 0, column: 0 };
  grid.picked = { anchor, active: { row: grid.source.count() - 1, column: grid.widths.length - 1 } };
  grid.version += 1;
  grid.paint();
  announce(grid.told);
  return true;
}

/** @param {Grid} grid */
function collapse(grid) {
  grid.pick({ active: grid.picked.active, anchor: grid.picked.active });
  return true;
}

/** @param {Grid} grid @param {number} column @param {number} by */
function resize(grid, column, by) {
  grid.setWidth(column, grid.widths[column] + by);
  return true;
}

/** @param {Grid} grid */
function open(grid) {
  const { row, column } = grid.picked.active;
  if (grid.source.row(row)) grid.wishes.onCell?.(row, column);
  return true;
}

/** @param {Grid} grid @param {number} column */
function openHead(grid, column) {
  const head = grid.head.querySelector(`[data-column="${column}"]`);
  if (head instanceof HTMLElement) grid.wishes.onHead?.(column, head);
  return true;
}

/** @param {Grid} grid @param {PointerEvent} event */
function pointed(grid, event) {
  if (event.button !== 0) return;
  const active = grid.cellAt(event.clientX, event.clientY);
  if (!active) return;
  if (event.pointerType !== "mouse") return tapped(grid, event, active);
  event.preventDefault(); // no selection of text across rows that are used again
  grid.focus();
  grid.pick({ active, anchor: event.shiftKey ? grid.picked.anchor : active });
  const stop = new AbortController();
  const move = (/** @type {PointerEvent} */ now) => {
    const cell = grid.cellAt(now.clientX, now.clientY);
    if (cell) grid.pick({ active: cell, anchor: grid.picked.anchor });
  };
  addEventListener("pointermove", move, { signal: stop.signal });
  for (const type of ["pointerup", "pointercancel"]) {
    addEventListener(type, () => stop.abort(), { signal: stop.signal });
  }
}

/** A finger scrolls: it has pointed only if it leaves where it came. @param {Grid} grid @param {PointerEvent} event @param {import("./range.js").Cell} cell */
function tapped(grid, event, cell) {
  const stop = new AbortController();
  const up = (/** @type {PointerEvent} */ now) => {
    stop.abort();
    if (Math.hypot(now.clientX - event.clientX, now.clientY - event.clientY) > 8) return;
    const { active } = grid.picked;
    const isAgain = grid.hasPicked && active.row === cell.row && active.column === cell.column;
    grid.focus();
    grid.pick({ active: cell, anchor: cell });
    if (isAgain) open(grid);
  };
  addEventListener("pointerup", up, { signal: stop.signal });
  addEventListener("pointercancel", () => stop.abort(), { signal: stop.signal });
}

/** @param {Grid} grid @param {ClipboardEvent} event */
function copied(grid, event) {
  const { from, to } = rangeOf(grid.picked);
  event.preventDefault();
  if (from.row < 0) return event.clipboardData?.setData("text/plain", grid.source.columns()[from.column]);
  if (to.row - from.row >= MOST_COPIED) {
    return void notice(say(strings.tooManyToCopy, { rows: number(MOST_COPIED) }), { kind: "error" });
  }
  const here = [];
  for (let row = from.row; row <= to.row; row += 1) here.push(grid.source.row(row));
  const rows = here.filter((row) => row !== undefined);
  if (rows.length < here.length) return void copyLater(grid, from, to);
  event.clipboardData?.setData("text/plain", clipboardText(cut(rows, from.column, to.column)));
  announce(strings.copied);
}

/** @param {Grid} grid @param {import("./range.js").Cell} from @param {import("./range.js").Cell} to */
async function copyLater(grid, from, to) {
  const rows = await grid.source.rows(from.row, to.row + 1).catch(() => []);
  const isWhole = rows.length === to.row - from.row + 1; // half of what was picked would be taken for all of it
  const isDone = isWhole && (await copyText(clipboardText(cut(rows, from.column, to.column))));
  notice(isDone ? strings.copied : strings.notCopied, { kind: isDone ? "info" : "error" });
}

/** @param {readonly (readonly (string | null)[])[]} rows @param {number} from @param {number} to */
function cut(rows, from, to) {
  return rows.map((row) => row.slice(from, to + 1));
}
