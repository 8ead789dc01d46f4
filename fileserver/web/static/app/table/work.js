/** A result on its way: how far it is, how it ended. */

import { messageOf, Problem } from "../core/api.js";
import { emit } from "../core/bus.js";
import { confirm, prompt } from "../core/dialog.js";
import { html, icon, nothing } from "../core/html.js";
import { notice } from "../core/notice.js";
import { say, size } from "../core/say.js";
import strings from "../../strings/table.js";
import { planFor } from "./transform.js";
import { showRejects } from "./rejects.js";
import { download, store } from "./saving.js";

/** @typedef {import("./transform.js").Panel} Panel */

/**
 * @typedef {object} Work
 * @property {string} name of the result
 * @property {boolean} isRunning
 * @property {import("./saving.js").Progress} progress
 * @property {import("./saving.js").Outcome | null} outcome
 * @property {unknown} fault
 * @property {AbortController} stop
 * @property {() => void} again
 */

/** @param {Panel} panel @param {string} name */
export function startDownload(panel, name) {
  const again = () => startDownload(panel, name);
  const plan = planFor(panel);
  return run(panel, name, again, (watch) => download(panel.table, plan, name, watch));
}

/** Ask for a name and store the result under it. @param {Panel} panel @param {string} suggestion @param {() => void} close */
export async function startStoring(panel, suggestion, close) {
  const check = (/** @type {string} */ value) => (value.trim() ? null : strings.nameNeeded);
  const selectTo = suggestion.lastIndexOf(".");
  const name = await prompt({
    title: strings.store,
    label: strings.name,
    value: suggestion,
    selectTo,
    yes: strings.storeHere,
    check,
  });
  if (name !== null) storeAs(panel, name.trim(), close, false);
}

/** @param {Panel} panel @param {string} name @param {() => void} close @param {boolean} isReplacing */
async function storeAs(panel, name, close, isReplacing) {
  const key = panel.folder + name;
  const plan = planFor(panel);
  const again = () => storeAs(panel, name, close, isReplacing);
  await run(panel, name, again, (watch) => store(panel.table, plan, { key, isReplacing }, watch));
  const fault = panel.work?.fault;
  if (fault instanceof Problem && fault.type.endsWith(":key-taken") && !isReplacing) {
    panel.work = null;
    panel.update();
    const isSure = await confirm({
      title: say(strings.taken, { name }),
      body: strings.takenBody,
      yes: strings.replaceIt,
      isDangerous: true,
    });
    if (isSure) await storeAs(panel, name, close, true);
    return;
  }
  if (panel.work?.outcome) emit("changed", { folder: panel.folder });
}

/** @param {Panel} panel @param {string} name @param {() => void} again @param {(watch: {signal: AbortSignal, onProgress: (progress: import("./saving.js").Progress) => void}) => Promise<import("./saving.js").Outcome | null>} save */
async function run(panel, name, again, save) {
  const work = /** @type {Work} */ ({
    name,
    isRunning: true,
    progress: { out: 0, done: 0, total: null },
    outcome: null,
    fault: null,
    stop: new AbortController(),
    again,
  });
  panel.work = work;
  panel.update();
  const onProgress = (/** @type {import("./saving.js").Progress} */ progress) => {
    work.progress = progress;
    panel.update();
  };
  try {
    work.outcome = await save({ signal: work.stop.signal, onProgress });
    if (!work.outcome) panel.work = null;
  } catch (error) {
    if (work.stop.signal.aborted) panel.work = null;
    else work.fault = error;
  }
  work.isRunning = false;
  if (work.outcome && work.stop.signal.aborted) notice(say(strings.saved, { name }));
  panel.update();
}

/** @param {Panel} panel */
export function workView(panel) {
  const { work } = panel;
  if (!work) return nothing;
  if (work.isRunning) return runningView(work);
  const dismiss = () => {
    panel.work = null;
    panel.update();
  };
  return html`<div class="transform-work" role=${work.fault ? "alert" : "status"}>
    ${work.fault ? icon("circle-alert") : icon("circle-check")}
    <p>${work.fault ? messageOf(work.fault) : doneText(work)}</p>
    ${
      work.outcome?.rejected && work.outcome.job
        ? html`<button class="button" @click=${() => showRejects(work.outcome?.job ?? "", panel.name)}>
            ${say.many(strings.leftOut, work.outcome.rejected)}
          </button>`
        : nothing
    }
    ${work.fault ? html`<button class="button" @click=${work.again}>${strings.again}</button>` : nothing}
    <button class="icon-button" aria-label=${strings.dismiss} @click=${dismiss}>${icon("x")}</button>
  </div>`;
}

/** @param {Work} work */
function doneText({ outcome, name, progress }) {
  return outcome?.by === "browser" ? strings.handedOver : say(strings.savedSize, { name, size: size(progress.out) });
}

/** @param {Work} work */
function runningView({ name, progress, stop }) {
  const { out, done, total } = progress;
  const share = total ? Math.min(1, done / total) : 0;
  return html`<div class="transform-work" role="status">
    <div class="transform-meter">
      <p>${say(strings.saving, { name, size: size(out) })}</p>
      <div
        class=${`meter ${total ? "" : "is-unknown"}`}
        role="progressbar"
        aria-label=${name}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${Math.round(share * 100)}
        .style=${`--value: ${share}`}
      >
        <i></i>
      </div>
    </div>
    <button class="button" @click=${() => stop.abort()}>${strings.cancel}</button>
  </div>`;
}
