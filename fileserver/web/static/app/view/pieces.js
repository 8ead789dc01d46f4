/** A text file, a piece after another, as letters. */

import { ask, href } from "../core/api.js";

/** So much is asked for at once: ten thousand lines, which a browser lays out in a moment. */
const PIECE = 512 * 1024;

/** @typedef {{text: string, end: number, total: number, contentType: string}} Piece */

/**
 * The pieces of a file. `next` answers what comes after the last piece; Problem with status 412 says that the file is
 * another one by now.
 *
 * @param {string} key
 * @param {AbortSignal} signal
 */
export function piecesOf(key, signal) {
  const address = href("files", key);
  /** @type {TextDecoder | null} */
  let decoder = null;
  let end = 0;
  let etag = "";
  return {
    /** @returns {Promise<Piece>} */
    async next() {
      const headers = { range: `bytes=${end}-${end + PIECE - 1}`, ...(etag && { "if-match": etag }) };
      const response = await answered(address, headers, signal);
      const bytes = response.status === 416 ? new Uint8Array() : new Uint8Array(await response.arrayBuffer());
      const contentType = response.headers.get("content-type") ?? "";
      const total = totalOf(response, end + bytes.length);
      decoder ??= decoderFor(contentType, bytes);
      etag ||= response.headers.get("etag") ?? "";
      end += bytes.length;
      return { text: decoder.decode(bytes, { stream: end < total }), end, total, contentType };
    },
  };
}

/** An empty file has no range that could be satisfied (RFC 9110 s.14.1.2). @param {string} address @param {Record<string, string>} headers @param {AbortSignal} signal */
async function answered(address, headers, signal) {
  try {
    return await ask(address, { headers, signal });
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status === 416) return new Response(null, { status: 416 });
    throw error;
  }
}

/** @param {Response} response @param {number} end */
function totalOf(response, end) {
  const match = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  return match ? Number(match[1]) : end;
}

/**
 * By the mark at the beginning, else by the charset that the server detected. Text without either is UTF-8 where it can
 * be, and windows-1252 as on the rest of the web where it cannot.
 *
 * @param {string} contentType
 * @param {Uint8Array} bytes
 */
function decoderFor(contentType, bytes) {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le");
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be");
  const charset = charsetOf(contentType);
  if (charset) return new TextDecoder(charset);
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return new TextDecoder();
  } catch {
    return new TextDecoder("windows-1252");
  }
}

/** The charset of a media type, where it has one that browsers know. @param {string} contentType */
export function charsetOf(contentType) {
  const name = /;\s*charset="?([\w.:-]+)/i.exec(contentType)?.[1];
  try {
    return name ? new TextDecoder(name).encoding : null;
  } catch {
    return null;
  }
}
