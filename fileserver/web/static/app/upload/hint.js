/** Whether uploads of an earlier visit may be unfinished: known without opening their database. */

import { env } from "../core/env.js";

const NAME = `uploads ${env.root}`;

export function hasUnfinished() {
  try {
    return localStorage.getItem(NAME) !== null;
  } catch {
    return false; // storage is forbidden here, and the database with it
  }
}

/** @param {boolean} is */
export function setUnfinished(is) {
  try {
    if (is) localStorage.setItem(NAME, "1");
    else localStorage.removeItem(NAME);
  } catch {
    // as above
  }
}
