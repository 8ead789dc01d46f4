/** Small choices that last: in this browser, or in this tab. A browser that keeps nothing forgets them, and no more. */

/** @param {string} name @param {{inTab?: boolean}} [where] @returns {any} */
export function recall(name, { inTab = false } = {}) {
  try {
    return JSON.parse((inTab ? sessionStorage : localStorage).getItem(`play.${name}`) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} name @param {unknown} value null forgets @param {{inTab?: boolean}} [where] */
export function remember(name, value, { inTab = false } = {}) {
  try {
    const store = inTab ? sessionStorage : localStorage;
    if (value === null) store.removeItem(`play.${name}`);
    else store.setItem(`play.${name}`, JSON.stringify(value));
  } catch {
    // storage that is full or forbidden
  }
}
