/** To the next file by a swipe, where a finger has nothing else to move. */

const FAR = 60; // px: less is a tap that slipped
const STEEP = 2; // so many times more across than along is meant to be across

/** @param {HTMLElement} stage @param {(step: 1 | -1) => void} go */
export function onSwipe(stage, go) {
  /** @type {Touch | null} */
  let start = null;
  const begin = (/** @type {TouchEvent} */ event) => {
    const isFree = event.touches.length === 1 && !movesItself(/** @type {Element} */ (event.target), stage);
    start = isFree ? (event.touches[0] ?? null) : null;
  };
  const end = (/** @type {TouchEvent} */ event) => {
    const [last] = event.changedTouches;
    if (!start || !last || event.touches.length) return;
    const [across, along] = [last.clientX - start.clientX, last.clientY - start.clientY];
    start = null;
    if (Math.abs(across) > FAR && Math.abs(across) > STEEP * Math.abs(along)) go(across < 0 ? 1 : -1);
  };
  stage.addEventListener("touchstart", begin, { passive: true });
  stage.addEventListener("touchend", end);
  return () => {
    stage.removeEventListener("touchstart", begin);
    stage.removeEventListener("touchend", end);
  };
}

/** Whether something between the finger and the stage scrolls sideways or takes a finger itself. @param {Element} target @param {Element} stage */
function movesItself(target, stage) {
  for (
    let element = /** @type {Element | null} */ (target);
    element && element !== stage;
    element = element.parentElement
  ) {
    if (element.matches("input, [role=slider], [role=grid], .pswp, [data-no-swipe]")) return true;
    if (element.scrollWidth > element.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(element).overflowX)) {
      return true;
    }
  }
  return false;
}
