/** The colours of code, as a worker finds them: the page stays quick, and no text of a stranger becomes markup. */

/** Longer texts, and texts with longer lines, stay as they are: grammars slow down there, and nobody reads them for long. */
const MOST = 1024 * 1024;
const LONGEST_LINE = 5000;

/** @typedef {[scope: string, text: string][]} ColouredLine */

/** A worker of one's own; `colours` answers the lines in colours, or null where a text is not to be coloured. */
export function highlighter() {
  /** @type {Worker | null} */
  let worker = null;
  let last = 0;
  return {
    /** @param {string} text @param {string} language @returns {Promise<ColouredLine[] | null>} */
    colours(text, language) {
      if (text.length > MOST || hasLongLine(text)) return Promise.resolve(null);
      worker ??= new Worker(new URL("./highlight.worker.js", import.meta.url), { type: "module" });
      last += 1;
      worker.postMessage({ id: last, text, language });
      return answerTo(worker, last);
    },
    close() {
      worker?.terminate();
    },
  };
}

/** @param {Worker} worker @param {number} id @returns {Promise<ColouredLine[] | null>} */
function answerTo(worker, id) {
  return new Promise((resolve) => {
    /** @param {MessageEvent} event */
    function take({ data }) {
      if (data.id !== id) return;
      worker.removeEventListener("message", take);
      resolve(data.lines);
    }
    worker.addEventListener("message", take);
    worker.addEventListener("error", () => resolve(null), { once: true });
  });
}

/** @param {string} text */
function hasLongLine(text) {
  let begin = 0;
  for (let end = text.indexOf("\n"); end !== -1; begin = end + 1, end = text.indexOf("\n", begin)) {
    if (end - begin > LONGEST_LINE) return true;
  }
  return text.length - begin > LONGEST_LINE;
}
