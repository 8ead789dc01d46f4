/** Steps that choose and order rows. */

import { html, nothing } from "../../core/html.js";
import strings from "../../../strings/table.js";
import {
  choiceField,
  shortChoice,
  codeField,
  columnBoxes,
  columnField,
  lines,
  switchField,
  textField,
  typeField,
} from "./controls.js";
import { ALONE, condition, TEST_NAMES } from "./sql.js";

/** @typedef {import("./kinds.js").Kind} Kind */

/** @type {Kind} */
export const filter = {
  icon: "filter",
  make: (columns) => ({ isFree: false, column: columns[0] ?? "", test: "is", value: "", where: "" }),
  plan: (draft) => {
    const where = draft.isFree ? draft.where.trim() : plainCondition(draft);
    return where ? { where } : null;
  },
  after: (columns) => columns,
  tell: (draft) =>
    draft.isFree
      ? draft.where
      : [draft.column, testNames[draft.test], ALONE.has(draft.test) ? "" : draft.value].join(" "),
  form: ({ draft, columns, change }) => html`
    ${
      draft.isFree
        ? codeField(strings.expression, draft.where, (where) => change({ where }), strings.expressionHint)
        : html`<div class="transform-line">
            ${columnField(strings.column, draft.column, columns, (column) => change({ column }))}
            ${shortChoice(strings.test, draft.test, testNames, (test) => change({ test }))}
            ${
              ALONE.has(draft.test)
                ? nothing
                : textField(strings.value, draft.value, (value) => change({ value }), {
                    hint: strings.value,
                    isShort: true,
                  })
            }
          </div>`
    }
    ${switchField(strings.asExpression, draft.isFree, (isFree) => change({ isFree, where: draft.where || (plainCondition(draft) ?? "") }))}
  `,
};

const testNames = Object.fromEntries(
  TEST_NAMES.map((name) => [name, /** @type {Record<string, string>} */ (strings.tests)[name]]),
);

/** @param {{column: string, test: string, value: string}} draft */
function plainCondition({ column, test, value }) {
  return column && (value || ALONE.has(test)) ? condition(test, column, value) : null;
}

/** @typedef {{column: string, desc?: boolean, type?: string, nulls?: string}} Key */

/** @type {Kind} */
export const sort = {
  icon: "arrow-up",
  make: () => ({ keys: [{ column: "", desc: false, type: "" }] }),
  plan: ({ keys }) => {
    const by = keys.filter((/** @type {Key} */ key) => key.column).map(sortKey);
    return by.length ? { by } : null;
  },
  after: (columns) => columns,
  tell: ({ keys }) =>
    keys
      .filter((/** @type {Key} */ key) => key.column)
      .map((/** @type {Key} */ key) => `${key.column} ${key.desc ? "↓" : "↑"}`)
      .join(", "),
  form: ({ draft, columns, typeOf, change }) =>
    lines(
      /** @type {Key[]} */ (draft.keys),
      (key, patch) =>
        html`${columnField(strings.column, key.column, columns, (column) => patch({ column, type: sortable(typeOf(column)) }))}
        ${shortChoice(strings.order, key.desc ? "desc" : "asc", { asc: strings.up, desc: strings.down }, (order) => patch({ desc: order === "desc" }))}
        ${typeField(key.type ?? "", (type) => patch({ type }), strings.asText)}`,
      (keys) => change({ keys }),
      { make: () => ({ column: "", desc: false, type: "" }), add: strings.addColumn },
    ),
};

/** @param {Key} key */
function sortKey({ column, desc, type, nulls }) {
  return { column, ...(desc ? { desc } : {}), ...(type ? { type } : {}), ...(nulls === "first" ? { nulls } : {}) };
}

/** Text is what all columns are sorted as unless something else is said. @param {string} type */
function sortable(type) {
  return type === "text" ? "" : type;
}

/** @type {Kind} */
export const distinct = {
  icon: "copy",
  make: () => ({ columns: [], keep: "first" }),
  plan: ({ columns, keep }) => ({ ...(columns.length ? { on: columns } : {}), ...(keep === "any" ? { keep } : {}) }),
  after: (columns) => columns,
  tell: ({ columns }) => columns.join(", ") || strings.allColumns,
  form: ({ draft, columns, change }) => html`
    ${columnBoxes(strings.distinctLabel, draft.columns, columns, (chosen) => change({ columns: chosen }))}
    ${choiceField(strings.keep, draft.keep, { first: strings.keepFirst, any: strings.keepAny }, (keep) => change({ keep }))}
  `,
};

/** @type {Kind} */
export const limit = {
  icon: "list-ordered",
  make: () => ({ n: "100", offset: "" }),
  plan: ({ n, offset }) => {
    const [most, first] = [count(n), count(offset)];
    return most === undefined && !first ? null : { n: most, ...(first ? { offset: first } : {}) };
  },
  after: (columns) => columns,
  tell: ({ n, offset }) => [n, offset && `${strings.after} ${offset}`].filter(Boolean).join(" "),
  form: ({ draft, change }) =>
    html`<div class="transform-line">
      ${textField(strings.mostRows, draft.n, (n) => change({ n }), { mode: "numeric", hint: strings.all })}
      ${textField(strings.skipFirst, draft.offset, (offset) => change({ offset }), { mode: "numeric", hint: "0" })}
    </div>`,
};

/** @type {Kind} */
export const sample = {
  icon: "shuffle",
  make: () => ({ n: "100", seed: "" }),
  plan: ({ n, seed }) => {
    const rows = count(n);
    return rows === undefined ? null : { n: rows, ...(count(seed) ? { seed: count(seed) } : {}) };
  },
  after: (columns) => columns,
  tell: ({ n }) => String(n),
  form: ({ draft, change }) =>
    html`<div class="transform-line">
      ${textField(strings.sampleRows, draft.n, (n) => change({ n }), { mode: "numeric" })}
      ${textField(strings.seed, draft.seed, (seed) => change({ seed }), { mode: "numeric", hint: "0" })}
    </div>`,
};

/** @param {string} value */
function count(value) {
  const digits = String(value).replace(/[\s,.'’]/g, "");
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}
