/** What plays in the page: one at a time, and everybody may ask where it is. */

/** @type {Map<HTMLMediaElement, string>} */
const elements = new Map();

/** Say that an element is for a file, until `signal` is aborted. Whatever else plays pauses when it begins. @param {HTMLMediaElement} element @param {string} key @param {AbortSignal} signal */
export function enter(element, key, signal) {
  elements.set(element, key);
  const begin = () => {
    for (const other of elements.keys()) if (other !== element) other.pause();
  };
  element.addEventListener("play", begin, { signal });
  signal.addEventListener("abort", () => elements.get(element) === key && elements.delete(element), { once: true });
}

/** The second that somebody is at in a file; null where it is not open. @param {string} key @returns {number | null} */
export function momentOf(key) {
  for (const [element, each] of elements) if (each === key && element.readyState > 0) return element.currentTime;
  return null;
}
