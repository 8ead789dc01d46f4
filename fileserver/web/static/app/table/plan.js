/** A plan as JSON, for its first rows alone, and, where the order of a query can say the same, as its parameters. */

import { NULL } from "./csv.js";

/**
 * @typedef {{op: string, [member: string]: unknown}} Step a step of a plan; maps are in the order they were given
 * @typedef {{input?: Record<string, unknown>, steps?: Step[], sql?: string, output?: Record<string, unknown>}} Plan
 */

/** The same plan, for its first rows, as `csvReader` reads them. @param {Plan} plan @param {number} rows @returns {Plan} */
export function previewOf(plan, rows) {
  const output = {
    format: "csv",
    delimiter: ",",
    quote_style: "necessary",
    header: true,
    line_ending: "lf",
    null_value: NULL,
  };
  if (plan.sql !== undefined) return { ...plan, output }; // the reader leaves after so many rows
  return { ...plan, steps: [...(plan.steps ?? []), { op: "limit", n: rows }], output };
}

/** JSON, with maps as objects in their order: an object of JavaScript puts names that are numbers first. @param {unknown} value @returns {string} */
export function jsonOf(value) {
  if (value instanceof Map) {
    return `{${[...value].map(([name, each]) => `${JSON.stringify(name)}:${jsonOf(each)}`).join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return jsonOf(new Map(Object.entries(value).filter(([, each]) => each !== undefined)));
}

/**
 * The plan as the parameters of a query; null where their one order cannot say it.
 *
 * @param {Plan} plan
 * @returns {[string, string][] | null}
 */
export function parametersOf(plan) {
  const pairs = [...scalars(plan.input ?? {}, ""), ...(plan.sql === undefined ? [] : [["sql", plan.sql]])];
  let rank = 0;
  for (const step of plan.steps ?? []) {
    const next = ORDER.indexOf(step.op);
    const given = next < rank ? null : spelled[step.op]?.(step);
    if (!given) return null;
    pairs.push(...given);
    rank = REPEATABLE.has(step.op) ? next : next + 1;
  }
  return /** @type {[string, string][]} */ ([...pairs, ...scalars(plan.output ?? {}, "output_")]);
}

const ORDER = [
  "",
  "types",
  "clean",
  "replace",
  "fill_null",
  "cast",
  "filter",
  "derive",
  "group_by",
  "distinct",
  "sort",
  "sample",
  "limit",
  "select",
  "drop",
  "rename",
];
const REPEATABLE = new Set(["filter", "derive"]);
const BARE = new Set(["format", "formula_guard"]); // of the output, that need no prefix

/** @param {Record<string, any>} part @param {string} prefix @returns {string[][]} */
function scalars(part, prefix) {
  return Object.entries(part).map(([name, value]) => {
    const written = value === null ? "none" : value === "\t" ? "tab" : String(value);
    return [BARE.has(name) ? name : prefix + name, written];
  });
}

/** @type {Record<string, (step: any) => string[][] | null>} */
const spelled = {
  types: ({ columns }) => [["types", typed(columns)]],
  clean: ({ actions, columns }) => (columns === undefined ? [["clean", actions.join(",")]] : null),
  replace: ({ column, map }) => {
    const parts = [...map].map(([old, value]) => `${word(column)}:${word(old)}:${value === null ? "" : word(value)}`);
    return [["replace", parts.join(",")]];
  },
  fill_null: ({ columns }) => [["fill_null", paired(columns)]],
  cast: ({ columns, format, on_error }) => [
    ["cast", typed(columns)],
    ...(format ? [["cast_format", format]] : []),
    ...(on_error ? [["cast_on_error", on_error]] : []),
  ],
  filter: ({ where }) => [["filter", where]],
  derive: ({ columns }) => assigned("derive", columns),
  group_by: ({ columns, aggregate, having }) => {
    const made = aggregate ? assigned("aggregate", aggregate) : [];
    if (!made || !(columns.length || made.length)) return null;
    return [
      ...(columns.length ? [["group_by", columns.map(word).join(",")]] : []),
      ...made,
      ...(having ? [["having", having]] : []),
    ];
  },
  distinct: ({ on, keep }) => [["distinct", on ? on.map(word).join(",") : "*"], ...(keep ? [["keep", keep]] : [])],
  sort: ({ by }) => (by.every((/** @type {any} */ key) => !key.nulls) ? [["sort", by.map(sortKey).join(",")]] : null),
  sample: ({ n, seed }) => [["sample", `${n}`], ...(seed ? [["seed", `${seed}`]] : [])],
  limit: ({ n, offset }) => [
    ...(n === undefined ? [] : [["limit", `${n}`]]),
    ...(offset ? [["offset", `${offset}`]] : []),
  ],
  select: ({ columns }) => [["select", columns.map(word).join(",")]],
  drop: ({ columns }) => [["drop", columns.map(word).join(",")]],
  rename: ({ columns }) => [["rename", paired(columns)]],
};

/** A name or value as a parameter has it: in quotes where it holds a mark. @param {string} text */
function word(text) {
  return /^[^\s",:;=*-](?:[^",:;=]*[^\s",:;=])?$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

/** @param {Map<string, string>} columns */
function paired(columns) {
  return [...columns].map(([name, value]) => `${word(name)}:${word(value)}`).join(",");
}

/** @param {Map<string, string>} columns */
function typed(columns) {
  return [...columns].map(([name, type]) => `${word(name)}:${type}`).join(",");
}

/** @param {string} parameter @param {Map<string, string>} columns @returns {string[][] | null} */
function assigned(parameter, columns) {
  if ([...columns.values()].some((expression) => expression.includes(";"))) return null; // it would end there
  return [[parameter, [...columns].map(([name, expression]) => `${word(name)}=${expression}`).join(";")]];
}

/** @param {{column: string, desc?: boolean, type?: string}} key */
function sortKey({ column, desc, type }) {
  return `${desc ? "-" : ""}${word(column)}${type ? `:${type}` : ""}`;
}
