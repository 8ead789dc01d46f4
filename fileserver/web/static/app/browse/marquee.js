/** A rectangle drawn with the mouse from beside the names selects what it touches, also beyond the window's edges. */

import { geometry, topOf } from "./geometry.js";
import { selectOnly, selection } from "./selection.js";
import { shelf } from "./shelf.js";

const START_PX = 6;
const EDGE_PX = 48;

/** @param {HTMLElement} grid */
export function startMarquee(grid) {
  const main = /** @type {HTMLElement} */ (grid.parentElement);
  main.addEventListener("pointerdown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    if (target.closest("a, button, input, label, .browse-heads, article, .empty, .browse-note, .browse-tile")) return;
    begin(grid, event);
  });
}

/** @param {HTMLElement} grid @param {PointerEvent} down */
function begin(grid, down) {
  const from = { x: down.clientX + scrollX, y: down.clientY + scrollY };
  const kept = down.ctrlKey || down.metaKey || down.shiftKey ? [...selection.keys] : [];
  /** @type {HTMLElement | null} */
  let box = null;
  let last = down;
  let frame = 0;
  const draw = () => {
    if (!box && Math.hypot(last.clientX + scrollX - from.x, last.clientY + scrollY - from.y) < START_PX) return;
    box ??= drawnBox();
    const to = { x: last.clientX + scrollX, y: last.clientY + scrollY };
    const area = {
      left: Math.min(from.x, to.x),
      right: Math.max(from.x, to.x),
      top: Math.min(from.y, to.y),
      bottom: Math.max(from.y, to.y),
    };
    place(box, area);
    selectOnly([...kept, ...touched(grid, area)]);
  };
  const scroll = () => {
    const step = beyond(last.clientY);
    if (box && step) {
      scrollBy(0, step);
      draw();
    }
    frame = requestAnimationFrame(scroll);
  };
  const moved = (/** @type {PointerEvent} */ event) => {
    last = event;
    draw();
  };
  const end = () => {
    cancelAnimationFrame(frame);
    removeEventListener("pointermove", moved);
    for (const type of ["pointerup", "pointercancel", "blur"]) removeEventListener(type, end);
    if (box) addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }));
    box?.remove();
  };
  addEventListener("pointermove", moved);
  for (const type of ["pointerup", "pointercancel", "blur"]) addEventListener(type, end);
  frame = requestAnimationFrame(scroll);
}

/** The click that ends a rectangle opens nothing. @param {Event} event */
function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function drawnBox() {
  const box = document.createElement("div");
  box.className = "browse-marquee";
  document.body.append(box);
  getSelection()?.removeAllRanges();
  return box;
}

/** @param {HTMLElement} box @param {{left: number, right: number, top: number, bottom: number}} area */
function place(box, { left, right, top, bottom }) {
  box.style.left = `${left}px`;
  box.style.top = `${top}px`;
  box.style.width = `${right - left}px`;
  box.style.height = `${bottom - top}px`;
}

/** The keys of the rows that an area touches, drawn or not. @param {HTMLElement} grid @param {{left: number, right: number, top: number, bottom: number}} area */
function touched(grid, { left, right, top, bottom }) {
  const { isGrid, lineHeight, perLine } = geometry;
  const edges = grid.getBoundingClientRect();
  const first = Math.max(0, Math.floor((top - topOf(0)) / lineHeight));
  const last = Math.floor((bottom - topOf(0)) / lineHeight);
  const width = edges.width / perLine;
  const columns = isGrid ? [Math.floor((left - edges.left) / width), Math.floor((right - edges.left) / width)] : [0, 0];
  const rows = shelf.shown.slice(first * perLine, (last + 1) * perLine);
  const isIn = (/** @type {number} */ index) => index % perLine >= columns[0] && index % perLine <= columns[1];
  return rows.filter((_, index) => isIn(index)).map((row) => row.key);
}

/** How far to scroll in a frame, in px. @param {number} y */
function beyond(y) {
  if (y < EDGE_PX + geometry.above) return -(EDGE_PX + geometry.above - y) / 3;
  return y > innerHeight - EDGE_PX ? (y - innerHeight + EDGE_PX) / 3 : 0;
}
