/** All kinds of steps, in the order they are offered in. */

import * as choosing from "./choosing.js";
import * as many from "./many.js";
import * as rows from "./rows.js";
import * as values from "./values.js";

/**
 * @typedef {object} Kind one kind of step
 * @property {string} icon
 * @property {(columns: string[], typeOf: (name: string) => string) => Record<string, unknown>} make a draft's members
 * @property {(draft: any) => Record<string, unknown> | null} plan as a plan has it; null: it does not say enough yet
 * @property {(columns: string[], draft: any) => string[] | null} after the columns after it; null: nobody knows
 * @property {(form: import("./controls.js").Form) => unknown} form
 * @property {(draft: any) => string} tell what it does, in few words
 */

/** @type {Record<string, Kind>} */
export const kinds = {
  filter: rows.filter,
  sort: rows.sort,
  select: choosing.select,
  drop: choosing.drop,
  rename: choosing.rename,
  derive: values.derive,
  group_by: many.groupBy,
  distinct: rows.distinct,
  clean: values.clean,
  replace: values.replace,
  fill_null: values.fillNull,
  cast: values.cast,
  types: values.types,
  join: many.join,
  limit: rows.limit,
  sample: rows.sample,
};

/** The columns after some steps, as far as anybody can say. @param {string[]} columns @param {import("../drafts.js").Draft[]} drafts */
export function columnsAfter(columns, drafts) {
  let now = columns;
  for (const draft of drafts) {
    if (draft.isOff || kinds[draft.op].plan(draft) === null) continue;
    now = kinds[draft.op].after(now, draft) ?? now;
  }
  return now;
}
