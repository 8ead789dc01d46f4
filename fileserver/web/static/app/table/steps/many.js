/** Steps that make one row of many, or bring another table in. */

import { askJson, href } from "../../core/api.js";
import { html, icon, nothing } from "../../core/html.js";
import strings from "../../../strings/table.js";
import { choiceField, shortChoice, columnBoxes, columnField, lines, textField, valueOf } from "./controls.js";
import { aggregate, AGGREGATE_NAMES } from "./sql.js";

/** @typedef {import("./kinds.js").Kind} Kind */
/** @typedef {{name: string, what: string, column: string, type: string}} Aggregate */

/** @type {Kind} */
export const groupBy = {
  icon: "layout-grid",
  make: () => ({ columns: [], aggregates: [{ name: "", what: "count", column: "", type: "" }], having: "" }),
  plan: ({ columns, aggregates, having }) => {
    const made = aggregates.filter(isWhole);
    if (!columns.length && !made.length) return null;
    const by = new Map(
      made.map((/** @type {Aggregate} */ each) => [nameOf(each), aggregate(each.what, each.column, each.type)]),
    );
    return { columns, ...(by.size ? { aggregate: by } : {}), ...(having.trim() ? { having: having.trim() } : {}) };
  },
  after: (_, { columns, aggregates }) => [...columns, ...aggregates.filter(isWhole).map(nameOf)],
  tell: ({ columns, aggregates }) => [...columns, ...aggregates.filter(isWhole).map(nameOf)].join(", "),
  form: ({ draft, columns, typeOf, change }) => html`
    ${columnBoxes(strings.groupLabel, draft.columns, columns, (names) => change({ columns: names }))}
    ${lines(
      /** @type {Aggregate[]} */ (draft.aggregates),
      (each, patch) => aggregateLine(each, columns, typeOf, patch),
      (aggregates) => change({ aggregates }),
      { make: () => ({ name: "", what: "sum", column: "", type: "" }), add: strings.addAggregate },
    )}
    ${textField(strings.having, draft.having, (having) => change({ having }), { hint: "n > 1", isCode: true })}
  `,
};

/** @param {Aggregate} each @param {string[]} columns @param {(name: string) => string} typeOf @param {(patch: Partial<Aggregate>) => void} patch */
function aggregateLine(each, columns, typeOf, patch) {
  const names = /** @type {Record<string, string>} */ (strings.aggregates);
  const options = AGGREGATE_NAMES.map((name) => [name, names[name]]);
  const typed = (/** @type {string} */ column, /** @type {string} */ what) => {
    const isSum = ["sum", "avg", "median"].includes(what);
    const type = typeOf(column);
    return { column, what, type: isSum && (!type || type === "text") ? "float64" : type };
  };
  return html`${shortChoice(strings.aggregate, each.what, options, (what) => patch(typed(each.column, what)))}
  ${each.what === "count" ? nothing : columnField(strings.column, each.column, columns, (column) => patch(typed(column, each.what)))}
  ${textField(strings.name, each.name, (name) => patch({ name }), { hint: nameOf(each), isShort: true })}`;
}

/** @param {Aggregate} each */
function isWhole({ what, column }) {
  return what === "count" || column !== "";
}

/** @param {Aggregate} each */
function nameOf({ name, what, column }) {
  return name || (what === "count" ? "n" : `${column}_${what}`);
}

/** @typedef {{ours: string, theirs: string}} Agreement */

/** @type {Kind} */
export const join = {
  icon: "link",
  make: () => ({ file: "", theirs: [], on: [{ ours: "", theirs: "" }], how: "left" }),
  plan: ({ file, on, how }) => {
    const whole = on.filter((/** @type {Agreement} */ pair) => pair.ours && pair.theirs);
    if (!file || !whole.length) return null;
    return {
      file,
      on: new Map(whole.map((/** @type {Agreement} */ pair) => [pair.ours, pair.theirs])),
      ...(how === "left" ? {} : { how }),
    };
  },
  after: (columns, { theirs, on, how }) => {
    if (how === "semi" || how === "anti") return columns;
    const keys = on.map((/** @type {Agreement} */ pair) => pair.theirs);
    return [...columns, ...theirs.filter((/** @type {string} */ name) => !keys.includes(name))];
  },
  tell: ({ file }) => file,
  form: ({ draft, columns, change, folder }) => html`
    <label class="field">
      <span>${strings.otherTable}</span>
      <input
        class="transform-code"
        list="transform-tables"
        .value=${draft.file}
        placeholder="${folder}cities.csv"
        spellcheck="false"
        autocapitalize="off"
        @focus=${(/** @type {Event} */ event) => offer(/** @type {HTMLInputElement} */ (event.target), folder)}
        @change=${(/** @type {Event} */ event) => chosen(valueOf(event).trim(), change)}
      />
      <datalist id="transform-tables"></datalist>
    </label>
    ${draft.fault ? html`<p class="fault" role="alert">${icon("circle-alert")} ${draft.fault}</p>` : nothing}
    ${lines(
      /** @type {Agreement[]} */ (draft.on),
      (pair, patch) =>
        html`${columnField(strings.ourColumn, pair.ours, columns, (ours) => patch({ ours }))}
        ${columnField(strings.theirColumn, pair.theirs, draft.theirs, (theirs) => patch({ theirs }))}`,
      (on) => change({ on }),
      { make: () => ({ ours: "", theirs: "" }), add: strings.addColumn },
    )}
    ${choiceField(strings.how, draft.how, strings.hows, (how) => change({ how }))}
  `,
};

/** Learn the columns of the other table. @param {string} file @param {(patch: Record<string, unknown>) => void} change */
async function chosen(file, change) {
  change({ file, fault: "" });
  if (!file) return;
  try {
    const { columns } = await askJson(href("tables", file, { offset: 0, limit: 1 }));
    change({ theirs: columns });
  } catch (error) {
    change({ theirs: [], fault: error instanceof Error ? error.message : "" });
  }
}

/** Offer the tables beside this one. @param {HTMLInputElement} field @param {string} folder */
async function offer(field, folder) {
  const listing = await askJson(href("files", folder, { limit: 1000 })).catch(() => ({ entries: [] }));
  const tables = listing.entries.filter((/** @type {Row} */ row) =>
    /^text\/(csv|tab-separated-values)/.test(row.media_type ?? ""),
  );
  const list = field.parentElement?.querySelector("datalist");
  list?.replaceChildren(...tables.map((/** @type {Row} */ row) => new Option(row.name, row.key)));
}
