/** The order in which records play. Pure: each step answers a new line; chance is given. */

/** @typedef {import("./types").Line} Line */

/** @type {Line} */
export const EMPTY = { rows: [], order: [], at: 0, isShuffled: false, repeat: "off" };

/** The record that plays now, null where there is none. @param {Line} line */
export function current(line) {
  return line.rows[line.order[line.at] ?? -1] ?? null;
}

/** All records as they come. @param {Line} line */
export function inOrder(line) {
  return line.order.map((index) => /** @type {Row} */ (line.rows[index]));
}

/**
 * A line of other records; what was chosen of shuffling and repeating stays.
 *
 * @param {Line} line @param {Row[]} rows @param {number} start index of the first to play @param {() => number} chance
 * @returns {Line}
 */
export function filled(line, rows, start, chance) {
  const order = rows.map((_, index) => index);
  const begun = { ...line, rows, order, at: Math.min(Math.max(0, start), Math.max(0, rows.length - 1)) };
  return line.isShuffled ? shuffled(begun, chance) : begun;
}

/** The line with more at its end. @param {Line} line @param {Row[]} rows @returns {Line} */
export function added(line, rows) {
  const order = [...line.order, ...rows.map((_, index) => line.rows.length + index)];
  return { ...line, rows: [...line.rows, ...rows], order };
}

/** The line without one of its places; if it plays now, the next takes its turn. @param {Line} line @param {number} place @returns {Line} */
export function without(line, place) {
  const gone = line.order[place];
  if (gone === undefined) return line;
  const order = line.order.filter((index) => index !== gone).map((index) => (index > gone ? index - 1 : index));
  const at = Math.min(place < line.at ? line.at - 1 : line.at, Math.max(0, order.length - 1));
  return { ...line, rows: line.rows.filter((_, index) => index !== gone), order, at };
}

/**
 * The line a step further, null where it ends. What ended by itself is repeated if one is; who asks for the next gets it.
 *
 * @param {Line} line @param {1 | -1} step @param {{isAsked: boolean}} how
 * @returns {Line | null}
 */
export function stepped(line, step, { isAsked }) {
  if (line.repeat === "one" && !isAsked) return line;
  const at = line.at + step;
  if (at >= 0 && at < line.order.length) return { ...line, at };
  return line.repeat === "off" || !line.order.length ? null : { ...line, at: step > 0 ? 0 : line.order.length - 1 };
}

/** The line in an order of chance, that begins with what plays now (Fisher and Yates). @param {Line} line @param {() => number} chance @returns {Line} */
export function shuffled(line, chance) {
  const now = line.order[line.at];
  const rest = line.order.filter((index) => index !== now);
  for (let last = rest.length - 1; last > 0; last -= 1) {
    const other = Math.floor(chance() * (last + 1));
    [rest[last], rest[other]] = [/** @type {number} */ (rest[other]), /** @type {number} */ (rest[last])];
  }
  return { ...line, order: now === undefined ? rest : [now, ...rest], at: 0, isShuffled: true };
}

/** The line in the order in which it was filled. @param {Line} line @returns {Line} */
export function sorted(line) {
  const now = line.order[line.at] ?? 0;
  return { ...line, order: line.rows.map((_, index) => index), at: now, isShuffled: false };
}
