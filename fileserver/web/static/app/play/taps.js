/** Two taps at a side of a film jump ten seconds, as players on phones have it; one tap is the browser's own. */

const WITHIN_MS = 320;
const SIDE = 0.33;
const NEAR_PX = 60;
const SKIP_S = 10;

/**
 * @param {HTMLElement} stage
 * @param {(seconds: number) => void} skip
 * @param {AbortSignal} signal
 */
export function onDoubleTap(stage, skip, signal) {
  let last = { at: 0, x: 0 };
  const tapped = (/** @type {TouchEvent} */ event) => {
    const [touch] = event.changedTouches;
    if (!touch || event.touches.length) return;
    const box = stage.getBoundingClientRect();
    const part = (touch.clientX - box.left) / box.width;
    const isSecond = event.timeStamp - last.at < WITHIN_MS && Math.abs(touch.clientX - last.x) < NEAR_PX;
    last = { at: event.timeStamp, x: touch.clientX };
    if (!isSecond || (part > SIDE && part < 1 - SIDE)) return;
    event.preventDefault(); // some browsers jump by themselves, and that would be twice
    skip(part < SIDE ? -SKIP_S : SKIP_S);
  };
  stage.addEventListener("touchend", tapped, { capture: true, passive: false, signal });
}
