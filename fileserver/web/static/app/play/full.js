/** The full screen: of the whole viewer, so that it lasts from one film to the next. */

const IDLE_MS = 2500;

/**
 * What fills the screen for a player that is within `body`; null where the browser has no such thing.
 *
 * @param {HTMLElement} body @param {HTMLVideoElement} element @param {AbortSignal} signal
 * @returns {(() => void) | null}
 */
export function fullScreen(body, element, signal) {
  const whole = /** @type {HTMLElement} */ (body.closest(".view") ?? body);
  const own = /** @type {any} */ (element).webkitEnterFullscreen; // iPhones let nothing but a film fill the screen
  if (!document.fullscreenEnabled) return own ? () => own.call(element) : null;
  const toggle = () => {
    const change = document.fullscreenElement ? document.exitFullscreen() : whole.requestFullscreen();
    change.catch(() => {});
  };
  element.addEventListener("dblclick", toggle, { signal });
  hideIdle(whole, signal);
  return toggle;
}

/** Everything but the film leaves while nobody moves. @param {HTMLElement} whole @param {AbortSignal} signal */
function hideIdle(whole, signal) {
  let timer = 0;
  const stir = () => {
    clearTimeout(timer);
    whole.classList.remove("play-idle");
    timer = setTimeout(() => whole.classList.add("play-idle"), IDLE_MS);
  };
  for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) {
    whole.addEventListener(name, stir, { signal });
  }
  const end = () => {
    clearTimeout(timer);
    whole.classList.remove("play-idle");
  };
  signal.addEventListener("abort", end, { once: true });
  stir();
}
