/** Colours of code, found apart from the page: what leaves is text and the names of scopes, never markup. */

import highlight from "../../vendor/highlight.js/highlight.min.js";

/** @typedef {[scope: string, text: string]} Run a text of one colour */

/** Takes what the library finds as runs, where its own would make markup of it. */
class Runs {
  constructor() {
    /** @type {Run[]} */
    this.runs = [];
    /** @type {string[]} */
    this.scopes = [];
  }

  /** @param {string} text */
  addText(text) {
    if (text) this.runs.push([this.scopes.findLast(Boolean) ?? "", text]);
  }

  /** @param {string} scope */
  startScope(scope) {
    this.scopes.push(scope);
  }

  endScope() {
    this.scopes.pop();
  }

  /** @param {string} scope */
  openNode(scope) {
    this.startScope(scope);
  }

  closeNode() {
    this.endScope();
  }

  /** A language within another: PHP within HTML. @param {Runs} inner */
  __addSublanguage(inner) {
    this.runs.push(...inner.runs);
  }

  finalize() {
    this.scopes.length = 0;
  }

  closeAllNodes() {
    this.finalize();
  }

  toHTML() {
    return "";
  }
}

highlight.configure(/** @type {any} */ ({ __emitter: Runs }));

/** The runs of each line. @param {Run[]} runs */
function byLines(runs) {
  /** @type {Run[][]} */
  const lines = [[]];
  for (const [scope, text] of runs) {
    const [first = "", ...others] = text.split("\n");
    if (first) lines.at(-1)?.push([scope, first]);
    for (const part of others) lines.push(part ? [[scope, part]] : []);
  }
  return lines;
}

self.onmessage = ({ data: { id, text, language } }) => {
  const result = highlight.highlight(text, { language, ignoreIllegals: true });
  const { runs } = /** @type {Runs} */ (/** @type {unknown} */ (result._emitter));
  self.postMessage({ id, lines: byLines(runs) });
};
