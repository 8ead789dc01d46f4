/** JSON made readable without reading it: every value stays as it was written, `1e5` and `12345678901234567890` too. */

const STEP = "  ";
const TOKEN = /"(?:[^"\\]|\\[^])*"?|[{}[\],:]|[^\s{}[\],:"]+/g;
const EMPTY = /** @type {Record<string, string>} */ ({ "{": "}", "[": "]" });

/**
 * The text with each member on a line of its own. What is no JSON, or breaks off, goes on as well as it can; values of
 * NDJSON begin a line each.
 *
 * @param {string} text
 */
export function reindent(text) {
  const tokens = text.match(TOKEN) ?? [];
  const parts = [];
  let depth = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? "";
    const isEmpty = Object.hasOwn(EMPTY, token) && tokens[at + 1] === EMPTY[token];
    if (isEmpty) at += 1;
    depth = Math.max(0, depth + (isEmpty ? 0 : deeper(token)));
    parts.push(isEmpty ? token + EMPTY[token] : spaced(token, depth));
    if (depth === 0 && isBetweenValues(tokens[at], tokens[at + 1])) parts.push("\n");
  }
  return parts.join("");
}

/** How much further in the next line is. @param {string} token */
function deeper(token) {
  if ("{[".includes(token)) return 1;
  return "}]".includes(token) ? -1 : 0;
}

/** A sign with the lines around it. @param {string} token @param {number} depth */
function spaced(token, depth) {
  const line = `\n${STEP.repeat(depth)}`;
  if ("{[,".includes(token)) return token + line;
  if ("}]".includes(token)) return line + token;
  return token === ":" ? ": " : token;
}

/** Whether one whole value ends here and another begins, as in NDJSON. @param {string | undefined} token @param {string | undefined} next */
function isBetweenValues(token, next) {
  return next !== undefined && !"{[,:".includes(token ?? "") && !"}],:".includes(next);
}
