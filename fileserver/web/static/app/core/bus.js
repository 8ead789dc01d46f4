/** Words that rooms say to each other without knowing who listens. */

/** @type {Map<string, Set<(detail: any) => void>>} */
const listeners = new Map();

/** Listen; call what is answered to stop. @param {string} name @param {(detail: any) => void} listener */
export function on(name, listener) {
  const all = listeners.get(name) ?? new Set();
  listeners.set(name, all.add(listener));
  return () => void all.delete(listener);
}

/** @param {string} name @param {unknown} [detail] */
export function emit(name, detail) {
  for (const listener of [...(listeners.get(name) ?? [])]) listener(detail);
}
