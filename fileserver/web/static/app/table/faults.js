/** Where in the panel a problem belongs. */

import { messageOf, Problem } from "../core/api.js";
import { say } from "../core/say.js";
import strings from "../../strings/table.js";
import { activeSteps } from "./drafts.js";

/**
 * @typedef {object} Fault
 * @property {string} text
 * @property {string} where the part of the plan, or ""
 * @property {import("./drafts.js").Draft | null} draft the step, if it is one's
 */

/** @param {import("./transform.js").Panel} panel @returns {Fault | null} */
export function faultAt({ problem, wanted }) {
  if (!problem) return null;
  const text = messageOf(problem);
  if (!(problem instanceof Problem)) return { text, where: "", draft: null };
  const { field = "", position, column } = problem.members;
  const index = /^steps\[(\d+)\]/.exec(field);
  const active = activeSteps(wanted.steps);
  const draft = index ? (active[Number(index[1])] ?? null) : castOf(active, column);
  const told = position === undefined ? text : say(strings.atCharacter, { text, position: position + 1 });
  return { text: sentence(told), where: field.replace(/^steps\[\d+\]\.?/, "") || (index ? "step" : ""), draft };
}

/** The step that could not make a value: the last one that casts its column. @param {import("./drafts.js").Draft[]} active @param {string | undefined} column */
function castOf(active, column) {
  if (!column) return null;
  const casts = active.filter(
    (draft) => draft.op === "cast" && draft.pairs.some((/** @type {any} */ pair) => pair.column === column),
  );
  return casts.at(-1) ?? null;
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
