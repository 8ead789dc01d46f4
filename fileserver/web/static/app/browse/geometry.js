/** How large lines are and how many rows are on one, in px of the document. Measured when something changes, read often. */

import { isPhone } from "../core/viewport.js";

const FORM_KEY = "browse-form";
const TILE = { wide: 168, phone: 104 }; // px that a tile is wide, at least
const GAP = 12;
const LABEL = 56; // px for two lines of a name, and the room around them

export const geometry = {
  isGrid: localStorage.getItem(FORM_KEY) === "grid",
  lineHeight: 44,
  perLine: 1,
  /** where the lines begin */
  top: 0,
  /** what the bars at the window's edges cover */
  above: 0,
  below: 0,
};

/** @param {boolean} isGrid */
export function setForm(isGrid) {
  geometry.isGrid = isGrid;
  localStorage.setItem(FORM_KEY, isGrid ? "grid" : "list");
}

/** @param {HTMLElement} holder */
export function measure(holder) {
  const style = getComputedStyle(holder);
  geometry.perLine = 1;
  geometry.lineHeight = parseFloat(style.getPropertyValue("line-height")) || 44;
  if (geometry.isGrid) measureTiles(holder, parseFloat(style.width));
  const box = holder.getBoundingClientRect();
  geometry.top = box.top + scrollY;
  geometry.above = document.querySelector(".browse-bar")?.getBoundingClientRect().height ?? 0;
  if (!geometry.isGrid) geometry.above += document.querySelector(".browse-heads")?.getBoundingClientRect().height ?? 0;
  geometry.below = document.querySelector(".browse-deeds")?.getBoundingClientRect().height ?? 0;
}

/** Where a line is. @param {number} line */
export function topOf(line) {
  return geometry.top + line * geometry.lineHeight;
}

/** @param {HTMLElement} holder @param {number} width */
function measureTiles(holder, width) {
  const least = isPhone() ? TILE.phone : TILE.wide;
  geometry.perLine = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
  const tile = (width - GAP * (geometry.perLine - 1)) / geometry.perLine;
  geometry.lineHeight = Math.round(tile * 0.75) + LABEL + GAP;
  holder.style.setProperty("--columns", String(geometry.perLine));
  holder.style.setProperty("--line", `${geometry.lineHeight}px`);
}
