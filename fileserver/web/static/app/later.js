/** What a page does not begin with, but soon has: nobody drags, drops or hears of changes before they have looked. */

import { startChanges } from "./browse/changes.js";
import { startDragging } from "./browse/dragging.js";
import { startMarquee } from "./browse/marquee.js";
import "./core/rooms.js";
import { startDrops } from "./upload/drop.js";

/** @param {HTMLElement} grid */
export function startLater(grid) {
  startMarquee(grid);
  startDragging(grid);
  startDrops();
  startChanges();
}
