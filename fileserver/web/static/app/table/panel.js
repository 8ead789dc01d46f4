/** What the transform panel shows: steps on one side, the rows they give on the other, and ways out below. */

import { messageOf, Problem } from "../core/api.js";
import { html, icon, nothing } from "../core/html.js";
import { openMenu } from "../core/menu.js";
import { number, say } from "../core/say.js";
import { isPhone } from "../core/viewport.js";
import strings from "../../strings/table.js";
import { PREVIEW_ROWS } from "./asking.js";
import { faultAt } from "./faults.js";
import { outputView } from "./output.js";
import { askReading } from "./reading.js";
import { showRejects } from "./rejects.js";
import { codeField } from "./steps/controls.js";
import { kinds } from "./steps/kinds.js";
import { stepsView } from "./step-list.js";
import { addStep, change, travel } from "./transform.js";

/** @typedef {import("./transform.js").Panel} Panel */

/** @param {Panel} panel @param {() => void} close */
export function panelView(panel, close) {
  return html`<div class="transform-room" data-tab=${panel.tab}>
    ${toolbar(panel)}
    <section class="transform-steps" aria-label=${strings.steps}>
      ${panel.wanted.isSql ? sqlView(panel) : stepsView(panel)} ${panel.wanted.isSql ? nothing : adding(panel)}
    </section>
    <section class="transform-result" aria-label=${strings.preview} aria-busy=${panel.isWorking ? "true" : "false"}>
      ${resultView(panel)}
    </section>
    ${outputView(panel, close)}
  </div>`;
}

/** @param {Panel} panel */
function toolbar(panel) {
  const { isSql } = panel.wanted;
  const isResult = panel.tab === "result" && isPhone();
  const turn = (/** @type {boolean} */ value) => {
    panel.tab = "steps";
    if (value !== isSql) change(panel, { isSql: value });
    else panel.update();
  };
  const look = () => {
    panel.tab = "result";
    panel.update();
    panel.grid.resized();
  };
  return html`<div class="transform-tools">
    <div class="tabs" role="group" aria-label=${strings.shownPart}>
      <button aria-pressed=${!isSql && !isResult} @click=${() => turn(false)}>${strings.steps}</button>
      <button aria-pressed=${isSql && !isResult} @click=${() => turn(true)}>SQL</button>
      <button class="transform-phone" aria-pressed=${isResult} @click=${look}>${strings.preview}</button>
    </div>
    <span class="transform-gap"></span>
    ${tool("undo-2", strings.undo, () => travel(panel, "undo"), !panel.past.mayUndo)}
    ${tool("rotate-cw", strings.redo, () => travel(panel, "redo"), !panel.past.mayRedo)}
    ${tool("settings-2", strings.howRead, () => changeReading(panel), false)}
  </div>`;
}

/** @param {string} sign @param {string} label @param {() => void} run @param {boolean} isOff */
function tool(sign, label, run, isOff) {
  return html`<button class="icon-button" title=${label} aria-label=${label} ?disabled=${isOff} @click=${run}>
    ${icon(sign)}
  </button>`;
}

/** @param {Panel} panel */
async function changeReading(panel) {
  const reading = await askReading(panel.wanted.reading);
  if (reading) change(panel, { reading });
}

/** @param {Panel} panel */
function adding(panel) {
  const names = /** @type {Record<string, string>} */ (strings.kinds);
  const items = Object.entries(kinds).map(([op, kind]) => ({
    label: names[op],
    icon: kind.icon,
    run: () => addStep(panel, op),
  }));
  const open = (/** @type {Event} */ event) =>
    openMenu(/** @type {HTMLElement} */ (event.currentTarget), items, { label: strings.addStep });
  return html`<button class="button transform-add" aria-haspopup="menu" ?disabled=${!panel.base} @click=${open}>
      ${icon("plus")} ${strings.addStep}
    </button>
    ${panel.wanted.steps.length ? nothing : html`<p class="quiet">${strings.noSteps}</p>`}`;
}

/** @param {Panel} panel */
function sqlView(panel) {
  const fault = faultAt(panel)?.where === "sql" ? faultAt(panel)?.text : "";
  return html`<div class="transform-sql">
    ${codeField(strings.sql, panel.wanted.sql, (sql) => change(panel, { sql }, "sql"), "select city, count(*) as n from input group by city")}
    <p class="fault" role="alert">${fault || nothing}</p>
    <p class="quiet">${strings.sqlHint}</p>
  </div>`;
}

/** @param {Panel} panel */
function resultView(panel) {
  const fault = faultAt(panel);
  const shown = panel.preview ?? panel.base;
  return html`
    ${fault && !fault.draft && fault.where !== "sql" ? faultView(panel, fault.text) : nothing}
    <div class=${`transform-grid ${fault ? "is-old" : ""}`}>${shown ? panel.grid.element : nothing}</div>
    ${!shown && panel.isWorking ? html`<div class="skeleton transform-skeleton"></div>` : nothing}
    <p class="table-status" role="status">
      ${shown && !fault ? told(panel, shown) : nothing}
      ${panel.isWorking ? html`<span class="badge">${strings.working}</span>` : nothing}
    </p>
  `;
}

/** @param {Panel} panel @param {import("./asking.js").Preview} shown */
function told(panel, { rows, columns, isAll, isOfSample, rejected, job }) {
  const count =
    isAll && !isOfSample
      ? say.many(strings.rows, rows.length)
      : say.many(isOfSample && isAll ? strings.sampleOf : strings.firstRows, isAll ? rows.length : PREVIEW_ROWS);
  const open = () => job && showRejects(job, panel.name);
  return html`${count} · ${say.many(strings.columns, columns.length)}
  ${rejected ? html`· <button class="transform-link" @click=${open}>${say.many(strings.leftOut, rejected)}</button>` : nothing}`;
}

/** @param {Panel} panel @param {string} text */
function faultView(panel, text) {
  const { problem } = panel;
  const isRow = problem instanceof Problem && problem.type.endsWith(":malformed-row");
  const skip = () => change(panel, { reading: { ...panel.wanted.reading, on_bad_row: "skip" } });
  return html`<div class="transform-fault" role="alert">
    ${icon("circle-alert")}
    <div>
      <p>${text || messageOf(problem)}</p>
      ${isRow && problem.members.line ? html`<p class="quiet">${say(strings.atLine, { line: number(problem.members.line) })} <code>${problem.members.raw ?? ""}</code></p>` : nothing}
      ${isRow && !problem.members.column ? html`<button class="button" @click=${skip}>${strings.leaveOut}</button>` : nothing}
    </div>
  </div>`;
}
