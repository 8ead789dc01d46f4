/** The panel that builds a transform step by step over a stored table, or over a file that is never stored. */

import { modal } from "../core/dialog.js";
import "../core/rooms.js";
import { route } from "../core/router.js";
import { say } from "../core/say.js";
import strings from "../../strings/table.js";
import { previewed } from "./asking.js";
import { Grid } from "./grid.js";
import { past } from "./past.js";
import { planOf } from "./drafts.js";
import { inputOf } from "./reading.js";
import { kinds } from "./steps/kinds.js";
import { guessedTypes } from "./types.js";
import { panelView } from "./panel.js";

const PAUSE_MS = 300; // after the last key: less asks for words that are half typed
let ids = 0;

/**
 * @typedef {object} Wanted what can be undone
 * @property {import("./drafts.js").Draft[]} steps
 * @property {boolean} isSql
 * @property {string} sql
 * @property {Record<string, string>} reading
 * @property {Record<string, string>} output
 *
 * @typedef {object} Panel
 * @property {import("./asking.js").Table} table
 * @property {string} name of the table
 * @property {string} folder
 * @property {Wanted} wanted
 * @property {import("./past.js").Past<Wanted>} past
 * @property {number | null} opened the step whose form is shown
 * @property {import("./asking.js").Preview | null} base the table as it is
 * @property {Map<string, string>} types of its columns
 * @property {import("./asking.js").Preview | null} preview
 * @property {boolean} isWorking
 * @property {unknown} problem
 * @property {import("./work.js").Work | null} work
 * @property {"steps" | "result"} tab of a phone
 * @property {boolean} isMore whether the options of the output are shown
 * @property {Grid} grid
 * @property {AbortController} asking
 * @property {number} timer
 * @property {() => void} update
 */

/**
 * Open the panel.
 *
 * @param {{row?: Row, file?: File, reading?: Record<string, string>, steps?: import("./drafts.js").Draft[]}} options
 */
export function openTransform({ row, file, reading = {}, steps }) {
  const table = row ? { row } : file ? { file } : null;
  if (!table) return;
  const name = (row ?? file)?.name ?? "";
  const panel = /** @type {Panel} */ ({
    table, name, folder: row ? row.key.slice(0, -row.name.length) : route().folder, opened: null, base: null, types: new Map(),
    preview: null, isWorking: true, problem: null, work: null, tab: "steps", isMore: false, timer: 0,
    asking: new AbortController(), update: () => {},
  }); // prettier-ignore
  panel.wanted = remembered(panel) ?? {
    steps: [],
    isSql: false,
    sql: "select * from input",
    reading,
    output: { format: "csv" },
  };
  panel.past = past();
  panel.grid = gridOf(panel);
  const dialog = modal({
    title: say(strings.transformOf, { name }),
    className: "transform",
    content: (close) => panelView(panel, close),
    onClose: () => closed(panel),
  });
  panel.update = dialog.update;
  dialog.element.addEventListener("keydown", (event) => pressed(panel, event));
  begin(panel, steps ?? []);
}

/** Look at the table as it is, then at what becomes of it. @param {Panel} panel @param {import("./drafts.js").Draft[]} steps */
async function begin(panel, steps) {
  await look(panel, true);
  for (const step of steps) addStep(panel, step.op, step);
  if (!steps.length && panel.wanted.steps.length) look(panel, false);
}

/** @param {Panel} panel */
function closed(panel) {
  clearTimeout(panel.timer);
  panel.asking.abort();
  panel.work?.stop.abort();
  panel.grid.close();
}

/** @param {Panel} panel */
function gridOf(panel) {
  const shown = () => panel.preview ?? panel.base;
  const source = {
    columns: () => shown()?.columns ?? [],
    count: () => shown()?.rows.length ?? 0,
    row: (/** @type {number} */ index) => shown()?.rows[index],
    want: () => {},
    rows: async (/** @type {number} */ from, /** @type {number} */ to) => shown()?.rows.slice(from, to) ?? [],
  };
  return new Grid(source, { label: strings.preview });
}

/** The plan that the panel builds. @param {Panel} panel */
export function planFor({ wanted }) {
  const { format, ...others } = wanted.output;
  const output = outputOf({ ...(format === "csv" ? {} : { format }), ...others });
  const input = inputOf(wanted.reading);
  return planOf({ input, steps: wanted.steps, sql: wanted.isSql ? wanted.sql : null, output });
}

/** @param {Record<string, string>} output @returns {Record<string, unknown>} */
function outputOf(output) {
  const truths = ["bom", "header"];
  const pairs = Object.entries(output).filter(([, value]) => value !== "");
  return Object.fromEntries(pairs.map(([name, value]) => [name, truths.includes(name) ? value === "true" : value]));
}

/** Change what is wanted, so that it can be undone; `topic` joins changes of one field to one. @param {Panel} panel @param {Partial<Wanted>} patch @param {string} [topic] */
export function change(panel, patch, topic) {
  panel.past.keep(panel.wanted, topic);
  settle(panel, { ...panel.wanted, ...patch });
}

/** @param {Panel} panel @param {"undo" | "redo"} way */
export function travel(panel, way) {
  const wanted = panel.past[way](panel.wanted);
  if (wanted) settle(panel, wanted);
}

/** @param {Panel} panel @param {Wanted} wanted */
function settle(panel, wanted) {
  const isReadAnew = JSON.stringify(wanted.reading) !== JSON.stringify(panel.wanted.reading);
  panel.wanted = wanted;
  remember(panel);
  panel.update();
  clearTimeout(panel.timer);
  panel.timer = setTimeout(() => look(panel, isReadAnew), PAUSE_MS);
}

/** @param {Panel} panel @param {string} op @param {Record<string, unknown>} [members] */
export function addStep(panel, op, members = {}) {
  const typeOf = (/** @type {string} */ name) => panel.types.get(name) ?? "";
  const draft = { ...kinds[op].make(panel.base?.columns ?? [], typeOf), ...members, op, id: newId(panel) };
  panel.opened = draft.id;
  change(panel, { steps: [...panel.wanted.steps, draft] });
}

/** @param {Panel} panel */
export function newId({ wanted }) {
  ids = Math.max(ids, ...wanted.steps.map((draft) => draft.id ?? 0)) + 1;
  return ids;
}

/** Ask for the first rows. `isBase`: of the table as it is, too. @param {Panel} panel @param {boolean} isBase */
async function look(panel, isBase) {
  panel.asking.abort();
  const asking = (panel.asking = new AbortController());
  panel.isWorking = true;
  panel.update();
  try {
    if (isBase) {
      panel.base = await previewed(panel.table, { input: inputOf(panel.wanted.reading), steps: [] }, asking.signal);
      panel.types = guessedTypes(panel.base.columns, panel.base.rows);
    }
    const plan = planFor(panel);
    const isPlain = plan.steps?.length === 0;
    panel.preview = isPlain && panel.base ? panel.base : await previewed(panel.table, plan, asking.signal);
    panel.problem = null;
  } catch (error) {
    if (asking.signal.aborted) return;
    panel.problem = error instanceof RangeError ? new Error(strings.packed) : error;
  }
  if (asking.signal.aborted) return;
  panel.isWorking = false;
  panel.update();
  panel.grid.refresh({ isOther: true });
}

/** @param {Panel} panel @param {KeyboardEvent} event */
function pressed(panel, event) {
  const isField = event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox]), textarea");
  if (isField || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  event.preventDefault();
  travel(panel, event.shiftKey ? "redo" : "undo");
}

/** @param {Panel} panel */
function remember({ table, wanted }) {
  try {
    sessionStorage.setItem(placeOf(table), JSON.stringify(wanted));
  } catch {
    // Storage may be full or forbidden: the steps are there until the panel is closed.
  }
}

/** @param {Panel} panel @returns {Wanted | null} */
function remembered({ table }) {
  const kept = sessionStorage.getItem(placeOf(table));
  return kept ? JSON.parse(kept) : null;
}

/** Where the steps for a table are kept until the window is closed. @param {import("./asking.js").Table} table */
function placeOf({ row, file }) {
  return row ? `transform:${row.key}` : `transform::${file.name}:${file.size}`;
}
