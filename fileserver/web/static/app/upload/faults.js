/** What follows from an upload that did not come through. */

import { messageOf, Offline, Problem } from "../core/api.js";
import strings from "../../strings/upload.js";

const OURS = "urn:problem-type:fileserver:";
const PASSING = [408, 423, 425, 429, 460, 500, 502, 503, 504];
const PASSING_TYPES = [
  `${OURS}key-busy`,
  `${OURS}digest-mismatch`,
  "https://iana.org/assignments/http-problem-types#mismatching-upload-offset",
];
const MOST_ATTEMPTS = 8; // of a server that answers with errors; one that cannot be reached is tried for ever
const LONGEST_S = 20;

/** The file is not any more what it was when it was added. */
export class Changed extends Error {
  constructor() {
    super(strings.changed);
  }
}

/**
 * - `again` after a time
 * - `taken`: the name is
 * - `smaller`: something between here and the server takes smaller requests only
 * - `failed`
 *
 * @typedef {{kind: "again", afterMs: number, text: string} | {kind: "taken"} | {kind: "smaller"} | {kind: "failed", text: string}} Verdict
 */

/** @param {unknown} error @param {number} attempts how often in a row it went wrong before @returns {Verdict} */
export function verdictOf(error, attempts) {
  if (error instanceof Offline) return { kind: "again", afterMs: pause(attempts), text: strings.cut };
  if (!(error instanceof Problem)) return { kind: "failed", text: messageOf(error) };
  if (isTaken(error)) return { kind: "taken" };
  if (error.status === 413 && !error.type) return { kind: "smaller" };
  const isPassing = PASSING.includes(error.status) || PASSING_TYPES.includes(error.type);
  if (!isPassing || attempts >= MOST_ATTEMPTS) return { kind: "failed", text: messageOf(error) };
  const asked = Number(error.retryAfter) * 1000 || 0;
  return { kind: "again", afterMs: Math.max(asked, pause(attempts)), text: messageOf(error) };
}

/** What the server said of a request that it refused. @param {XMLHttpRequest} request */
export function problemOf(request) {
  const retryAfter = request.getResponseHeader("retry-after");
  const response = new Response(null, {
    status: request.status,
    headers: retryAfter ? { "retry-after": retryAfter } : {},
  });
  return new Problem(response, bodyOf(request));
}

/** @param {XMLHttpRequest} request @returns {Record<string, any>} */
function bodyOf(request) {
  if (!request.getResponseHeader("content-type")?.includes("json")) return {};
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {}; // torn, or of something on the way that only says so
  }
}

/** @param {Problem} problem */
function isTaken({ status, type }) {
  return type === `${OURS}precondition-failed` || (status === 409 && type === `${OURS}key-taken`);
}

/** Longer each time, and not the same for all who were cut off at once. @param {number} attempts */
function pause(attempts) {
  return Math.min(2 ** attempts, LONGEST_S) * (750 + Math.random() * 500);
}
