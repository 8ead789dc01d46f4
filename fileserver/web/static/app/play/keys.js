/** Keys that players have in common: those of YouTube, VLC and mpv agree on them. */

import strings from "../../strings/play.js";
import { say } from "../core/say.js";
import { play } from "./deck.js";

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/**
 * @typedef {object} Actions what keys ask of a player besides its element
 * @property {() => void} fullScreen
 * @property {() => void} words show or hide subtitles
 * @property {(speed: number) => void} speed
 * @property {(step: 1 | -1) => void} step to another file
 * @property {(text: string) => void} flash show for a moment what a key did
 */

/**
 * Do what a key means; false where it means nothing here.
 *
 * @param {KeyboardEvent} event @param {HTMLMediaElement} element @param {Actions} actions
 */
export function pressed(event, element, actions) {
  const target = /** @type {Element} */ (event.target);
  if (event.key === " " && target.matches("button, a, summary, [role^=menuitem]")) return false;
  if (event.key.length > 1 && target.matches("input, [role=slider]")) return false;
  const run = runOf(event.key, element, actions);
  run?.();
  return run !== null;
}

/** @param {string} key @param {HTMLMediaElement} element @param {Actions} actions @returns {(() => void) | null} */
function runOf(key, element, actions) {
  if (/^\d$/.test(key)) return () => void (element.currentTime = (Number(key) / 10) * (element.duration || 0));
  /** @type {Record<string, () => void>} */
  const keys = {
    " ": () => toggle(element),
    k: () => toggle(element),
    j: () => skip(element, -10, actions),
    l: () => skip(element, 10, actions),
    ArrowLeft: () => skip(element, -5, actions),
    ArrowRight: () => skip(element, 5, actions),
    ArrowUp: () => louder(element, 0.05, actions),
    ArrowDown: () => louder(element, -0.05, actions),
    m: () => mute(element, actions),
    f: actions.fullScreen,
    c: actions.words,
    "<": () => actions.speed(nextSpeed(element.playbackRate, -1)),
    ">": () => actions.speed(nextSpeed(element.playbackRate, 1)),
    N: () => actions.step(1),
    P: () => actions.step(-1),
  };
  return keys[key] ?? null;
}

/** @param {HTMLMediaElement} element */
export function toggle(element) {
  if (element.paused) play(element);
  else element.pause();
}

/** @param {HTMLMediaElement} element @param {number} seconds @param {Pick<Actions, "flash">} actions */
export function skip(element, seconds, { flash }) {
  const end = Number.isFinite(element.duration) ? element.duration : Infinity;
  element.currentTime = Math.min(end, Math.max(0, element.currentTime + seconds));
  flash(say(seconds > 0 ? strings.forward : strings.backward, { seconds: Math.abs(seconds) }));
}

/** @param {HTMLMediaElement} element @param {number} by @param {Actions} actions */
function louder(element, by, { flash }) {
  element.volume = Math.min(1, Math.max(0, element.volume + by));
  element.muted = false;
  flash(say(strings.volume, { percent: Math.round(element.volume * 100) }));
}

/** @param {HTMLMediaElement} element @param {Actions} actions */
function mute(element, { flash }) {
  element.muted = !element.muted;
  flash(element.muted ? strings.muted : strings.unmuted);
}

/** @param {number} speed @param {1 | -1} step */
export function nextSpeed(speed, step) {
  const beyond = SPEEDS.filter((each) => (each - speed) * step > 0.001);
  return (step > 0 ? beyond[0] : beyond.at(-1)) ?? speed;
}
