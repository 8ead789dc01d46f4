/** Whether what was stored is what was read here. */

import { ask, href } from "../core/api.js";

const MOST = 64 * 1024 * 1024; // browsers hash only what is in memory as a whole
const MOST_FETCHED = 2 * 1024 * 1024;

/** The SHA-256 in base64; null where it cannot be had: of large files, and of pages that came without TLS. @param {File} file */
export async function sha256Of(file) {
  if (file.size > MOST || !globalThis.crypto.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return btoa(String.fromCharCode(...digest));
}

/** The SHA-256 in a Repr-Digest field (RFC 9530). @param {string | null | undefined} field */
export function toldIn(field) {
  return field?.match(/sha-256=:([A-Za-z0-9+/]{43}=):/)?.[1] ?? null;
}

/**
 * What is stored under a key.
 *
 * @param {string} key
 * @returns {Promise<{size: number, modified: string, sha256: string | null}>}
 */
export async function storedFacts(key) {
  const { headers } = await ask(href("files", key), { method: "HEAD" });
  const modified = headers.get("last-modified") ?? "";
  return { size: Number(headers.get("content-length")), modified, sha256: toldIn(headers.get("repr-digest")) };
}

/**
 * Whether what is stored under the key is the file already, byte for byte; false where that is not known. The answer
 * to an upload may get lost, and folders are dropped a second time.
 *
 * @param {string} key
 * @param {{size: number, sha256: string | null}} stored
 * @param {File} file
 */
export async function isStored(key, stored, file) {
  if (stored.size !== file.size) return false;
  const own = await sha256Of(file);
  if (stored.sha256 && own) return stored.sha256 === own;
  if (file.size > MOST_FETCHED) return false;
  const bytes = await (await ask(href("files", key))).arrayBuffer();
  return areSame(new Uint8Array(bytes), new Uint8Array(await file.arrayBuffer()));
}

/** @param {Uint8Array} one @param {Uint8Array} other */
function areSame(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
