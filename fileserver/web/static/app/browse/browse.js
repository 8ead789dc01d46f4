/** The folder that is shown: its rows, what can be done with them, and the way through folders. */

import { on } from "../core/bus.js";
import { env } from "../core/env.js";
import { startBar } from "./bar.js";
import { startFrame } from "./frame.js";
import { startKeys } from "./keys.js";
import { remark, reveal as revealRow } from "./lines.js";
import { startPointer } from "./pointer.js";
import { activate, selected } from "./selection.js";
import { rowOf, shelf } from "./shelf.js";
import { startTravel } from "./travel.js";

export { actionsFor } from "./actions.js";

const LATER_MS = 2000; // what is needed for most deeds is there before the network may be gone

export function startBrowse() {
  const grid = startFrame();
  startBar();
  startTravel();
  startPointer(grid);
  startKeys(grid);
  on("selection", remark);
  if (env.mayWrite) setTimeout(() => import("./changing.js").catch(() => {}), LATER_MS);
  return grid;
}

/** All rows that are shown, in their order. */
export function rows() {
  return shelf.shown;
}

/** The rows that are selected. */
export function selection() {
  return selected();
}

/** Have a file or folder in sight, and the keyboard at it. @param {string} key */
export function reveal(key) {
  if (!rowOf(key)) return;
  activate(key);
  revealRow(key);
}
