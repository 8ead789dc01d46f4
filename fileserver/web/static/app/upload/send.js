/** One upload, carried to the server: small files by one PUT, large ones resumably. */

import { ask, href, Offline, Problem } from "../core/api.js";
import { sha256Of, toldIn } from "./checksum.js";
import { Changed, problemOf } from "./faults.js";

/**
 * Up to here a file goes by one request, and from its beginning again when that is cut; beyond it a second request is
 * a small price for going on where it was.
 */
export const SMALL = 2 * 1024 * 1024;
const SILENCE_MS = 45_000; // a connection that takes nothing for so long is dead, though nobody said so
const END_MS = 600_000; // once all is sent the server may still have much to write

/** The largest request that passes on the way to the server, as far as is known: proxies have limits. */
let largest = Infinity;

/**
 * What the upload takes: `onSent` is told how many bytes have gone, `onAddress` where a resumable upload is.
 *
 * @typedef {{signal: AbortSignal, onSent: (bytes: number) => void, onAddress: (address: string) => void}} Watch
 */

/**
 * Send it, or go on with sending it. Throws Problem, Offline, Changed, and what the signal was aborted with.
 *
 * @param {UploadItem} item
 * @param {Watch} watch
 * @returns {Promise<{isVerified: boolean}>}
 */
export async function send(item, watch) {
  if (item.key.endsWith("/")) return makeFolder(item, watch.signal);
  const file = await fileOf(item);
  const isSmall = file.size <= Math.min(SMALL, largest) && !item.address;
  try {
    return await guarded(item, watch, (inner) => (isSmall ? put(item, file, inner) : resumable(item, file, inner)));
  } catch (error) {
    if (watch.signal.aborted) throw error;
    if (error instanceof Offline) await mustBeReadable(file);
    throw isUnreadable(error) ? new Changed() : error;
  }
}

/** Take what has been refused as too large for another way; false when there is none. */
export function sendSmaller() {
  if (largest < 1024 * 1024) return false;
  largest = largest === Infinity ? 48 * 1024 * 1024 : 900 * 1024; // Cloudflare takes 100 MB, nginx 1 MB
  return true;
}

/** Have the server throw away what it has of a resumable upload. @param {string} address */
export async function discard(address) {
  await ask(address, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } });
}

/** @param {UploadItem} item @param {AbortSignal} signal */
async function makeFolder(item, signal) {
  try {
    await ask(href("files", item.key), { method: "MKCOL", signal });
  } catch (error) {
    const isThere = error instanceof Problem && error.status === 405;
    if (!isThere) throw error;
  }
  return { isVerified: false };
}

/** The file, which is still the one that was added. @param {UploadItem} item @returns {Promise<File>} */
async function fileOf(item) {
  const file = item.file ?? (await item.handle?.getFile().catch(() => null));
  if (!file || file.size !== item.size || file.lastModified !== item.modified) throw new Changed();
  item.file = file;
  return file;
}

/** @param {unknown} error */
function isUnreadable(error) {
  return error instanceof DOMException && ["NotReadableError", "NotFoundError"].includes(error.name);
}

/** Browsers report a file that they cannot read any more as an error of the network. @param {File} file */
async function mustBeReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Changed();
  }
}

/**
 * Do it, and end it as cut off when nothing moves.
 *
 * @template T
 * @param {UploadItem} item
 * @param {Watch} watch
 * @param {(inner: Watch) => Promise<T>} run
 * @returns {Promise<T>}
 */
async function guarded(item, { signal, onSent, onAddress }, run) {
  const stalled = new AbortController();
  let timer = 0;
  const wait = (/** @type {number} */ ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Offline()), ms);
  };
  const sent = (/** @type {number} */ bytes) => {
    wait(bytes < item.size ? SILENCE_MS : END_MS);
    onSent(bytes);
  };
  wait(item.size ? SILENCE_MS : END_MS);
  try {
    return await run({ signal: AbortSignal.any([signal, stalled.signal]), onSent: sent, onAddress });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {UploadItem} item @param {File} file @param {Watch} watch */
async function put(item, file, { signal, onSent }) {
  const digest = await sha256Of(file);
  /** @type {Record<string, string>} */
  const headers = item.answer === "replace" ? {} : { "If-None-Match": "*" };
  if (digest) headers["Repr-Digest"] = `sha-256=:${digest}:`;
  const told = await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of how far it is
    request.open("PUT", href("files", item.key));
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => {
      if (request.status < 300 && request.status >= 200) resolve(toldIn(request.getResponseHeader("repr-digest")));
      else reject(problemOf(request));
    };
    request.onerror = () => reject(new Offline());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort());
    if (signal.aborted) reject(signal.reason);
    else request.send(file);
  });
  return { isVerified: digest !== null && told === digest };
}

/** @param {UploadItem} item @param {File} file @param {Watch} watch */
async function resumable(item, file, watch) {
  const { sendByTus } = await import("./tus.js");
  const told = await sendByTus(item, file, { ...watch, chunkSize: largest });
  return { isVerified: told !== null && told === (await sha256Of(file)) };
}
