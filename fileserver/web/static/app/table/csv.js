/** The CSV that the server sends for a preview (RFC 4180), with nulls told from empty texts by `NULL`. */

export const NULL = "\u001f"; // the unit separator: a text that is the same comes in quotes

/**
 * Reads records from text that comes in parts.
 *
 * @returns {{read: (part: string) => (string | null)[][], end: () => (string | null)[][]}}
 */
export function csvReader() {
  let rest = "";
  return {
    read(part) {
      const { records, used } = recordsOf(rest + part);
      rest = (rest + part).slice(used);
      return records;
    },
    end() {
      return rest ? recordsOf(`${rest}\n`).records : [];
    },
  };
}

/** The whole records of a text, and how much of it they take. @param {string} text */
function recordsOf(text) {
  /** @type {(string | null)[][]} */
  const records = [];
  let record = /** @type {(string | null)[]} */ ([]);
  let [used, position] = [0, 0];
  while (position < text.length) {
    const cell = cellAt(text, position);
    if (!cell) break;
    record.push(cell.value);
    position = cell.end + 1;
    if (text[cell.end] === "\n") {
      records.push(record);
      record = [];
      used = position;
    }
  }
  return { records, used };
}

/**
 * The cell that begins at a place, and where the mark behind it stands; null where its end is not there yet.
 *
 * @param {string} text
 * @param {number} start
 */
function cellAt(text, start) {
  if (text[start] === '"') return quotedCellAt(text, start);
  const [comma, line] = [text.indexOf(",", start), text.indexOf("\n", start)];
  const end = comma < 0 || (line >= 0 && line < comma) ? line : comma;
  if (end < 0) return null;
  const value = text.slice(start, end);
  return { value: value === NULL ? null : value, end };
}

/** @param {string} text @param {number} start */
function quotedCellAt(text, start) {
  let close = text.indexOf('"', start + 1);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close < 0 || close === text.length - 1) return null; // what comes next may be the second of two quotes
  return { value: text.slice(start + 1, close).replaceAll('""', '"'), end: close + 1 };
}
