/** Text and code: from its beginning, as it is read; or its end, as it is written. */

import strings from "../../strings/view.js";
import { html, icon, render } from "../core/html.js";
import { followLog } from "./follow.js";
import { isLog } from "./languages.js";
import { readText } from "./read.js";

/** @param {HTMLElement} body @param {Row} row @param {ViewContext} context @returns {OpenView} */
export function open(body, row, context) {
  const tools = document.createElement("div");
  tools.className = "view-actions";
  const button = document.createElement("div");
  context.actions.append(tools, button);
  let isFollowed = isLog(row) ? context.params.get("follow") !== "no" : context.params.has("follow");
  let inner = begun();

  function begun() {
    render(followButton(isFollowed, turn), button);
    return isFollowed ? followLog(body, row) : readText(body, row, { tools, signal: context.signal });
  }

  function turn() {
    inner.close();
    body.replaceChildren();
    isFollowed = !isFollowed;
    context.setParam("follow", isFollowed === isLog(row) ? null : isFollowed ? "yes" : "no");
    inner = begun();
  }

  return { close: () => inner.close(), keys: (event) => scrolls(body, event), isCurrent: () => isFollowed };
}

/** @param {boolean} isFollowed @param {() => void} turn */
function followButton(isFollowed, turn) {
  return html`<button
    class="icon-button"
    aria-pressed=${isFollowed}
    aria-label=${strings.text.follow}
    title=${strings.text.follow}
    @click=${turn}
  >
    ${icon("radio")}
  </button>`;
}

/** Arrows that move long lines sideways do not leave the file. @param {HTMLElement} body @param {KeyboardEvent} event */
function scrolls(body, event) {
  const pane = body.querySelector(".view-code, .view-log");
  const step = { ArrowLeft: -80, ArrowRight: 80 }[event.key];
  if (!pane || !step || pane !== document.activeElement || pane.scrollWidth <= pane.clientWidth) return false;
  pane.scrollBy({ left: step });
  return true;
}
