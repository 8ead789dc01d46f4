/** Which types the values of columns fit, by the first rows: what sorts and sums are offered with. */

/** @type {[string, RegExp][]} */
const PATTERNS = [
  ["int64", /^[+-]?(0|[1-9]\d{0,17})$/],
  ["decimal(18,2)", /^[+-]?(0|[1-9]\d{0,15})(\.\d{1,2})?$/],
  ["float64", /^[+-]?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?$/],
  ["date", /^\d{4}-\d{2}-\d{2}$/],
  ["timestamp", /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/],
];

/**
 * The types by the columns' names; text where nothing narrower fits all values.
 *
 * @param {readonly string[]} columns
 * @param {readonly (readonly (string | null)[])[]} rows
 */
export function guessedTypes(columns, rows) {
  return new Map(columns.map((name, column) => [name, typeOf(rows.map((row) => row[column]))]));
}

/** @param {(string | null)[]} values */
function typeOf(values) {
  const given = values.filter((value) => value);
  if (!given.length) return "text";
  return PATTERNS.find(([, pattern]) => given.every((value) => pattern.test(value ?? "")))?.[0] ?? "text";
}
