/** What the forms of steps are built of. */

import { html, icon, live, nothing } from "../../core/html.js";
import { say } from "../../core/say.js";
import strings from "../../../strings/table.js";

export const TYPES = ["text", "int64", "int128", "decimal(18,2)", "float64", "bool", "date", "time", "timestamp"];

/**
 * @typedef {object} Form what a form works with
 * @property {any} draft
 * @property {string[]} columns those that are there before the step
 * @property {(name: string) => string} typeOf the type that a column's values fit, or ""
 * @property {(patch: Record<string, unknown>) => void} change
 * @property {string} folder where the table is
 */

/** @param {Event} event */
export function valueOf(event) {
  return /** @type {HTMLInputElement} */ (event.target).value;
}

/**
 * A field for text. Options: `hint` (an example), `isCode`, `isShort` (its label is for screen readers alone).
 *
 * @param {string} label
 * @param {string} value
 * @param {(value: string) => void} change
 * @param {{hint?: string, isCode?: boolean, isShort?: boolean, mode?: string}} [options]
 */
export function textField(label, value, change, { hint = "", isCode = false, isShort = false, mode } = {}) {
  return html`<label class="field">
    ${isShort ? nothing : html`<span>${label}</span>`}
    <input
      aria-label=${label}
      class=${isCode ? "transform-code" : ""}
      .value=${value ?? ""}
      placeholder=${hint}
      spellcheck="false"
      autocomplete="off"
      autocapitalize="off"
      inputmode=${mode ?? "text"}
      @input=${(/** @type {Event} */ event) => change(valueOf(event))}
    />
  </label>`;
}

/** Several lines. @param {string} label @param {string} value @param {(value: string) => void} change @param {string} [hint] */
export function codeField(label, value, change, hint = "") {
  return html`<label class="field">
    <span>${label}</span>
    <textarea
      class="transform-code"
      rows="3"
      .value=${value ?? ""}
      placeholder=${hint}
      spellcheck="false"
      autocapitalize="off"
      @input=${(/** @type {Event} */ event) => change(valueOf(event))}
    ></textarea>
  </label>`;
}

/**
 * @param {string} label
 * @param {string} value
 * @param {Record<string, string> | string[][]} options labels by value
 * @param {(value: string) => void} change
 */
export function choiceField(label, value, options, change) {
  return choice(label, value, options, { change, isShort: false });
}

/** The same without a label that is seen. @type {typeof choiceField} */
export function shortChoice(label, value, options, change) {
  return choice(label, value, options, { change, isShort: true });
}

/** @param {string} label @param {string} value @param {Record<string, string> | string[][]} options @param {{change: (value: string) => void, isShort: boolean}} look */
function choice(label, value, options, { change, isShort }) {
  const pairs = Array.isArray(options) ? options : Object.entries(options);
  return html`<label class="field">
    ${isShort ? nothing : html`<span>${label}</span>`}
    <select aria-label=${label} @change=${(/** @type {Event} */ event) => change(valueOf(event))}>
      ${pairs.map(([each, text]) => html`<option value=${each} .selected=${live(each === value)}>${text}</option>`)}
    </select>
  </label>`;
}

/** @param {string} label @param {string} value @param {string[]} columns @param {(value: string) => void} change */
export function columnField(label, value, columns, change) {
  const known = columns.filter(Boolean);
  const options = known.map((name) => [name, name]);
  if (value && !known.includes(value)) options.unshift([value, say(strings.gone, { name: value })]);
  if (!value) options.unshift(["", strings.chooseColumn]);
  return shortChoice(label, value, options, change);
}

/** @param {string} value @param {(value: string) => void} change @param {string} [none] a choice of no type */
export function typeField(value, change, none) {
  const names = TYPES.includes(value) || !value ? TYPES : [...TYPES, value];
  const options = names.map((name) => [name, /** @type {Record<string, string>} */ (strings.types)[name] ?? name]);
  return shortChoice(strings.type, value, none ? [["", none], ...options] : options, change);
}

/** Boxes for columns, in the order they are ticked in. @param {string} label @param {string[]} chosen @param {string[]} columns @param {(chosen: string[]) => void} change */
export function columnBoxes(label, chosen, columns, change) {
  const toggled = (/** @type {string} */ name) =>
    change(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
  const all = [...new Set([...columns.filter(Boolean), ...chosen])];
  return html`<fieldset class="transform-boxes">
    <legend class="label">${label}</legend>
    <div>
      ${all.map(
        (name) =>
          html`<label class="check">
            <input type="checkbox" .checked=${chosen.includes(name)} @change=${() => toggled(name)} />
            <span>${columns.includes(name) ? name : say(strings.gone, { name })}</span>
            ${chosen.length > 1 && chosen.includes(name) ? html`<small>${chosen.indexOf(name) + 1}</small>` : nothing}
          </label>`,
      )}
    </div>
  </fieldset>`;
}

/**
 * Lines of fields that can be added and removed.
 *
 * @template Item
 * @param {Item[]} items
 * @param {(item: Item, change: (patch: Partial<Item>) => void) => unknown} line
 * @param {(items: Item[]) => void} change
 * @param {{make: () => Item, add: string}} options
 */
export function lines(items, line, change, { make, add }) {
  const patched = (/** @type {number} */ index, /** @type {Partial<Item>} */ patch) =>
    change(items.map((item, at) => (at === index ? { ...item, ...patch } : item)));
  return html`<div class="transform-lines">
    ${items.map(
      (item, index) =>
        html`<div class="transform-line">
          ${line(item, (patch) => patched(index, patch))}
          <button
            class="icon-button"
            aria-label=${strings.removeLine}
            ?disabled=${items.length === 1}
            @click=${() => change(items.filter((_, at) => at !== index))}
          >
            ${icon("x")}
          </button>
        </div>`,
    )}
    <button class="button quiet" @click=${() => change([...items, make()])}>${icon("plus")} ${add}</button>
  </div>`;
}

/** @param {string} label @param {boolean} value @param {(value: boolean) => void} change */
export function switchField(label, value, change) {
  return html`<label class="switch">
    <input
      type="checkbox"
      role="switch"
      .checked=${value}
      @change=${(/** @type {Event} */ event) => change(/** @type {HTMLInputElement} */ (event.target).checked)}
    />
    ${label}
  </label>`;
}
