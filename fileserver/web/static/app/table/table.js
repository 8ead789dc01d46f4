/** A stored table as a grid: any of its rows, and what is known of its columns. */

import { askJson, href, messageOf } from "../core/api.js";
import { prompt } from "../core/dialog.js";
import { html, icon, nothing, render } from "../core/html.js";
import { listen } from "../core/live.js";
import { notice } from "../core/notice.js";
import { number, say, size } from "../core/say.js";
import strings from "../../strings/table.js";
import { showCell, showFacts } from "./facts.js";
import { Grid } from "./grid.js";
import { askReading, readingOf, tellReading } from "./reading.js";
import { Slices } from "./slices.js";

/**
 * @typedef {object} Column what a profile says of a column
 * @property {string} name
 * @property {string} type
 * @property {number} nulls
 * @property {number} empty
 * @property {number} distinct_estimate
 * @property {string | null} min
 * @property {string | null} max
 * @property {number} longest
 * @property {string[]} examples
 *
 * @typedef {object} Profile
 * @property {Record<string, string | boolean | null>} dialect
 * @property {number} rows
 * @property {boolean} sampled
 * @property {number | null} rejected
 * @property {Column[]} columns
 *
 * @typedef {object} View
 * @property {Row} row
 * @property {HTMLElement} body
 * @property {ViewContext} context
 * @property {Record<string, string>} reading
 * @property {Slices} slices
 * @property {Grid | null} grid
 * @property {Profile | null} profile
 * @property {unknown} fault
 * @property {number} turn which reading of the table is shown: answers to older ones are of no use
 */

/** Show a table. @param {HTMLElement} body @param {Row} row @param {ViewContext} context @returns {OpenView} */
export function open(body, row, context) {
  const view = /** @type {View} */ ({ row, body, context, reading: readingOf(context.params), turn: 0 });
  const off = listen(row.key, (change) => {
    if (change.key === row.key && change.kind === "replaced") begin(view);
  });
  renderActions(view);
  begin(view);
  const close = () => {
    off();
    view.turn += 1;
    view.slices.close();
    view.grid?.close();
    render(nothing, context.actions);
  };
  body.addEventListener("keydown", (event) => pressed(view, event), { signal: context.signal });
  return { close, isCurrent: () => true };
}

/** Read the table from its beginning. @param {View} view */
async function begin(view) {
  const turn = (view.turn += 1);
  view.slices?.close();
  view.slices = new Slices(view.row.key, view.reading, {
    onChange: () => view.grid?.refresh(),
    onFault: (error) => notice(messageOf(error), { kind: "error" }),
  });
  view.profile = null;
  view.fault = null;
  renderView(view);
  try {
    await view.slices.begin();
    if (turn !== view.turn) return;
    estimate(view);
    showGrid(view);
    await learn(view, turn);
  } catch (error) {
    if (turn !== view.turn) return;
    if (view.grid) {
      notice(messageOf(error), { kind: "error" }); // the rows are there, their facts are not
      return;
    }
    view.fault = error;
    renderView(view);
  }
}

/** What is in the columns, and how many rows there are. @param {View} view @param {number} turn */
async function learn(view, turn) {
  const profile = await askJson(href("tables", view.row.key, view.reading), { signal: view.context.signal });
  if (turn !== view.turn) return;
  view.profile = profile;
  if (!profile.sampled) view.slices.total ??= profile.rows;
  view.grid?.refresh();
  renderStatus(view);
  await view.slices.countRows();
  if (turn === view.turn) renderStatus(view);
}

/** How many rows there may be, by how long the first ones are. @param {View} view */
function estimate({ slices, row }) {
  const sample = [];
  for (let index = 0; index < slices.guess && slices.row(index); index += 1) sample.push(slices.row(index)?.join(","));
  const length = new TextEncoder().encode(sample.join("\n")).length;
  if (slices.total === null && length) {
    slices.guess = Math.max(slices.guess, Math.round((row.size ?? 0) / (length / sample.length)));
  }
}

/** @param {View} view */
function showGrid(view) {
  view.grid?.close();
  const { slices } = view;
  const source = {
    columns: () => slices.columns,
    count: () => slices.count,
    row: (/** @type {number} */ index) => slices.row(index),
    want: (/** @type {number} */ from, /** @type {number} */ to) => slices.want(from, to),
    rows: (/** @type {number} */ from, /** @type {number} */ to) => slices.rows(from, to),
  };
  view.grid = new Grid(source, {
    label: say(strings.grid, { name: view.row.name }),
    typeOf: (column) => view.profile?.columns[column]?.type ?? null,
    onHead: (column, anchor) => showFacts(view, column, anchor),
    onCell: (row, column) => showCell(slices.columns[column] ?? "", row, slices.row(row)?.[column] ?? null),
  });
  renderView(view);
  view.grid.refresh({ isOther: true });
  view.grid.focus();
}

/** @param {View} view */
function renderView(view) {
  if (view.fault) {
    render(faultOf(view), view.body);
    return;
  }
  const isReady = view.grid && view.slices.columns.length;
  render(
    html`<div class="table-view">
      ${isReady ? view.grid?.element : skeleton()}
      <p class="table-status" role="status"></p>
    </div>`,
    view.body,
  );
  renderStatus(view);
}

function skeleton() {
  return html`<div class="table-grid" aria-busy="true" aria-label=${strings.reading}>
    ${Array.from({ length: 12 }, () => html`<div class="table-skeleton skeleton"></div>`)}
  </div>`;
}

/** @param {View} view */
function faultOf(view) {
  return html`<div class="empty">
    ${icon("table")}
    <h2>${strings.unreadable}</h2>
    <p>${messageOf(view.fault)}</p>
    <p>
      <button class="button main" @click=${() => changeReading(view)}>${strings.howRead}</button>
      <button class="button" @click=${() => begin(view)}>${strings.again}</button>
    </p>
  </div>`;
}

/** @param {View} view */
function renderStatus({ body, slices, profile, row }) {
  const status = body.querySelector(".table-status");
  if (!(status instanceof HTMLElement) || !slices.columns.length) return;
  const rows = say.many(slices.total === null ? strings.rowsAbout : strings.rows, slices.count);
  const parts = [rows, say.many(strings.columns, slices.columns.length), size(row.size)];
  if (profile) parts.push(tellReading(profile.dialect));
  if (profile?.rejected) parts.push(say.many(strings.leftOut, profile.rejected));
  status.textContent = parts.filter(Boolean).join(" · ");
}

/** @param {View} view */
function renderActions(view) {
  render(
    html`<button class="icon-button" title=${strings.goTo} aria-label=${strings.goTo} @click=${() => goTo(view)}>
        ${icon("hash")}
      </button>
      <button
        class="icon-button"
        title=${strings.howRead}
        aria-label=${strings.howRead}
        @click=${() => changeReading(view)}
      >
        ${icon("settings-2")}
      </button>
      <button class="button table-transform" @click=${() => transform(view)}>
        ${icon("sliders-horizontal")} ${strings.transform}
      </button>`,
    view.context.actions,
  );
}

/** @param {View} view @param {import("./drafts.js").Draft[]} [steps] */
export async function transform({ row, reading }, steps) {
  const { openTransform } = await import("./transform.js");
  openTransform({ row, reading, steps });
}

/** @param {View} view */
async function changeReading(view) {
  const reading = await askReading(view.reading);
  if (!reading) return;
  for (const name of new Set([...Object.keys(view.reading), ...Object.keys(reading)])) {
    view.context.setParam(name, reading[name] ?? null);
  }
  view.reading = reading;
  view.grid?.close();
  view.grid = null;
  begin(view);
}

/** @param {View} view */
async function goTo({ slices, grid }) {
  const check = (/** @type {string} */ value) => (rowOf(value, slices.count) === null ? strings.noSuchRow : null);
  const label = say(strings.rowOf, { count: number(slices.count) });
  const value = await prompt({ title: strings.goTo, label, yes: strings.go, check });
  const row = value === null ? null : rowOf(value, slices.count);
  if (row === null) return;
  grid?.goTo(row);
  grid?.focus();
}

/** A row's index from its number as people write it: `12,000`. @param {string} value @param {number} count */
function rowOf(value, count) {
  const digits = value.replace(/[\s,.'’]/g, "");
  const row = Number(digits);
  return /^\d+$/.test(digits) && row >= 1 && row <= count ? row - 1 : null;
}

/** @param {View} view @param {KeyboardEvent} event */
function pressed(view, event) {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "g" || !view.grid) return;
  event.preventDefault(); // the browser would look for the next hit of a search
  event.stopPropagation();
  goTo(view);
}
