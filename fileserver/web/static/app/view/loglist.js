/** A list of lines that grows at its end: the end stays in sight until somebody scrolls up to read. */

/** More would be scrolled through by nobody, and take memory for as long as the page is open. */
const MOST_LINES = 10_000;
const AT_END = 40; // px from the end that still count as the end
const LOUD = /\b(error|fatal|critical|panic|emerg|alert)\b/i;
const WARNING = /\bwarn(ing)?\b/i;

/** @import {Entry} from "./tail.js" */

/** An empty list; `changed` is called when what `state` tells may be another. @param {string} label @param {() => void} changed */
export function logList(label, changed) {
  const element = emptyList(label);
  let words = [""];
  let unseen = 0;
  let isAtEnd = true;
  let frame = 0;
  let waiting = /** @type {Entry[]} */ ([]);

  function flush() {
    frame = 0;
    const lines = waiting.map((entry) => lineElement(entry, words));
    waiting = [];
    element.append(...lines);
    for (let over = element.childElementCount - MOST_LINES; over > 0; over -= 1) element.firstElementChild?.remove();
    if (isAtEnd) toEnd();
    else unseen += lines.length;
    changed();
  }

  function toEnd() {
    element.scrollTop = element.scrollHeight;
  }

  function scrolled() {
    const wasAtEnd = isAtEnd;
    isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < AT_END;
    if (isAtEnd !== wasAtEnd) unseen = 0;
    changed();
  }

  element.addEventListener("scroll", scrolled, { passive: true });
  return {
    element,
    toEnd,
    /** @param {Entry} entry */
    take(entry) {
      waiting.push(entry);
      if (waiting.length > 2 * MOST_LINES) waiting = waiting.slice(-MOST_LINES);
      frame ||= requestAnimationFrame(flush);
    },
    /** Leave the lines that have all words. @param {string} text */
    filter(text) {
      words = text.toLowerCase().split(/\s+/).filter(Boolean);
      for (const line of element.children) hide(/** @type {HTMLElement} */ (line), words);
      if (isAtEnd) toEnd();
      changed();
    },
    state() {
      const isEmpty = !element.childElementCount;
      return {
        isEmpty,
        unseen: isAtEnd ? 0 : unseen,
        hasNone: !isEmpty && !element.querySelector("div:not([hidden])"),
      };
    },
    close() {
      cancelAnimationFrame(frame);
    },
  };
}

/** @param {string} label */
function emptyList(label) {
  const element = document.createElement("div");
  element.className = "view-log";
  element.tabIndex = 0;
  element.setAttribute("role", "log");
  element.setAttribute("aria-live", "off"); // a log that is read out would never stop
  element.setAttribute("aria-label", label);
  return element;
}

/** @param {Entry} entry @param {string[]} words */
function lineElement({ text, kind }, words) {
  const line = document.createElement("div");
  line.className = kind === "mark" ? "view-log-mark" : `view-log-line ${weightOf(text.slice(0, 200))}`;
  line.textContent = text;
  hide(line, words);
  return line;
}

/** Errors and warnings are found by eye. @param {string} head */
function weightOf(head) {
  if (LOUD.test(head)) return "view-log-error";
  return WARNING.test(head) ? "view-log-warning" : "";
}

/** Hide a line unless it has all words. @param {HTMLElement} line @param {string[]} words */
function hide(line, words) {
  const lower = line.textContent?.toLowerCase() ?? "";
  line.hidden = !words.every((word) => lower.includes(word));
}
