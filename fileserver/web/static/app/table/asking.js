/** Requests for a transform, of a stored table or of a file that is sent along. */

import { ask, href, url } from "../core/api.js";
import { csvReader } from "./csv.js";
import { sampleOf } from "./local.js";
import { jsonOf, previewOf } from "./plan.js";

export const PREVIEW_ROWS = 200; // what a few screens show

/**
 * @typedef {{row: Row, file?: undefined} | {file: File, row?: undefined}} Table
 *
 * @typedef {object} Preview
 * @property {string[]} columns
 * @property {(string | null)[][]} rows
 * @property {boolean} isAll whether these are all rows that there will be
 * @property {boolean} isOfSample whether only the beginning of the table was looked at
 * @property {number} rejected
 * @property {string | null} job
 */

/**
 * The answer to a plan. Throws what `ask` does.
 *
 * @param {Table} table
 * @param {import("./plan.js").Plan} plan
 * @param {{query?: Record<string, string>, signal?: AbortSignal, headers?: Record<string, string>}} [options]
 */
export function asked(table, plan, { query = {}, signal, headers = {} } = {}) {
  if (table.row) {
    const address = href("transform", table.row.key, query);
    return ask(address, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: jsonOf(plan),
      signal,
    });
  }
  return ask(`${url("/transform")}?${new URLSearchParams(query)}`, {
    method: "POST",
    headers,
    body: formOf(table.file, table.file.name, plan),
    signal,
  });
}

/** @param {Blob} part @param {string} name @param {import("./plan.js").Plan} plan */
function formOf(part, name, plan) {
  const form = new FormData();
  form.append("plan", jsonOf(plan));
  form.append("file", part, name);
  return form;
}

/**
 * The first rows that a plan gives. Throws what `ask` does, and RangeError for a file that cannot be looked into.
 *
 * @param {Table} table
 * @param {import("./plan.js").Plan} plan
 * @param {AbortSignal} signal
 * @returns {Promise<Preview>}
 */
export async function previewed(table, plan, signal) {
  const shortened = previewOf(plan, PREVIEW_ROWS + 1);
  if (table.row) return readPreview(await asked(table, shortened, { signal }), false);
  const quote = plan.input && "quote" in plan.input ? String(plan.input.quote ?? "") : '"';
  const { part, name, isWhole } = await sampleOf(table.file, quote);
  const body = formOf(part, name, shortened);
  return readPreview(await ask(url("/transform"), { method: "POST", body, signal }), !isWhole);
}

/** @param {Response} response @param {boolean} isOfSample @returns {Promise<Preview>} */
async function readPreview(response, isOfSample) {
  const records = await firstRecords(response, PREVIEW_ROWS + 2);
  const [columns = [], ...rows] = records;
  return {
    columns: columns.map((name) => name ?? ""),
    rows: rows.slice(0, PREVIEW_ROWS),
    isAll: rows.length <= PREVIEW_ROWS,
    isOfSample,
    rejected: Number(response.headers.get("transform-rows-rejected") ?? 0),
    job: response.headers.get("transform-id"),
  };
}

/** The first records of an answer; leaving before its end ends the work for it. @param {Response} response @param {number} count */
async function firstRecords(response, count) {
  const parser = csvReader();
  const found = [];
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      found.push(...parser.read(read.value));
      if (found.length >= count) return found;
    }
    return [...found, ...parser.end()];
  } finally {
    reader.cancel().catch(() => {});
  }
}
