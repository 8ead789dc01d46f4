/** Requests to the server, and its errors as a person can read them. */

import { env } from "./env.js";
import { say } from "./say.js";
import strings from "../../strings/core.js";

/** An answer that is a problem (RFC 9457). `members` are those of its own. */
export class Problem extends Error {
  /** @param {Response} response @param {Record<string, any>} body */
  constructor(response, body) {
    super(body.detail ?? body.title ?? say(strings.failed, { status: response.status }));
    this.status = response.status;
    this.type = String(body.type ?? "");
    this.title = String(body.title ?? "");
    this.detail = String(body.detail ?? "");
    this.members = body;
    this.retryAfter = response.headers.get("retry-after");
  }
}

/** The server could not be reached. */
export class Offline extends Error {
  constructor() {
    super(strings.offline);
  }
}

/**
 * An answer whose status is 2xx. Throws Problem, Offline, and what the signal was aborted with.
 *
 * @param {string} address
 * @param {{method?: string, headers?: Record<string, string>, body?: BodyInit, json?: unknown, accept?: string, signal?: AbortSignal, keepalive?: boolean}} [options]
 */
export async function ask(address, { method = "GET", headers = {}, body, json, accept, signal, keepalive } = {}) {
  const fields = { ...headers };
  if (accept) fields.accept = accept;
  if (json !== undefined) fields["content-type"] = "application/json";
  const content = json === undefined ? body : JSON.stringify(json);
  let response;
  try {
    response = await fetch(address, { method, headers: fields, body: content, signal, keepalive });
  } catch (error) {
    throw signal?.aborted ? error : new Offline();
  }
  if (response.ok) return response;
  throw new Problem(response, await problemOf(response));
}

/** @param {string} address @param {Parameters<typeof ask>[1]} [options] @returns {Promise<any>} */
export async function askJson(address, options = {}) {
  return (await ask(address, { accept: "application/json", ...options })).json();
}

/** The records of an NDJSON answer as they come. @param {Response} response @returns {AsyncGenerator<any>} */
export async function* lines(response) {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const parts = (rest + read.value).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) if (part) yield JSON.parse(part);
    }
    if (rest) yield JSON.parse(rest);
  } finally {
    reader.cancel().catch(() => {}); // who leaves midway ends the answer; one that failed has told so already
  }
}

/**
 * The address of a file's part of the API: `href("media", "films/a.mkv", { t: 3 }, "thumbnail")`.
 *
 * @param {"files" | "media" | "tables" | "transform" | "comments"} room
 * @param {string} key
 * @param {Record<string, string | number | boolean>} [query]
 * @param {string} [part] what follows the key
 */
export function href(room, key, query, part) {
  const path = `${env.root}${room}/${key.split("/").map(encoded).join("/")}${part ? `/${part}` : ""}`;
  return query
    ? `${path}?${new URLSearchParams(Object.entries(query).map(([name, value]) => [name, `${value}`]))}`
    : path;
}

/** An address of the API below the application's prefix: `url("/events")`. @param {string} path */
export function url(path) {
  return env.root + path.replace(/^\//, "");
}

/** An address as others can use it. @param {string} address */
export function absolute(address) {
  return new URL(address, document.baseURI).href;
}

/** What to tell a person of an error. @param {unknown} error @returns {string} */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** Bytes of a name that are no UTF-8 are lone surrogates (PEP 383), and bytes again in an address. @param {string} segment */
export function encoded(segment) {
  return segment.replace(/[\ud800-\udbff][\udc00-\udfff]|[^A-Za-z0-9\-._~]/g, (letter) => {
    const code = letter.charCodeAt(0);
    if (letter.length === 1 && code >= 0xdc80 && code <= 0xdcff) return hexadecimal(code - 0xdc00);
    return code < 0x80 ? hexadecimal(code) : encodeURIComponent(letter); // which leaves !'()* alone, as no shell does
  });
}

/** @param {number} byte */
function hexadecimal(byte) {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** @param {Response} response @returns {Promise<Record<string, any>>} */
async function problemOf(response) {
  if (!response.headers.get("content-type")?.includes("json")) return {};
  return response.json().catch(() => ({}));
}
