/** What is picked in a grid: a rectangle between the cell where picking began and the one where it is now. */

/**
 * @typedef {{row: number, column: number}} Cell
 * @typedef {{from: Cell, to: Cell}} Range the rectangle's first and last cells, both within it
 * @typedef {{active: Cell, anchor: Cell}} Picked
 */

/** @param {Picked} picked @returns {Range} */
export function rangeOf({ active, anchor }) {
  return {
    from: { row: Math.min(active.row, anchor.row), column: Math.min(active.column, anchor.column) },
    to: { row: Math.max(active.row, anchor.row), column: Math.max(active.column, anchor.column) },
  };
}

/** @param {Range} range @param {number} row @param {number} column */
export function isWithin({ from, to }, row, column) {
  return row >= from.row && row <= to.row && column >= from.column && column <= to.column;
}

/** @param {Picked} picked */
export function isSingle({ active, anchor }) {
  return active.row === anchor.row && active.column === anchor.column;
}

/**
 * Rows as spreadsheets take them from the clipboard: tabs between cells, and quotes around those that hold a tab, a
 * quote or a line break.
 *
 * @param {readonly (readonly (string | null)[])[]} rows
 */
export function clipboardText(rows) {
  if (rows.length === 1 && rows[0].length === 1) return rows[0][0] ?? "";
  return rows.map((row) => row.map(quoted).join("\t")).join("\n");
}

/** @param {string | null} value */
function quoted(value) {
  return /[\t\r\n"]/.test(value ?? "") ? `"${(value ?? "").replaceAll('"', '""')}"` : (value ?? "");
}

/**
 * Where a key leads from a cell, or null for a key that leads nowhere. Row -1 is the head.
 *
 * @param {KeyboardEvent} event
 * @param {Cell} cell
 * @param {{rows: number, columns: number, page: number}} size `page`: rows that are seen
 * @returns {Cell | null}
 */
export function cellAfter(event, { row, column }, { rows, columns, page }) {
  const isFar = event.ctrlKey || event.metaKey;
  const last = { row: rows - 1, column: columns - 1 };
  /** @type {Record<string, () => Cell>} */
  const ways = {
    ArrowDown: () => ({ row: isFar ? last.row : row + 1, column }),
    ArrowUp: () => ({ row: isFar ? 0 : row - 1, column }),
    ArrowRight: () => ({ row, column: isFar ? last.column : column + 1 }),
    ArrowLeft: () => ({ row, column: isFar ? 0 : column - 1 }),
    PageDown: () => ({ row: row + page, column }),
    PageUp: () => ({ row: Math.max(row - page, Math.min(row, 0)), column }),
    Home: () => ({ row: isFar ? 0 : row, column: 0 }),
    End: () => ({ row: isFar ? last.row : row, column: last.column }),
  };
  if (event.altKey || !(event.key in ways)) return null;
  const to = ways[event.key]();
  return {
    row: Math.max(-1, Math.min(to.row, last.row)),
    column: Math.max(0, Math.min(to.column, last.column)),
  };
}
