/** The steps of a transform: in their order, each with its form when it is open. */

import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { html, icon, nothing } from "../core/html.js";
import { openMenu } from "../core/menu.js";
import strings from "../../strings/table.js";
import { faultAt } from "./faults.js";
import { columnsAfter, kinds } from "./steps/kinds.js";
import { change, newId } from "./transform.js";

/** @typedef {import("./transform.js").Panel} Panel */
/** @typedef {import("./drafts.js").Draft} Draft */

/** @param {Panel} panel */
export function stepsView(panel) {
  const fault = faultAt(panel);
  const { steps } = panel.wanted;
  return html`<ol class="transform-list">
    ${repeat(
      steps,
      (draft) => draft.id,
      (draft, index) => stepView(panel, draft, index, fault && fault.draft?.id === draft.id ? fault.text : ""),
    )}
  </ol>`;
}

/** @param {Panel} panel @param {Draft} draft @param {number} index @param {string} fault */
function stepView(panel, draft, index, fault) {
  const kind = kinds[draft.op];
  const isOpen = panel.opened === draft.id;
  const toggle = () => {
    panel.opened = isOpen ? null : (draft.id ?? null);
    panel.update();
  };
  return html`<li class=${`transform-step ${draft.isOff ? "is-off" : ""} ${fault ? "is-faulty" : ""}`}>
    <div class="transform-step-head" @keydown=${(/** @type {KeyboardEvent} */ event) => keyed(panel, index, event)}>
      <button class="transform-step-name" aria-expanded=${isOpen} @click=${toggle}>
        ${icon(kind.icon)}
        <span><b>${nameOf(draft)}</b> <small>${isOpen ? "" : kind.tell(draft)}</small></span>
        ${draft.isOff ? html`<span class="badge">${strings.off}</span>` : nothing}
      </button>
      <button
        class="icon-button"
        aria-label=${`${strings.more}: ${nameOf(draft)}`}
        aria-haspopup="menu"
        @click=${(/** @type {Event} */ event) => openMenu(/** @type {HTMLElement} */ (event.currentTarget), menuOf(panel, draft, index))}
      >
        ${icon("ellipsis")}
      </button>
      <button
        class="icon-button"
        aria-label=${`${strings.remove}: ${nameOf(draft)}`}
        @click=${() => remove(panel, draft)}
      >
        ${icon("x")}
      </button>
    </div>
    ${isOpen ? formOf(panel, draft, index) : nothing}
    <p class="fault" role="alert">${fault || nothing}</p>
  </li>`;
}

/** @param {Panel} panel @param {Draft} draft @param {number} index */
function formOf(panel, draft, index) {
  const columns = columnsAfter(panel.base?.columns ?? [], panel.wanted.steps.slice(0, index));
  const patched = (/** @type {Record<string, unknown>} */ patch) => {
    const steps = panel.wanted.steps.map((each) => (each.id === draft.id ? { ...each, ...patch } : each));
    change(panel, { steps }, `${draft.id} ${Object.keys(patch)}`);
  };
  const typeOf = (/** @type {string} */ name) => panel.types.get(name) ?? "";
  return html`<div class="transform-form">
    ${kinds[draft.op].form({ draft, columns, typeOf, change: patched, folder: panel.folder })}
    ${kinds[draft.op].plan(draft) === null ? html`<p class="quiet">${strings.incomplete}</p>` : nothing}
  </div>`;
}

/** @param {Panel} panel @param {Draft} draft @param {number} index @returns {(MenuItem | null)[]} */
function menuOf(panel, draft, index) {
  const { steps } = panel.wanted;
  const turn = () =>
    change(panel, { steps: steps.map((each) => (each === draft ? { ...each, isOff: !each.isOff } : each)) });
  const double = () =>
    change(panel, { steps: steps.toSpliced(index + 1, 0, { ...structuredClone(draft), id: newId(panel) }) });
  return [
    {
      label: strings.moveUp,
      icon: "arrow-up",
      keys: "Alt ↑",
      isDisabled: index === 0,
      run: () => move(panel, index, -1),
    },
    {
      label: strings.moveDown,
      icon: "arrow-down",
      keys: "Alt ↓",
      isDisabled: index === steps.length - 1,
      run: () => move(panel, index, 1),
    },
    { label: draft.isOff ? strings.turnOn : strings.turnOff, icon: "eye", run: turn },
    { label: strings.duplicate, icon: "copy", run: double },
    null,
    { label: strings.remove, icon: "trash-2", isDangerous: true, run: () => remove(panel, draft) },
  ];
}

/** @param {Panel} panel @param {Draft} draft */
function remove(panel, draft) {
  change(panel, { steps: panel.wanted.steps.filter((each) => each.id !== draft.id) });
}

/** @param {Panel} panel @param {number} index @param {1 | -1} by */
function move(panel, index, by) {
  const steps = [...panel.wanted.steps];
  const to = index + by;
  if (to < 0 || to >= steps.length) return;
  [steps[index], steps[to]] = [steps[to], steps[index]];
  change(panel, { steps });
}

/** @param {Panel} panel @param {number} index @param {KeyboardEvent} event */
function keyed(panel, index, event) {
  if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  move(panel, index, event.key === "ArrowUp" ? -1 : 1);
}

/** @param {Draft} draft */
function nameOf({ op }) {
  return /** @type {Record<string, string>} */ (strings.kinds)[op];
}
