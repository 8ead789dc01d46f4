/** The end of a file as it grows, with a field that leaves only the lines one looks for. */

import strings from "../../strings/view.js";
import { html, icon, nothing, render } from "../core/html.js";
import { say } from "../core/say.js";
import { logList } from "./loglist.js";
import { tail } from "./tail.js";

const words = strings.log;

/** @param {HTMLElement} body @param {Row} row */
export function followLog(body, row) {
  const head = document.createElement("div");
  head.className = "view-log-head";
  const foot = document.createElement("div");
  foot.className = "view-log-foot";
  const list = logList(say(words.label, { name: row.name }), () => render(footOf(list.state(), toEnd), foot));
  body.append(head, list.element, foot);

  function toEnd() {
    list.toEnd();
    list.element.focus({ preventScroll: true });
  }

  /** @param {boolean} isOn */
  function turned(isOn) {
    render(headOf(isOn, list.filter), head);
  }

  turned(false);
  render(footOf(list.state(), toEnd), foot);
  const stop = tail(row, list.take, turned);
  return {
    close() {
      stop();
      list.close();
    },
  };
}

/** @param {boolean} isOn @param {(text: string) => void} filter */
function headOf(isOn, filter) {
  const typed = (/** @type {Event} */ event) => filter(/** @type {HTMLInputElement} */ (event.target).value);
  return html`<input
      class="input"
      type="search"
      placeholder=${words.filter}
      aria-label=${words.filter}
      autocomplete="off"
      spellcheck="false"
      @input=${typed}
    />
    <span class=${isOn ? "badge good" : "badge warn"} role="status">${isOn ? words.live : words.away}</span>`;
}

/** @param {{unseen: number, isEmpty: boolean, hasNone: boolean}} state @param {() => void} toEnd */
function footOf({ unseen, isEmpty, hasNone }, toEnd) {
  if (isEmpty || hasNone) return html`<p class="view-log-none">${isEmpty ? words.waiting : words.none}</p>`;
  if (!unseen) return nothing;
  return html`<button class="button main" title=${words.newest} @click=${toEnd}>
    ${icon("arrow-down")} ${say.many(words.newer, unseen)}
  </button>`;
}
