/** Rows of a stored table, fetched where they are looked at and forgotten when they have not been for long. */

import { askJson, href } from "../core/api.js";

const PAGE = 200; // rows: what two screens show, and 50 ms of a worker's time
const KEPT = 60; // pages
const AT_ONCE = 2; // requests: the server has as many workers on a small machine
const SETTLE_MS = 60; // a bar that is being dragged passes over pages nobody wants to read
const PAST_ALL_ROWS = 10 ** 15; // no table has so many: a slice there counts the rows

/**
 * @typedef {(string | null)[]} Values
 * @typedef {{columns: string[], rows: Values[], next: number | null, total: number | null}} Slice
 */

/** The rows of one table, read in one way. `onChange` is called when more is known, `onFault` when a request failed. */
export class Slices {
  /**
   * @param {string} key
   * @param {Record<string, string>} reading how the table is read, as parameters
   * @param {{onChange: () => void, onFault: (error: unknown) => void}} listeners
   */
  constructor(key, reading, listeners) {
    this.key = key;
    this.reading = reading;
    this.listeners = listeners;
    /** @type {string[]} */
    this.columns = [];
    /** @type {number | null} rows, once they have been counted */
    this.total = null;
    /** rows, as far as anybody knows */
    this.guess = 0;
    /** @type {Map<number, Values[]>} the one used last stands last */
    this.pages = new Map();
    /** @type {Map<number, AbortController>} */
    this.asked = new Map();
    this.wanted = { from: 0, to: 0 };
    this.timer = 0;
    this.ending = new AbortController();
  }

  get count() {
    return this.total ?? this.guess;
  }

  /** Read the head and the first rows. Throws what `askJson` does. */
  async begin() {
    await this.load(0, this.ending.signal);
  }

  /** Count all rows; of a large table that takes a while. Throws what `askJson` does. */
  async countRows() {
    if (this.total === null) this.learn(await this.slice(PAST_ALL_ROWS, 1, this.ending.signal));
    this.listeners.onChange();
  }

  /** The row, if it is here. @param {number} index */
  row(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Have these rows fetched soon. @param {number} from @param {number} to */
  want(from, to) {
    this.wanted = { from, to };
    if (!this.timer && this.missing().length) this.timer = setTimeout(() => this.fetch(), SETTLE_MS);
  }

  /** Rows from one to another, not included, for the clipboard. @param {number} from @param {number} to @returns {Promise<Values[]>} */
  async rows(from, to) {
    const found = [];
    for (let index = from; index < to; index += 1) {
      if (!this.row(index)) await this.load(Math.floor(index / PAGE), this.ending.signal);
      const row = this.row(index);
      if (!row) break;
      found.push(row);
    }
    return found;
  }

  close() {
    clearTimeout(this.timer);
    this.ending.abort();
    for (const asking of this.asked.values()) asking.abort();
  }

  /** @returns {number[]} */
  missing() {
    const [first, last] = [Math.floor(this.wanted.from / PAGE), Math.floor(Math.max(0, this.wanted.to - 1) / PAGE)];
    const pages = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    return pages.filter((page) => !this.pages.has(page) && (this.total === null || page * PAGE < this.total));
  }

  fetch() {
    this.timer = 0;
    const missing = this.missing();
    for (const [page, asking] of this.asked) if (!missing.includes(page)) asking.abort();
    for (const page of missing) if (this.asked.size < AT_ONCE && !this.asked.has(page)) this.ask(page);
  }

  /** @param {number} page */
  async ask(page) {
    const asking = new AbortController();
    this.asked.set(page, asking);
    let isFaulty = false;
    try {
      await this.load(page, asking.signal);
      this.listeners.onChange();
    } catch (error) {
      isFaulty = !asking.signal.aborted; // not asked again before somebody scrolls: it would most likely fail again
      if (isFaulty) this.listeners.onFault(error);
    } finally {
      this.asked.delete(page);
    }
    if (!isFaulty && !this.ending.signal.aborted) this.fetch();
  }

  /** @param {number} page @param {AbortSignal} signal */
  async load(page, signal) {
    const slice = await this.slice(page * PAGE, PAGE, signal);
    const rows = slice.rows;
    // A slice of very wide rows ends early.
    for (let next = slice.next; next !== null && rows.length < PAGE;) {
      const more = await this.slice(next, PAGE - rows.length, signal);
      rows.push(...more.rows);
      next = more.rows.length ? more.next : null;
    }
    this.keep(page, { ...slice, rows });
  }

  /** @param {number} page @param {Slice} slice */
  keep(page, slice) {
    this.pages.delete(page);
    this.pages.set(page, slice.rows);
    const oldest = this.pages.keys().next().value;
    if (this.pages.size > KEPT && oldest !== undefined) this.pages.delete(oldest);
    this.columns = slice.columns;
    this.learn(slice);
    const known = page * PAGE + slice.rows.length;
    if (slice.next === null && (slice.rows.length || page === 0)) this.total ??= known;
    this.guess = Math.max(this.guess, slice.next === null ? known : known + 1);
  }

  /** @param {Slice} slice */
  learn(slice) {
    if (slice.total !== null) this.total = slice.total;
  }

  /** @param {number} offset @param {number} limit @param {AbortSignal} signal @returns {Promise<Slice>} */
  slice(offset, limit, signal) {
    return askJson(href("tables", this.key, { ...this.reading, offset, limit }), { signal });
  }
}
