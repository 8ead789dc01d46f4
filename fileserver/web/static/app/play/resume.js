/** Where somebody has stopped, to go on from there: read when a file is opened, kept while it plays. */

import { askJson, href } from "../core/api.js";

/** @typedef {import("./types").Stop} Stop */

const LEAST_S = { video: 60, audio: 600 }; // a clip or a song begins anew, a film or a book goes on
const EARLY_S = 5; // nothing worth going on from
const CREDITS = 0.97; // what is left then is not missed
const EVERY_MS = 10_000;

/** Where somebody has stopped in a file; null where nobody knows. @param {string} key @param {AbortSignal} signal @returns {Promise<Stop | null>} */
export async function stopIn(key, signal) {
  return askJson(href("media", key, undefined, "progress"), { signal }).catch(() => null);
}

/**
 * Where to begin, in seconds.
 *
 * @param {Stop | null} stop @param {"video" | "audio"} kind @param {number | null} duration
 */
export function startOf(stop, kind, duration) {
  const whole = duration ?? stop?.duration ?? 0;
  if (!stop || stop.finished || whole < LEAST_S[kind]) return 0;
  return stop.position > EARLY_S && stop.position < whole * CREDITS ? stop.position : 0;
}

/**
 * Keep where an element is in a file, every few seconds and whenever it pauses, until `signal` is aborted: then once
 * more. What is too short to go on with is not kept.
 *
 * @param {HTMLMediaElement} element @param {string} key @param {"video" | "audio"} kind @param {AbortSignal} signal
 */
export function keepPlace(element, key, kind, signal) {
  let [kept, keptAt, isMoved] = [-1, Date.now(), false];
  const keep = () => {
    const { currentTime: position, duration, ended: finished } = element;
    if (!isMoved || !(duration >= LEAST_S[kind]) || !Number.isFinite(duration) || Math.abs(position - kept) < 1) return;
    [kept, keptAt] = [position, Date.now()];
    put(key, { position, duration, finished: finished || position >= duration * CREDITS });
  };
  const passing = () => {
    isMoved ||= !element.paused; // who only opens a film is nowhere in it yet
    if (Date.now() - keptAt > EVERY_MS) keep();
  };
  element.addEventListener("timeupdate", passing, { signal });
  for (const name of ["pause", "ended"]) element.addEventListener(name, keep, { signal });
  addEventListener("pagehide", keep, { signal });
  signal.addEventListener("abort", keep, { once: true });
}

/** A position that is lost is no reason to bother anybody. @param {string} key @param {Stop} stop */
function put(key, stop) {
  const body = JSON.stringify(stop);
  const headers = { "content-type": "application/json" };
  fetch(href("media", key, undefined, "progress"), { method: "PUT", headers, body, keepalive: true }).catch(() => {});
}
