/** A line of time to press, drag and step along (WAI-ARIA APG, slider pattern). */

import { clock } from "../core/say.js";

const STEPS_S = { ArrowRight: 5, ArrowUp: 5, ArrowLeft: -5, ArrowDown: -5, PageUp: 30, PageDown: -30 };

/**
 * Make an element the slider of what a media element plays. It has the part that is over as the property `--now`.
 * `onPoint` is told the part that a pointer is at, or null.
 *
 * @param {HTMLElement} line @param {HTMLMediaElement} media
 * @param {{label: string, signal: AbortSignal, duration?: () => number, onPoint?: (part: number | null) => void}} options
 */
export function timeSlider(line, media, { label, signal, duration = () => media.duration, onPoint = () => {} }) {
  line.tabIndex = 0;
  line.setAttribute("role", "slider");
  line.setAttribute("aria-label", label);
  line.setAttribute("aria-valuemin", "0");
  const whole = () => (Number.isFinite(duration()) ? duration() : 0);
  const show = () => {
    line.style.setProperty("--now", String(whole() ? Math.min(1, media.currentTime / whole()) : 0));
    line.setAttribute("aria-valuemax", String(Math.round(whole())));
    line.setAttribute("aria-valuenow", String(Math.round(media.currentTime)));
    line.setAttribute("aria-valuetext", `${clock(media.currentTime)} / ${clock(whole())}`);
  };
  const seek = (/** @type {number} */ seconds) => {
    if (!whole()) return;
    media.currentTime = Math.min(Math.max(0, seconds), whole());
    show();
  };
  for (const name of ["timeupdate", "durationchange", "seeking"]) media.addEventListener(name, show, { signal });
  line.addEventListener("keydown", (event) => pressed(event, media, whole(), seek), { signal });
  dragged(line, signal, onPoint, (part) => seek(part * whole()));
  show();
}

/** @param {KeyboardEvent} event @param {HTMLMediaElement} media @param {number} whole @param {(seconds: number) => void} seek */
function pressed(event, media, whole, seek) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const goals = { Home: 0, End: whole };
  const step = STEPS_S[/** @type {keyof typeof STEPS_S} */ (event.key)];
  const goal = step ? media.currentTime + step : goals[/** @type {keyof typeof goals} */ (event.key)];
  if (goal === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  seek(goal);
}

/** @param {HTMLElement} line @param {AbortSignal} signal @param {(part: number | null) => void} onPoint @param {(part: number) => void} onDrop */
function dragged(line, signal, onPoint, onDrop) {
  const partAt = (/** @type {PointerEvent} */ event) => {
    const box = line.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / (box.width || 1)));
  };
  /** @param {string} name @param {(event: PointerEvent) => void} run */
  const when = (name, run) =>
    line.addEventListener(name, (event) => run(/** @type {PointerEvent} */ (event)), { signal });
  when("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.stopPropagation(); // a drag along the line is no swipe to the next file
    line.setPointerCapture(event.pointerId);
    onPoint(partAt(event));
  });
  when("pointermove", (event) => onPoint(partAt(event)));
  when("pointerleave", () => onPoint(null));
  when("pointercancel", () => onPoint(null));
  when("pointerup", (event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    onDrop(partAt(event));
    if (event.pointerType !== "mouse") onPoint(null);
  });
}
