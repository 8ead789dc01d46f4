/**
 * Lines of text with their numbers, all of them in the document, so that the browser's own search finds them. They stand
 * in blocks that are laid out and coloured when they come into sight.
 */

/** @import {ColouredLine} from "./highlight.js" */

/** Lines of a block: enough to fill a screen. */
const BLOCK = 100;

/** An empty pane of lines. @param {string} label */
export function linesPane(label) {
  const element = document.createElement("pre");
  element.className = "view-code";
  element.tabIndex = 0;
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", label);
  /** @type {ColouredLine[]} */
  let colours = [];
  const nearby = new IntersectionObserver((entries) => entries.forEach(seen), { root: element, rootMargin: "100%" });

  /** @param {IntersectionObserverEntry} entry */
  function seen(entry) {
    if (entry.isIntersecting && colours.length) colour(/** @type {HTMLElement} */ (entry.target));
  }

  /** @param {HTMLElement} block */
  function colour(block) {
    nearby.unobserve(block);
    const first = Number(block.dataset.first);
    [...block.children].forEach((line, index) => {
      const runs = colours[first + index];
      if (runs) line.replaceChildren(...runs.map(runElement));
    });
  }

  /** Who is observed anew is told at once whether it is seen. */
  function watch() {
    for (const block of element.children) nearby.observe(block);
  }

  return {
    element,
    /** Show a text instead of what is shown. @param {string} text */
    show(text) {
      nearby.disconnect();
      colours = [];
      element.replaceChildren(...blocksOf(linesOf(text), 0));
      watch();
    },
    /** Show a text that begins as the one that is shown does; nothing that is in sight moves. @param {string} text */
    extend(text) {
      const last = /** @type {HTMLElement | null} */ (element.lastElementChild);
      const first = Number(last?.dataset.first ?? 0);
      last?.remove(); // its last line may go on
      element.append(...blocksOf(linesOf(text).slice(first), first));
      watch();
    },
    /** Colour the lines that are shown. @param {ColouredLine[]} lines */
    colour(lines) {
      colours = lines;
      nearby.disconnect();
      watch();
    },
    close() {
      nearby.disconnect();
    },
  };
}

/** @param {string} text */
function linesOf(text) {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop(); // the end of the last line begins no other
  return lines;
}

/** @param {string[]} lines @param {number} first the number of the first of them, from 0 */
function blocksOf(lines, first) {
  const blocks = [];
  for (let at = 0; at < lines.length; at += BLOCK) blocks.push(blockOf(lines.slice(at, at + BLOCK), first + at));
  return blocks;
}

/** @param {string[]} lines @param {number} first */
function blockOf(lines, first) {
  const block = document.createElement("span");
  block.className = "view-block";
  block.dataset.first = String(first);
  block.style.setProperty("--lines", String(lines.length));
  block.style.counterReset = `line ${first}`;
  block.append(...lines.map(lineElement));
  return block;
}

/** @param {string} text */
function lineElement(text) {
  const line = document.createElement("span");
  line.className = "view-line";
  line.textContent = text.endsWith("\r") ? text.slice(0, -1) : text;
  return line;
}

/** @param {[scope: string, text: string]} run */
function runElement([scope, text]) {
  const visible = text.endsWith("\r") ? text.slice(0, -1) : text;
  if (!scope) return document.createTextNode(visible);
  const span = document.createElement("span");
  span.className = `view-token-${scope.split(".")[0]}`;
  span.textContent = visible;
  return span;
}
