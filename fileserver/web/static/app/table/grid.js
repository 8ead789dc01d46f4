/**
 * A grid of any number of rows and columns, of which only what is seen is in the document.
 *
 * A pane as large as the window into the table stays where it is while the scroller moves a space of the table's size;
 * the pane is painted anew for each place. Rows and cells are plain elements that are used again, for lit would compare
 * every value of every row at each frame.
 */

import { number, say } from "../core/say.js";
import strings from "../../strings/table.js";
import { edgesOf, fittingWidths, NARROWEST, seenColumns } from "./columns.js";
import { headCell } from "./head.js";
import { listenTo } from "./hands.js";
import { rangeOf } from "./range.js";
import { emptyCell, emptyRow, fillCell, made, unseen } from "./cells.js";
import { barAt, scaleOf, topAfter } from "./scale.js";

let grids = 0;

/**
 * @typedef {object} Source what a grid shows
 * @property {() => string[]} columns
 * @property {() => number} count rows, as far as they are known
 * @property {(index: number) => readonly (string | null)[] | undefined} row undefined: not here yet
 * @property {(from: number, to: number) => void} want
 * @property {(from: number, to: number) => Promise<readonly (readonly (string | null)[])[]>} rows
 *
 * @typedef {object} Wishes
 * @property {string} label
 * @property {(column: number) => string | null} [typeOf] a word below the name of a column
 * @property {(column: number, anchor: HTMLElement) => void} [onHead]
 * @property {(row: number, column: number) => void} [onCell] a cell is to be shown whole
 */

export class Grid {
  /** @param {Source} source @param {Wishes} wishes */
  constructor(source, wishes) {
    this.source = source;
    this.wishes = wishes;
    this.id = `table-${(grids += 1)}`;
    /** @type {number[]} */
    this.widths = [];
    this.edges = [0];
    this.top = 0;
    this.bar = 0;
    this.frame = 0;
    this.version = 0; // of what cells show
    this.isHeadOld = true;
    /** @type {[number, number]} */
    this.columns = [0, 0];
    /** @type {import("./range.js").Picked} */
    this.picked = { active: { row: 0, column: 0 }, anchor: { row: 0, column: 0 } };
    this.hasPicked = false; // a person or a search, rather than the beginning
    /** @type {HTMLElement[]} rows, each of which stands for every so many-th of the table */
    this.pool = [];
    this.element = made("div", "table-grid");
    this.space = made("div", "table-space");
    this.pane = made("div", "table-pane");
    this.head = made("div", "table-head");
    this.body = made("div", "table-body");
    this.gutter = 0;
    this.rowHeight = 32;
    this.headHeight = 48;
    this.width = 0;
    this.height = 0;
    this.view = 0;
    this.scale = scaleOf(0, 0);
    this.build();
    this.watcher = new ResizeObserver(() => this.resized());
    this.watcher.observe(this.element);
  }

  build() {
    Object.assign(this.pane, { tabIndex: 0, role: "grid", ariaMultiSelectable: "true", ariaLabel: this.wishes.label });
    Object.assign(this.head, { role: "row", ariaRowIndex: "1" });
    this.body.role = "rowgroup";
    const headGroup = made("div", "table-head-group");
    headGroup.role = "rowgroup";
    headGroup.append(this.head);
    this.pane.append(headGroup, this.body);
    this.space.append(this.pane);
    this.element.append(this.space);
    this.element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    listenTo(this);
  }

  /** Show what the source has now; `isOther` when its columns may be others. @param {{isOther?: boolean}} [options] */
  refresh({ isOther = false } = {}) {
    this.version += 1;
    this.isHeadOld = true;
    if (isOther || this.widths.length !== this.source.columns().length) this.fit();
    this.measure();
    this.paint();
  }

  close() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.frame);
  }

  focus() {
    this.pane.focus({ preventScroll: true });
  }

  /** Give all columns the widths that their values ask for. */
  fit() {
    const rows = [];
    for (let index = 0; index < 100; index += 1) {
      const row = this.source.row(index);
      if (row) rows.push(row);
    }
    const style = getComputedStyle(this.element);
    const cell = `${style.fontSize} ${style.fontFamily}`;
    this.widths = fittingWidths(this.source.columns(), rows, { cell, head: `600 ${cell}` });
    this.edges = edgesOf(this.widths);
    this.columns = [0, 0];
  }

  /** @param {number} column @param {number} width pixels */
  setWidth(column, width) {
    this.widths[column] = Math.max(NARROWEST, Math.round(width));
    this.edges = edgesOf(this.widths);
    this.columns = [0, 0];
    this.measure();
    this.paint();
  }

  /** Where things are: read once for each change of a size, not at each frame. */
  measure() {
    const count = this.source.count();
    const style = getComputedStyle(this.element);
    this.rowHeight = parseFloat(style.getPropertyValue("--table-row")) || 32;
    this.headHeight = parseFloat(style.getPropertyValue("--table-head")) || 48;
    this.gutter = 22 + number(Math.max(count, 99)).length * 7;
    this.width = this.element.clientWidth;
    this.height = this.element.clientHeight;
    this.view = Math.max(0, this.height - this.headHeight);
    this.scale = scaleOf(count * this.rowHeight, this.view);
    this.space.style.height = `${this.scale.space + this.headHeight}px`;
    this.space.style.width = `${this.gutter + this.edges[this.edges.length - 1]}px`;
    this.pane.style.width = `${this.width}px`;
    this.pane.style.height = `${this.height}px`;
    this.pane.style.setProperty("--table-gutter", `${this.gutter}px`);
    this.pane.ariaRowCount = String(count + 1);
    this.pane.ariaColCount = String(this.widths.length + 1);
    this.top = Math.min(this.top, this.scale.content);
  }

  resized() {
    if (!this.element.isConnected || !this.widths.length) return;
    this.measure();
    this.paint();
  }

  scrolled() {
    const bar = this.element.scrollTop;
    if (bar !== this.bar) {
      this.top = topAfter(this.scale, this, bar, this.view);
      this.bar = bar;
      // Small movements let the bar fall behind; it has to go on before it comes to an end that the content has not.
      if (bar <= 0 || bar >= this.scale.bar - 1) this.alignBar();
    }
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  /** Move the bar to where it belongs. */
  alignBar() {
    this.element.scrollTop = barAt(this.scale, this.top);
    this.bar = this.element.scrollTop;
  }

  /** @param {number} row @param {number} [column] */
  goTo(row, column = this.picked.active.column) {
    const active = { row: Math.max(0, Math.min(row, this.source.count() - 1)), column };
    this.top = Math.max(0, Math.min(active.row * this.rowHeight - this.view / 3, this.scale.content));
    this.alignBar();
    this.pick({ active, anchor: active });
  }

  /** @param {import("./range.js").Picked} picked */
  pick(picked) {
    this.picked = picked;
    this.hasPicked = true;
    this.reveal(picked.active);
    this.version += 1;
    this.paint();
  }

  /** Scroll as little as shows a cell. @param {import("./range.js").Cell} cell */
  reveal({ row, column }) {
    const y = row * this.rowHeight;
    if (row >= 0 && y < this.top) this.top = y;
    else if (row >= 0 && y + this.rowHeight > this.top + this.view) this.top = y + this.rowHeight - this.view;
    this.top = Math.max(0, Math.min(this.top, this.scale.content));
    this.alignBar();
    const seen = this.width - this.gutter;
    const [left, right] = [this.edges[column], this.edges[column + 1]];
    if (left < this.element.scrollLeft) this.element.scrollLeft = left;
    else if (right > this.element.scrollLeft + seen) this.element.scrollLeft = Math.min(left, right - seen);
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (!this.height) return;
    const left = this.element.scrollLeft;
    const columns = seenColumns(this.edges, left, this.width - this.gutter);
    if (columns[0] !== this.columns[0] || columns[1] !== this.columns[1]) this.changeColumns(columns);
    this.pane.style.setProperty("--table-shift", `${this.edges[columns[0]] - left}px`);
    this.paintHead();
    const first = Math.floor(this.top / this.rowHeight);
    const last = Math.min(this.source.count(), Math.ceil((this.top + this.view) / this.rowHeight) + 1);
    this.paintRows(first, last);
    const { row, column } = this.picked.active;
    const isShown = row < last && row >= (row < 0 ? -1 : first) && column >= columns[0] && column < columns[1];
    if (isShown) this.pane.setAttribute("aria-activedescendant", this.cellId(row, column));
    else this.pane.removeAttribute("aria-activedescendant");
    this.source.want(first, last);
  }

  /** @param {[number, number]} columns */
  changeColumns(columns) {
    this.columns = columns;
    this.version += 1;
    const widths = this.widths.slice(columns[0], columns[1]).map((width) => `${width}px`);
    this.pane.style.setProperty("--table-columns", widths.join(" "));
    this.isHeadOld = true;
  }

  paintHead() {
    if (this.isHeadOld) this.rebuildHead();
    const { row, column } = this.picked.active;
    for (const cell of this.head.lastElementChild?.children ?? []) {
      cell.classList.toggle("is-active", row < 0 && cell.id === this.cellId(-1, column));
    }
  }

  rebuildHead() {
    this.isHeadOld = false;
    const focused = this.head.querySelector(":focus");
    const corner = made("div", "table-corner");
    Object.assign(corner, { role: "columnheader", ariaColIndex: "1" });
    corner.append(unseen(strings.rowNumber));
    const cells = made("div", "table-cells");
    cells.role = "presentation";
    for (let column = this.columns[0]; column < this.columns[1]; column += 1) cells.append(headCell(this, column));
    this.head.replaceChildren(corner, cells);
    if (focused) this.focus();
  }

  /** @param {number} first @param {number} last */
  paintRows(first, last) {
    const size = Math.ceil(this.view / this.rowHeight) + 2;
    while (this.pool.length < size) this.pool.push(this.body.appendChild(emptyRow()));
    while (this.pool.length > size) this.pool.pop()?.remove();
    const free = new Set(this.pool);
    for (let index = first; index < last; index += 1) {
      const element = this.pool[index % size];
      free.delete(element);
      element.hidden = false;
      element.style.transform = `translateY(${index * this.rowHeight - this.top}px)`;
      this.fillRow(element, index);
    }
    for (const element of free) element.hidden = true;
  }

  /** @param {HTMLElement} element @param {number} index */
  fillRow(element, index) {
    const stamp = `${index} ${this.version}`;
    if (element.dataset.stamp === stamp) return;
    element.dataset.stamp = stamp;
    element.ariaRowIndex = String(index + 2);
    const [gutter, cells] = /** @type {HTMLCollectionOf<HTMLElement>} */ (element.children);
    gutter.textContent = number(index + 1);
    const values = this.source.row(index);
    const [from, to] = this.columns;
    while (cells.childElementCount > to - from) cells.lastElementChild?.remove();
    while (cells.childElementCount < to - from) cells.append(emptyCell());
    for (let column = from; column < to; column += 1) {
      fillCell(this, /** @type {HTMLElement} */ (cells.children[column - from]), values, { row: index, column });
    }
  }

  /** @param {number} row @param {number} column */
  cellId(row, column) {
    return `${this.id}-${row}-${column}`;
  }

  /** The cell at a place of the window, or null. @param {number} x @param {number} y @returns {import("./range.js").Cell | null} */
  cellAt(x, y) {
    const box = this.element.getBoundingClientRect();
    const [left, top] = [
      x - box.left - this.gutter + this.element.scrollLeft,
      y - box.top - this.headHeight + this.top,
    ];
    const row = Math.floor(Math.min(Math.max(top, this.top), this.top + this.view - 1) / this.rowHeight);
    const column = this.edges.findIndex((edge) => edge > left) - 1;
    if (row >= this.source.count() || !this.widths.length) return null;
    return { row, column: column < -1 ? this.widths.length - 1 : Math.max(0, column) };
  }

  /** What a screen reader is told of the picked cells. */
  get told() {
    const { from, to } = rangeOf(this.picked);
    return say(strings.picked, { rows: number(to.row - from.row + 1), columns: number(to.column - from.column + 1) });
  }
}
