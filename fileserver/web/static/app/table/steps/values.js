/** Steps that make and change values. */

import { html } from "../../core/html.js";
import strings from "../../../strings/table.js";
import { choiceField, columnBoxes, columnField, lines, textField, typeField } from "./controls.js";

/** @typedef {import("./kinds.js").Kind} Kind */

/** @typedef {{name: string, expression: string}} Derived */

/** @type {Kind} */
export const derive = {
  icon: "plus",
  make: () => ({ pairs: [{ name: "", expression: "" }] }),
  plan: ({ pairs }) => mapOf(pairs.map((/** @type {Derived} */ pair) => [pair.name, pair.expression.trim()])),
  after: (columns, { pairs }) => [
    ...new Set([...columns, ...pairs.map((/** @type {Derived} */ pair) => pair.name).filter(Boolean)]),
  ],
  tell: ({ pairs }) => pairs.map((/** @type {Derived} */ pair) => `${pair.name} = ${pair.expression}`).join("; "),
  form: ({ draft, change }) =>
    lines(
      /** @type {Derived[]} */ (draft.pairs),
      (pair, patch) =>
        html`${textField(strings.name, pair.name, (name) => patch({ name }), { hint: strings.name, isShort: true })}
        ${textField(strings.expression, pair.expression, (expression) => patch({ expression }), { hint: strings.deriveHint, isShort: true, isCode: true })}`,
      (pairs) => change({ pairs }),
      { make: () => ({ name: "", expression: "" }), add: strings.addColumn },
    ),
};

/** @typedef {{column: string, type: string}} Typed */

/** @type {Kind} */
export const types = {
  icon: "file-type",
  make: () => ({ pairs: [{ column: "", type: "int64" }] }),
  plan: ({ pairs }) => mapOf(pairs.map((/** @type {Typed} */ pair) => [pair.column, pair.type])),
  after: (columns) => columns,
  tell: tellTypes,
  form: ({ draft, columns, typeOf, change }) =>
    html`<p class="quiet">${strings.typesHint}</p>
      ${typeLines(draft.pairs, columns, typeOf, (pairs) => change({ pairs }))}`,
};

/** @type {Kind} */
export const cast = {
  icon: "repeat",
  make: () => ({ pairs: [{ column: "", type: "int64" }], format: "", onError: "abort" }),
  plan: ({ pairs, format, onError }) => {
    const columns = mapOf(pairs.map((/** @type {Typed} */ pair) => [pair.column, pair.type]));
    return (
      columns && { ...columns, ...(format ? { format } : {}), ...(onError === "abort" ? {} : { on_error: onError }) }
    );
  },
  after: (columns, { onError }) => (onError === "mark" ? [...new Set([...columns, "_errors"])] : columns),
  tell: tellTypes,
  form: ({ draft, columns, typeOf, change }) =>
    html`${typeLines(draft.pairs, columns, typeOf, (pairs) => change({ pairs }))}
    ${choiceField(strings.atFault, draft.onError, strings.onError, (onError) => change({ onError }))}
    ${
      draft.pairs.some((/** @type {Typed} */ pair) => /^(date|time)/.test(pair.type))
        ? textField(strings.format, draft.format, (format) => change({ format }), { hint: "%d/%m/%Y", isCode: true })
        : ""
    }`,
};

/** @param {{pairs: Typed[]}} draft */
function tellTypes({ pairs }) {
  return pairs
    .filter((pair) => pair.column)
    .map((pair) => `${pair.column}: ${pair.type}`)
    .join(", ");
}

/** @param {Typed[]} pairs @param {string[]} columns @param {(name: string) => string} typeOf @param {(pairs: Typed[]) => void} change */
function typeLines(pairs, columns, typeOf, change) {
  return lines(
    pairs,
    (pair, patch) =>
      html`${columnField(strings.column, pair.column, columns, (column) => patch({ column, type: typeOf(column) || pair.type }))}
      ${typeField(pair.type, (type) => patch({ type }))}`,
    change,
    { make: () => ({ column: "", type: "int64" }), add: strings.addColumn },
  );
}

/** @typedef {{column: string, value: string}} Filled */

/** @type {Kind} */
export const fillNull = {
  icon: "arrow-down-to-line",
  make: () => ({ pairs: [{ column: "", value: "" }] }),
  plan: ({ pairs }) => {
    const whole = pairs.filter((/** @type {Filled} */ pair) => pair.column);
    return whole.length
      ? { columns: new Map(whole.map((/** @type {Filled} */ pair) => [pair.column, pair.value])) }
      : null;
  },
  after: (columns) => columns,
  tell: ({ pairs }) =>
    pairs
      .filter((/** @type {Filled} */ pair) => pair.column)
      .map((/** @type {Filled} */ pair) => `${pair.column}: ${pair.value}`)
      .join(", "),
  form: ({ draft, columns, change }) =>
    lines(
      /** @type {Filled[]} */ (draft.pairs),
      (pair, patch) =>
        html`${columnField(strings.column, pair.column, columns, (column) => patch({ column }))}
        ${textField(strings.value, pair.value, (value) => patch({ value }), { hint: strings.value, isShort: true })}`,
      (pairs) => change({ pairs }),
      { make: () => ({ column: "", value: "" }), add: strings.addColumn },
    ),
};

/** @typedef {{old: string, new: string}} Replacing */

/** @type {Kind} */
export const replace = {
  icon: "repeat",
  make: (columns) => ({ column: columns[0] ?? "", pairs: [{ old: "", new: "" }] }),
  plan: ({ column, pairs }) => {
    const whole = pairs.filter((/** @type {Replacing} */ pair) => pair.old);
    if (!column || !whole.length) return null;
    return { column, map: new Map(whole.map((/** @type {Replacing} */ pair) => [pair.old, pair.new || null])) };
  },
  after: (columns) => columns,
  tell: ({ column, pairs }) =>
    `${column}: ${pairs.map((/** @type {Replacing} */ pair) => `${pair.old} → ${pair.new || "∅"}`).join(", ")}`,
  form: ({ draft, columns, change }) =>
    html`${columnField(strings.column, draft.column, columns, (column) => change({ column }))}
    ${lines(
      /** @type {Replacing[]} */ (draft.pairs),
      (pair, patch) =>
        html`${textField(strings.oldValue, pair.old, (old) => patch({ old }), { hint: strings.oldValue, isShort: true })}
        ${textField(strings.newValue, pair.new, (value) => patch({ new: value }), { hint: strings.newValueHint, isShort: true })}`,
      (pairs) => change({ pairs }),
      { make: () => ({ old: "", new: "" }), add: strings.addValue },
    )}`,
};

/** @type {Kind} */
export const clean = {
  icon: "star",
  make: () => ({ actions: ["trim"], columns: [] }),
  plan: ({ actions, columns }) => (actions.length ? { actions, ...(columns.length ? { columns } : {}) } : null),
  after: (columns) => columns,
  tell: ({ actions }) => actions.map(actionName).join(", "),
  form: ({ draft, columns, change }) => html`
    <fieldset class="transform-boxes">
      <legend class="label">${strings.repairs}</legend>
      <div>
        ${Object.keys(strings.actions).map((action) => actionBox(action, draft.actions, (actions) => change({ actions })))}
      </div>
    </fieldset>
    ${columnBoxes(strings.cleanLabel, draft.columns, columns, (chosen) => change({ columns: chosen }))}
  `,
};

/** @param {string} action @param {string[]} chosen @param {(chosen: string[]) => void} change */
function actionBox(action, chosen, change) {
  const toggled = () =>
    change(chosen.includes(action) ? chosen.filter((each) => each !== action) : [...chosen, action]);
  return html`<label class="check">
    <input type="checkbox" .checked=${chosen.includes(action)} @change=${toggled} />
    <span>${actionName(action)}</span>
  </label>`;
}

/** @param {string} action */
function actionName(action) {
  return /** @type {Record<string, string>} */ (strings.actions)[action];
}

/** @param {[string, string][]} pairs @returns {{columns: Map<string, string>} | null} */
function mapOf(pairs) {
  const whole = pairs.filter(([name, value]) => name && value);
  return whole.length ? { columns: new Map(whole) } : null;
}
