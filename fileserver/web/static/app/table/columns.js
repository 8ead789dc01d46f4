/** Where columns are: their widths by what is in them, and which of them are seen. */

export const NARROWEST = 56; // pixels
const WIDEST = 360; // of a column that nobody has resized
const SAMPLE = 100; // rows that are measured
const LETTERS = 60; // of a value that are measured: more is wider than WIDEST
const PADDING = 25; // of a cell, with its line
const HEAD_PADDING = 38; // with the place for the arrow

/**
 * Widths in pixels that show most values whole.
 *
 * @param {readonly string[]} names
 * @param {readonly (readonly (string | null)[])[]} rows
 * @param {{cell: string, head: string}} fonts as a canvas takes them
 */
export function fittingWidths(names, rows, fonts) {
  const paper = document.createElement("canvas").getContext("2d");
  const sample = rows.slice(0, SAMPLE);
  return names.map((name, column) => {
    if (!paper) return WIDEST / 2;
    paper.font = fonts.head;
    const head = paper.measureText(name.slice(0, LETTERS)).width + HEAD_PADDING;
    paper.font = fonts.cell;
    const cells = sample.map((row) => paper.measureText((row[column] ?? "").slice(0, LETTERS)).width + PADDING);
    return Math.ceil(Math.min(Math.max(NARROWEST, head, ...cells), WIDEST));
  });
}

/** Where each column begins, and as the last number where they end. @param {readonly number[]} widths */
export function edgesOf(widths) {
  const edges = [0];
  for (const width of widths) edges.push(edges[edges.length - 1] + width);
  return edges;
}

/**
 * The columns that are seen, as a half-open span.
 *
 * @param {readonly number[]} edges
 * @param {number} left
 * @param {number} width
 * @returns {[number, number]}
 */
export function seenColumns(edges, left, width) {
  const first = Math.max(0, before(edges, left) - 1);
  return [Math.min(first, Math.max(0, edges.length - 2)), Math.min(edges.length - 1, before(edges, left + width - 1))];
}

/** How many edges are at or before a place. @param {readonly number[]} edges @param {number} place */
function before(edges, place) {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
