/** Steps as the panel keeps them, and the plan they make. */

import { kinds } from "./steps/kinds.js";

/**
 * A step as the panel keeps it; its other members are those of its form.
 *
 * @typedef {{op: string, id?: number, isOff?: boolean, [member: string]: any}} Draft
 */

/** The drafts that take part: those that are on and say enough. @param {Draft[]} drafts */
export function activeSteps(drafts) {
  return drafts.filter((draft) => !draft.isOff && kinds[draft.op].plan(draft) !== null);
}

/**
 * @param {{input: Record<string, unknown>, steps: Draft[], sql: string | null, output: Record<string, unknown>}} wanted
 *   `sql` stands instead of steps
 * @returns {import("./plan.js").Plan}
 */
export function planOf({ input, steps, sql, output }) {
  return {
    ...(Object.keys(input).length ? { input } : {}),
    ...(sql === null ? { steps: activeSteps(steps).map(stepOf) } : { sql }),
    ...(Object.keys(output).length ? { output } : {}),
  };
}

/** @param {Draft} draft */
function stepOf(draft) {
  return { op: draft.op, ...kinds[draft.op].plan(draft) };
}
