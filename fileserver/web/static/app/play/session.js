/** What the system shows of what plays, and the keys that it hands on: lock screens, headphones, media keys. */

/** @typedef {import("./types").Credits} Credits */

/**
 * @typedef {object} Presented
 * @property {Credits} credits
 * @property {string | null} artwork
 * @property {(() => void) | null} onNext
 * @property {(() => void) | null} onPrevious
 */

const SKIP_S = 10;

/** Present what an element plays, until `signal` is aborted. @param {HTMLMediaElement} element @param {Presented} presented @param {AbortSignal} signal */
export function present(element, { credits, artwork, onNext, onPrevious }, signal) {
  const session = navigator.mediaSession;
  if (!session || signal.aborted) return;
  const images = artwork ? [{ src: new URL(artwork, document.baseURI).href }] : [];
  const metadata = new MediaMetadata({ ...credits, artwork: images });
  const skip = (/** @type {number} */ seconds) => (element.currentTime += seconds);
  /** @type {[MediaSessionAction, MediaSessionActionHandler | null][]} */
  const actions = [
    ["play", () => void element.play().catch(() => {})],
    ["pause", () => element.pause()],
    ["stop", () => element.pause()],
    ["seekbackward", ({ seekOffset }) => void skip(-(seekOffset ?? SKIP_S))],
    ["seekforward", ({ seekOffset }) => void skip(seekOffset ?? SKIP_S)],
    ["seekto", ({ seekTime }) => void (element.currentTime = seekTime ?? element.currentTime)],
    ["previoustrack", onPrevious],
    ["nexttrack", onNext],
  ];
  const take = () => {
    session.metadata = metadata;
    for (const [action, run] of actions) handle(session, action, run);
  };
  const place = () => tellPlace(session, element);
  const stateOf = () => (session.playbackState = element.paused ? "paused" : "playing");
  element.addEventListener("play", take, { signal });
  for (const name of ["play", "pause"]) element.addEventListener(name, stateOf, { signal });
  for (const name of ["durationchange", "seeked", "ratechange", "play"]) {
    element.addEventListener(name, place, { signal });
  }
  if (!element.paused) take();
  const leave = () => {
    if (session.metadata !== metadata) return; // something else plays by now
    session.metadata = null;
    session.playbackState = "none";
    for (const [action] of actions) handle(session, action, null);
  };
  signal.addEventListener("abort", leave, { once: true });
}

/** @param {MediaSession} session @param {MediaSessionAction} action @param {MediaSessionActionHandler | null} run */
function handle(session, action, run) {
  try {
    session.setActionHandler(action, run);
  } catch {
    // an action that this browser does not know
  }
}

/** @param {MediaSession} session @param {HTMLMediaElement} element */
function tellPlace(session, { duration, currentTime, playbackRate }) {
  if (!(duration > 0) || !Number.isFinite(duration) || !playbackRate) return;
  session.setPositionState({ duration, position: Math.min(currentTime, duration), playbackRate });
}
