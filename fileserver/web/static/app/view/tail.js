/** The lines of a file as they are written: first the last ones, then each new one. */

import strings from "../../strings/view.js";
import { href } from "../core/api.js";
import { charsetOf } from "./pieces.js";

const FIRST_LINES = 1000;
const AGAIN_MS = 2000;

/** @typedef {{text: string, kind: "line" | "mark"}} Entry a line of the file, or words of ours about it */

/**
 * Take each line, until what is answered is called. A browser comes back by itself after a cut, but not after an error of
 * a proxy: then we do, with the number of the last line.
 *
 * @param {Row} row
 * @param {(entry: Entry) => void} take
 * @param {(isOn: boolean) => void} turned
 */
export function tail(row, take, turned) {
  const decoder = new TextDecoder(charsetOf(row.media_type ?? "") ?? "windows-1252");
  let last = "";
  let timer = 0;
  /** @type {EventSource} */
  let source;

  function begin() {
    /** @type {Record<string, string | number>} */
    const from = last ? { last_event_id: last } : {};
    source = new EventSource(href("files", row.key, { tail: FIRST_LINES, ...from }));
    source.addEventListener("open", () => turned(true));
    source.addEventListener("line", (event) => {
      last = event.lastEventId || last;
      take({ text: lineOf(JSON.parse(event.data), decoder), kind: "line" });
    });
    source.addEventListener("reset", (event) => {
      last = event.lastEventId;
      const { reason } = JSON.parse(event.data);
      take({ text: reason === "truncated" ? strings.log.truncated : strings.log.rotated, kind: "mark" });
    });
    source.addEventListener("error", () => {
      turned(false);
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(begin, AGAIN_MS);
    });
  }

  begin();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** What is no UTF-8 comes as it was, too. @param {{line: string, raw?: string}} told @param {TextDecoder} decoder */
function lineOf({ line, raw }, decoder) {
  return raw === undefined ? line : decoder.decode(Uint8Array.from(atob(raw), (letter) => letter.charCodeAt(0)));
}
