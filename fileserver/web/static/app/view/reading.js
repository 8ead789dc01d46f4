/** How far a text is read, and how it is shown: the model behind `read.js`. */

import { messageOf } from "../core/api.js";
import { highlighter } from "./highlight.js";
import { piecesOf } from "./pieces.js";
import { reindent } from "./reindent.js";

/** A line as long as this was not broken by hand. */
const LONG_LINE = 500;
const NOTHING = { text: "", end: 0, total: 0, isBusy: false, isPretty: false, isChanged: false };

/**
 * A text of which nothing is read. `show` is told each text to show, and whether it is another than before rather than
 * a longer one; `colour` the colours of the last one, some time later; `changed` is called with every step.
 *
 * @param {Row} row
 * @param {string | null} language
 * @param {AbortSignal} signal
 * @param {{show: (text: string, how: {isAnew: boolean}) => void, colour: (lines: import("./highlight.js").ColouredLine[]) => void, changed: () => void}} hearer
 */
export function readingOf(row, language, signal, { show, colour, changed }) {
  const colourist = highlighter();
  const state = { ...NOTHING, fault: /** @type {unknown} */ (null) };
  let pieces = piecesOf(row.key, signal);
  let version = 0;

  async function more() {
    Object.assign(state, { isBusy: true, fault: null });
    changed();
    try {
      take(await pieces.next());
    } catch (error) {
      const isChanged = /** @type {{status?: number}} */ (error).status === 412;
      Object.assign(state, { fault: error, isChanged });
    }
    state.isBusy = false;
    if (!signal.aborted) changed();
  }

  /** @param {import("./pieces.js").Piece} piece */
  function take({ text, end, total }) {
    const isFirst = state.end === 0;
    Object.assign(state, { text: state.text + text, end, total });
    if (isFirst) state.isPretty = language === "json" && isMinified(text);
    tell({ isAnew: isFirst || state.isPretty });
  }

  /** @param {{isAnew: boolean}} how */
  async function tell(how) {
    const text = state.isPretty ? reindent(state.text) : state.text;
    const mine = (version += 1);
    show(text, how);
    const lines = language ? await colourist.colours(text, language) : null;
    if (lines && mine === version) colour(lines);
  }

  return {
    state,
    more,
    /** Begin again, with the file as it is now. */
    again() {
      pieces = piecesOf(row.key, signal);
      Object.assign(state, NOTHING);
      return more();
    },
    /** With each member on a line of its own, or as it is. */
    indent() {
      state.isPretty = !state.isPretty;
      tell({ isAnew: true });
      changed();
    },
    close() {
      version += 1;
      colourist.close();
    },
  };
}

/** What to say of a text that could not be read further. @param {{fault: unknown, isChanged: boolean}} state @param {string} changedWords */
export function faultOf({ fault, isChanged }, changedWords) {
  if (!fault) return null;
  return isChanged ? changedWords : messageOf(fault);
}

/** @param {string} text */
function isMinified(text) {
  const head = text.slice(0, 20_000);
  return head.length > LONG_LINE && head.length / head.split("\n").length > LONG_LINE;
}
