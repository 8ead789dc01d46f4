/** Pieces of expressions. */

/** A column's name in an expression. @param {string} name */
export function identifier(name) {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in an expression. @param {string} value */
export function literal(value) {
  return `'${value.replaceAll("'", "''")}'`;
}

/** Whether a text is a number as expressions have them. @param {string} value */
export function isNumber(value) {
  return /^-?\d+(\.\d+)?$/.test(value.trim());
}

/** @type {Record<string, (column: string, value: string) => string>} */
const TESTS = {
  is: (column, value) => `${column} = ${literal(value)}`,
  isNot: (column, value) => `${column} is distinct from ${literal(value)}`,
  contains: (column, value) => `contains(lower(${column}), ${literal(value.toLowerCase())})`,
  containsNot: (column, value) => `not coalesce(contains(lower(${column}), ${literal(value.toLowerCase())}), false)`,
  begins: (column, value) => `starts_with(${column}, ${literal(value)})`,
  ends: (column, value) => `ends_with(${column}, ${literal(value)})`,
  more: (column, value) => `${column} > ${comparable(value)}`,
  atLeast: (column, value) => `${column} >= ${comparable(value)}`,
  less: (column, value) => `${column} < ${comparable(value)}`,
  atMost: (column, value) => `${column} <= ${comparable(value)}`,
  empty: (column) => `(${column} is null or ${column} = '')`,
  notEmpty: (column) => `(${column} is not null and ${column} <> '')`,
  matches: (column, value) => `regexp_matches(${column}, ${literal(value)})`,
};

export const TEST_NAMES = Object.keys(TESTS);

/** Tests that need no value. */
export const ALONE = new Set(["empty", "notEmpty"]);

/** @param {string} test @param {string} column @param {string} value */
export function condition(test, column, value) {
  return TESTS[test](identifier(column), value);
}

/** @param {string} value */
function comparable(value) {
  return isNumber(value) ? value.trim() : literal(value);
}

/** @type {Record<string, (column: string) => string>} */
const AGGREGATES = {
  count: () => "count(*)",
  different: (column) => `count(distinct ${column})`,
  sum: (column) => `sum(${column})`,
  avg: (column) => `avg(${column})`,
  median: (column) => `median(${column})`,
  min: (column) => `min(${column})`,
  max: (column) => `max(${column})`,
  list: (column) => `string_agg(${column}, ', ')`,
};

export const AGGREGATE_NAMES = Object.keys(AGGREGATES);
const OF_VALUES = new Set(["sum", "avg", "median", "min", "max"]);

/**
 * An aggregate; numbers are compared and added as `type`, for all values are text.
 *
 * @param {string} what
 * @param {string} column
 * @param {string} type
 */
export function aggregate(what, column, type) {
  const name = column ? identifier(column) : "";
  return AGGREGATES[what](OF_VALUES.has(what) && type && type !== "text" ? `try_cast(${name} as ${type})` : name);
}
