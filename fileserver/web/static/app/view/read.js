/** A text from its beginning: the first piece at once, more when asked for; in colours, indented where it is JSON. */

import strings from "../../strings/view.js";
import { html, icon, nothing, render } from "../core/html.js";
import { say, size } from "../core/say.js";
import { isPhone } from "../core/viewport.js";
import { explain } from "./explain.js";
import { languageOf } from "./languages.js";
import { linesPane } from "./lines.js";
import { faultOf, readingOf } from "./reading.js";

const words = strings.text;
/** Lines of these are sentences, and lines of no known language may be. */
const PROSE = [null, "markdown"];
const WRAP = "view.wrap";

/**
 * @param {HTMLElement} body
 * @param {Row} row
 * @param {{tools: HTMLElement, signal: AbortSignal}} place
 */
export function readText(body, row, { tools, signal: outer }) {
  const ending = new AbortController();
  const signal = AbortSignal.any([outer, ending.signal]);
  const language = languageOf(row);
  const pane = linesPane(say(words.label, { name: row.name }));
  const foot = document.createElement("div");
  foot.className = "view-foot";
  let isWrapped = wrapsAtFirst(language);
  const reading = readingOf(row, language, signal, {
    show: (text, { isAnew }) => (isAnew ? pane.show(text) : pane.extend(text)),
    colour: (lines) => pane.colour(lines),
    changed: draw,
  });

  function wrap() {
    isWrapped = !isWrapped;
    localStorage.setItem(WRAP, isWrapped ? "yes" : "no");
    draw();
  }

  function again() {
    body.replaceChildren(pane.element, foot);
    reading.again();
  }

  function draw() {
    const { state } = reading;
    pane.element.classList.toggle("view-wrapped", isWrapped);
    const isJson = language === "json" && state.end > 0;
    const indent = toggle({ name: "braces", label: words.pretty, isOn: state.isPretty, turn: reading.indent });
    render(
      html`${isJson ? indent : nothing} ${toggle({ name: "wrap-text", label: words.wrap, isOn: isWrapped, turn: wrap })}`,
      tools,
    );
    render(footOf(state, state.isChanged ? again : reading.more), foot);
    if (!state.isBusy) instead(state);
  }

  /** What is said instead of a text. @param {typeof reading.state} state */
  function instead(state) {
    const fault = faultOf(state, words.changed);
    if (state.end > 0) return;
    if (fault) {
      explain(body, { title: strings.cannotShow, body: fault, row, retry: { label: strings.tryAgain, run: again } });
    } else explain(body, { title: words.empty, body: "", iconName: "file-text" });
  }

  again();
  return {
    close() {
      ending.abort();
      reading.close();
      pane.close();
      render(nothing, tools);
    },
  };
}

/** @param {{name: string, label: string, isOn: boolean, turn: () => void}} button */
function toggle({ name, label, isOn, turn }) {
  return html`<button class="icon-button" aria-pressed=${isOn} aria-label=${label} title=${label} @click=${turn}>
    ${icon(name)}
  </button>`;
}

/** How much is shown, and the way to more. @param {ReturnType<typeof readingOf>["state"]} state @param {() => void} more */
function footOf(state, more) {
  const fault = faultOf(state, words.changed);
  const { end, total, isBusy, isChanged } = state;
  if (!end || (end >= total && !fault)) return nothing;
  const label = isChanged ? words.showNew : fault ? strings.tryAgain : words.more;
  return html`<p role="status">${fault ?? say(words.shown, { shown: size(end), total: size(total) })}</p>
    <button class="button" ?disabled=${isBusy} @click=${more}>${label}</button>`;
}

/** @param {string | null} language */
function wrapsAtFirst(language) {
  const chosen = localStorage.getItem(WRAP);
  return chosen ? chosen === "yes" : PROSE.includes(language) || isPhone();
}
