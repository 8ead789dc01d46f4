/** The whole result: into a file of the person's, or into the folder. */

import { ask, askJson, href, lines, Problem, url } from "../core/api.js";
import { number, say } from "../core/say.js";
import strings from "../../strings/table.js";
import { asked } from "./asking.js";
import { jsonOf } from "./plan.js";

const LONGEST_ADDRESS = 6000; // characters: what servers and proxies take without being told to
const PATIENCE_MS = 10_000;
const PART = 8 << 20; // bytes: parts of this size a browser moves to its disk

/**
 * @typedef {object} Progress
 * @property {number} out bytes of the result
 * @property {number} done bytes of the table
 * @property {number | null} total
 *
 * @typedef {object} Outcome
 * @property {"saved" | "browser"} by `browser`: it downloads the result itself, and tells of it
 * @property {string | null} job
 * @property {number} rejected
 */

/**
 * Write the result into a file; null when the person changed their mind. Throws what `ask` does, and Error for a result
 * that broke off.
 *
 * @param {import("./asking.js").Table} table
 * @param {import("./plan.js").Plan} plan
 * @param {string} name
 * @param {{signal: AbortSignal, onProgress: (progress: Progress) => void}} watch
 * @returns {Promise<Outcome | null>}
 */
export async function download(table, plan, name, watch) {
  const save = /** @type {any} */ (globalThis).showSaveFilePicker;
  if (save) {
    const handle = await save({ suggestedName: name }).catch(() => null); // the person changed their mind
    return handle && written(await handle.createWritable(), table, plan, watch);
  }
  const address = table.row ? href("transform", table.row.key, { plan: jsonOf(plan), download: name }) : "";
  if (address && address.length < LONGEST_ADDRESS) {
    clickLink(address, name);
    return { by: "browser", job: null, rejected: 0 };
  }
  const kept = gathered();
  const outcome = await written(kept, table, plan, watch);
  const link = URL.createObjectURL(kept.blob());
  clickLink(link, name);
  setTimeout(() => URL.revokeObjectURL(link), 60_000);
  return outcome;
}

/**
 * @typedef {{write: (chunk: Uint8Array<ArrayBuffer>) => Promise<void> | void, close: () => Promise<void> | void, abort: () => Promise<void> | void}} Sink
 *
 * @param {Sink} sink
 * @param {import("./asking.js").Table} table
 * @param {import("./plan.js").Plan} plan
 * @param {{signal: AbortSignal, onProgress: (progress: Progress) => void}} watch
 * @returns {Promise<Outcome>}
 */
async function written(sink, table, plan, { signal, onProgress }) {
  const progress = { out: 0, done: 0, total: /** @type {number | null} */ (null) };
  let job = null;
  try {
    const response = await asked(table, plan, { signal });
    job = response.headers.get("transform-id");
    if (job) {
      follow(job, signal, (record) =>
        onProgress(Object.assign(progress, { done: record.bytes_done, total: record.bytes_total })),
      ).catch(() => {});
    }
    const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      await sink.write(read.value);
      progress.out += read.value.length;
      onProgress(progress);
    }
    await sink.close();
  } catch (error) {
    await Promise.resolve(sink.abort()).catch(() => {});
    if (signal.aborted || !job || error instanceof Problem) throw error;
    throw new Error(await reasonOf(job), { cause: error });
  }
  return { by: "saved", job, rejected: job ? await rejectedOf(job) : 0 };
}

/**
 * Store the result. Throws what `ask` does: a name that is taken is a Problem of status 409.
 *
 * @param {import("./asking.js").Table} table
 * @param {import("./plan.js").Plan} plan
 * @param {{key: string, isReplacing: boolean}} place
 * @param {{signal: AbortSignal, onProgress: (progress: Progress) => void}} watch
 * @returns {Promise<Outcome>}
 */
export async function store(table, plan, { key, isReplacing }, { signal, onProgress }) {
  const query = { save_result: key, ...(isReplacing ? { replace: "true" } : {}) };
  if (!table.row) {
    const told = await (await asked(table, plan, { query, signal })).json();
    return { by: "saved", job: told.job.split("/").pop() ?? null, rejected: told.rows_rejected };
  }
  const response = await asked(table, plan, { query, signal, headers: { prefer: "respond-async" } });
  const { id } = await response.json();
  signal.addEventListener(
    "abort",
    () => ask(url(`/jobs/${id}`), { method: "DELETE", keepalive: true }).catch(() => {}),
    { once: true },
  );
  let last = { state: "", rows_rejected: 0, fault: /** @type {any} */ (null) };
  await follow(id, signal, (record) => {
    last = record;
    onProgress({ out: record.bytes_out, done: record.bytes_done, total: record.bytes_total });
  });
  if (last.state !== "done") throw new Error(last.fault ? faultText(last.fault) : strings.broken);
  return { by: "saved", job: id, rejected: last.rows_rejected };
}

/** Be told how a job goes, to its end. @param {string} job @param {AbortSignal} signal @param {(record: any) => void} tell */
async function follow(job, signal, tell) {
  const response = await ask(url(`/jobs/${job}/events`), { accept: "application/x-ndjson", signal });
  for await (const record of lines(response)) if (record.type === "job") tell(record);
}

/** Why an answer broke off: the job may say so a moment later. @param {string} job @returns {Promise<string>} */
async function reasonOf(job) {
  let reason = strings.broken;
  await follow(job, AbortSignal.timeout(PATIENCE_MS), (record) => {
    if (record.fault) reason = faultText(record.fault);
  }).catch(() => {}); // a server that is gone says nothing more
  return reason;
}

/** A job's fault as a sentence. @param {{reason?: string, line?: number | null}} fault */
function faultText({ reason = strings.broken, line }) {
  return line ? `${say(strings.atLine, { line: number(line) })} ${reason}` : reason;
}

/** @param {string} job @returns {Promise<number>} */
async function rejectedOf(job) {
  const record = await askJson(url(`/jobs/${job}`)).catch(() => null);
  return record?.rows_rejected ?? 0;
}

/** A sink in the browser's keeping, for those that cannot write a file while it comes. */
function gathered() {
  /** @type {Blob[]} */
  const blobs = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let chunks = [];
  let size = 0;
  const pack = () => {
    blobs.push(new Blob(chunks));
    chunks = [];
    size = 0;
  };
  return {
    write: (/** @type {Uint8Array<ArrayBuffer>} */ chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= PART) pack();
    },
    close: pack,
    abort: () => void blobs.splice(0),
    blob: () => new Blob(blobs),
  };
}

/** @param {string} address @param {string} name */
function clickLink(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  (document.querySelector("dialog[open]:last-of-type") ?? document.body).append(link);
  link.click();
  link.remove();
}
