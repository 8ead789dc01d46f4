/** Steps that choose and name columns. */

import { html } from "../../core/html.js";
import strings from "../../../strings/table.js";
import { columnBoxes, columnField, lines, textField } from "./controls.js";

/** @typedef {import("./kinds.js").Kind} Kind */

/** @type {Kind} */
export const select = {
  icon: "columns-3",
  make: () => ({ columns: [] }),
  plan: ({ columns }) => (columns.length ? { columns } : null),
  after: (_, { columns }) => columns,
  tell: ({ columns }) => columns.join(", "),
  form: ({ draft, columns, change }) =>
    columnBoxes(strings.selectLabel, draft.columns, columns, (chosen) => change({ columns: chosen })),
};

/** @type {Kind} */
export const drop = {
  icon: "minus",
  make: () => ({ columns: [] }),
  plan: ({ columns }) => (columns.length ? { columns } : null),
  after: (columns, draft) => columns.filter((name) => !draft.columns.includes(name)),
  tell: ({ columns }) => columns.join(", "),
  form: ({ draft, columns, change }) =>
    columnBoxes(strings.dropLabel, draft.columns, columns, (chosen) => change({ columns: chosen })),
};

/** @typedef {{old: string, new: string}} Renaming */

/** @type {Kind} */
export const rename = {
  icon: "pencil",
  make: () => ({ pairs: [{ old: "", new: "" }] }),
  plan: ({ pairs }) => {
    const whole = pairs.filter((/** @type {Renaming} */ pair) => pair.old && pair.new);
    return whole.length
      ? { columns: new Map(whole.map((/** @type {Renaming} */ pair) => [pair.old, pair.new])) }
      : null;
  },
  after: (columns, { pairs }) =>
    columns.map((name) => pairs.find((/** @type {Renaming} */ pair) => pair.old === name && pair.new)?.new ?? name),
  tell: ({ pairs }) =>
    pairs
      .filter((/** @type {Renaming} */ pair) => pair.old)
      .map((/** @type {Renaming} */ pair) => `${pair.old} → ${pair.new}`)
      .join(", "),
  form: ({ draft, columns, change }) =>
    lines(
      /** @type {Renaming[]} */ (draft.pairs),
      (pair, patch) =>
        html`${columnField(strings.column, pair.old, columns, (old) => patch({ old }))}
        ${textField(strings.newName, pair.new, (name) => patch({ new: name }), { hint: strings.newName, isShort: true })}`,
      (pairs) => change({ pairs }),
      { make: () => ({ old: "", new: "" }), add: strings.addColumn },
    ),
};
