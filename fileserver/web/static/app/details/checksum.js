/** The SHA-256 of a file: as the server knows it, or as it finds it when asked to read the file. */

import strings from "../../strings/details.js";
import { Problem, ask, askJson, href, messageOf, url } from "../core/api.js";
import { say } from "../core/say.js";

/**
 * How far it is: `sha256` (hexadecimal) once it is known, `job` while the server reads.
 *
 * @typedef {{sha256: string | null, job: Job | null, fault: string | null}} Checksum
 * @typedef {{href: string, state: string, bytes_done: number, bytes_total: number | null, fault?: {detail?: string} | null}} Job
 */

/** What is known at once. @param {Row} row @returns {Checksum} */
export function checksumOf(row) {
  return { sha256: row.sha256, job: null, fault: null };
}

/**
 * What the server knows of a file beyond the listing: the checksum, or null, and the type.
 *
 * @param {string} key
 * @param {AbortSignal} signal
 * @returns {Promise<{sha256: string | null, media_type: string | null}>}
 */
export async function known(key, signal) {
  const { headers } = await ask(href("files", key), { method: "HEAD", signal });
  const value = /sha-256=:([A-Za-z0-9+/=]+):/.exec(headers.get("repr-digest") ?? "")?.[1];
  return { sha256: value ? hexadecimal(value) : null, media_type: headers.get("content-type") };
}

/**
 * Have the server read the file; `tell` hears how far it is.
 *
 * @param {string} key
 * @param {(checksum: Checksum) => void} tell
 * @param {AbortSignal} signal the work itself goes on without us: its result is of use to everybody
 */
export async function compute(key, tell, signal) {
  try {
    const job = await askJson(url("/jobs"), { method: "POST", json: { work: "hash", prefix: key }, signal });
    tell({ sha256: null, job, fault: null });
    const last = await followed(job, (now) => tell({ sha256: null, job: now, fault: null }), signal);
    const { sha256 } = await known(key, signal);
    const reason = last.fault?.detail ?? last.state;
    tell({ sha256, job: null, fault: sha256 ? null : say(strings.checksum.failed, { reason }) });
  } catch (error) {
    if (signal.aborted) return;
    const reason = error instanceof Problem && error.detail ? error.detail : messageOf(error);
    tell({ sha256: null, job: null, fault: say(strings.checksum.failed, { reason }) });
  }
}

/** @param {Job} job @param {(job: Job) => void} tell @param {AbortSignal} signal @returns {Promise<Job>} the job as it ended */
function followed(job, tell, signal) {
  return new Promise((resolve, reject) => {
    const events = new EventSource(`${job.href}/events`);
    let last = job;
    const take = (/** @type {MessageEvent} */ event) => {
      last = JSON.parse(event.data);
      tell(last);
      if (!isRunning(last)) end();
    };
    const end = () => {
      events.close();
      resolve(last);
    };
    for (const name of ["job", "message"]) events.addEventListener(name, take);
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) end(); // 204: it is over
    });
    signal.addEventListener("abort", () => {
      events.close();
      reject(signal.reason);
    });
  });
}

/** @param {Job} job */
function isRunning({ state }) {
  return state === "waiting" || state === "running";
}

/** @param {string} base64 */
function hexadecimal(base64) {
  return [...atob(base64)].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
