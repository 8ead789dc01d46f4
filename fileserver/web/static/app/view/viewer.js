/**
 * One file in the whole window, over the listing that it came from: a header that is the same for all, and a body that
 * the module of its kind fills. The address decides what is shown (`?view=name`); what is done here changes the address.
 */

import strings from "../../strings/view.js";
import { ask, href, messageOf } from "../core/api.js";
import { emit } from "../core/bus.js";
import { kindOf } from "../core/kinds.js";
import { listen } from "../core/live.js";
import { notice } from "../core/notice.js";
import "../core/rooms.js";
import { hasBack, navigate, route } from "../core/router.js";
import { say } from "../core/say.js";
import { frame } from "./frame.js";
import { explain } from "./explain.js";
import { onSwipe } from "./swipe.js";

/** @type {Record<string, () => Promise<{open: (body: HTMLElement, row: Row, context: ViewContext) => OpenView}>>} */
const KINDS = {
  picture: () => import("./picture.js"),
  pdf: () => import("./pdf.js"),
  text: () => import("./text.js"),
  video: () => import("../play/player.js"),
  audio: () => import("../play/player.js"),
  table: () => import("../table/table.js"),
  other: () => import("./other.js"),
};

/**
 * @typedef {object} Shown what is shown now
 * @property {Row} row
 * @property {string} kind
 * @property {OpenView | null} opened null until its module is there
 * @property {AbortController} ending
 */

/** @type {ReturnType<typeof frame> | null} */
let shell = null;
/** @type {Shown | null} */
let shown = null;
/** The file that was asked for last: its name is there, and leads on, before it is shown itself. @type {Row | null} */
let wanted = null;
/** @type {() => Row[]} */
let siblings = () => [];
/** @type {(() => void)[]} */
let undo = [];
/** What tells that there is a new version. @type {ReturnType<typeof notice> | null} */
let offer = null;

/** Show a file. Where one is shown already this one takes its place. @param {Row} row @param {() => Row[]} others */
export async function openViewer(row, others) {
  siblings = others;
  wanted = row;
  if (!shell) begin();
  shell?.update();
  if (shown?.row.key === row.key && shown.row.etag === row.etag) return;
  const known = await learned(row);
  if (wanted !== row) return; // closed, or another one was asked for meanwhile
  if (!handOver(known)) await show(known);
}

/** Take the viewer away, and the eye back to where it was. */
export function closeViewer() {
  wanted = null;
  if (!shell) return;
  const key = shown?.row.key;
  end();
  shell.close();
  shell = null;
  for (const each of undo) each();
  undo = [];
  if (key) back(key);
}

/** The row of the last file comes in sight, and has the keyboard. @param {string} key */
async function back(key) {
  const { reveal } = await import("../browse/browse.js");
  reveal(key);
  const row = /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(key)}"]`));
  row?.focus({ preventScroll: true });
}

function begin() {
  shell = frame({ leave, go, row: () => wanted, others: () => siblings() });
  document.addEventListener("keydown", pressed);
  undo = [
    () => document.removeEventListener("keydown", pressed),
    onSwipe(shell.stage, go),
    listen(route().folder, (change) => changed(change)),
  ];
}

/** A module that shows several files of its kind itself goes on by itself. @param {Row} row */
function handOver(row) {
  if (!shown?.opened?.show || shown.kind !== kindOf(row) || !shown.opened.show(row)) return false;
  named(row);
  return true;
}

/** @param {Row} row */
async function show(row) {
  end();
  const ending = new AbortController();
  const kind = kindOf(row);
  /** @type {Shown} */
  const mine = { row, kind, opened: null, ending };
  shown = mine;
  const place = /** @type {NonNullable<typeof shell>} */ (shell).place(kind);
  named(row);
  try {
    const { open } = await (KINDS[kind] ?? KINDS.other)();
    if (!ending.signal.aborted) mine.opened = open(place.body, row, contextOf(place.actions, ending.signal));
  } catch (error) {
    const retry = { label: strings.tryAgain, run: () => show(row) };
    if (!ending.signal.aborted) explain(place.body, { title: strings.cannotShow, body: messageOf(error), row, retry });
  }
}

/** @param {Row} row */
function named(row) {
  if (shown) shown.row = row;
  wanted = row;
  shell?.update();
  emit("viewing", row);
}

function end() {
  offer?.close();
  shown?.ending.abort();
  shown?.opened?.close();
  shown = null;
}

/** @param {HTMLElement} actions @param {AbortSignal} signal @returns {ViewContext} */
function contextOf(actions, signal) {
  return {
    siblings: () => siblings(),
    go,
    goTo,
    close: leave,
    actions,
    params: new URLSearchParams(route().params),
    setParam(name, value) {
      const { folder, view, search, params } = route();
      const changedParams = new URLSearchParams(params);
      if (value === null) changedParams.delete(name);
      else changedParams.set(name, value);
      navigate({ folder, view, search, params: changedParams }, { replace: true });
    },
    signal,
  };
}

/** To the file before or after this one. @param {1 | -1} step */
function go(step) {
  const all = siblings();
  const index = all.findIndex((each) => each.key === wanted?.key);
  const next = index < 0 ? undefined : all[index + step];
  if (next) goTo(next);
}

/** @param {Row} row */
function goTo(row) {
  const { folder, search } = route();
  navigate({ folder, search, view: row.key.slice(folder.length) }, { replace: true });
}

/** Back to the listing: by the history where it leads there, so that the button of the browser does not lead here again. */
function leave() {
  const { folder, search } = route();
  if (hasBack()) history.back();
  else navigate({ folder, search }, { replace: true });
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (!isOurs(event)) return;
  if (shown?.opened?.keys?.(event) || keyOfOwn(event.key)) event.preventDefault();
}

/** Whether a key is meant for the file, and not for a field, a menu or the browser. @param {KeyboardEvent} event */
function isOurs(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = /** @type {Element} */ (event.target);
  if (target.closest("[popover], dialog")) return false;
  if (target !== document.body && !shell?.element.contains(target)) return false;
  return event.key === "Escape" || !target.matches("input:not([type=checkbox], [type=range]), textarea, select");
}

/** @param {string} key */
function keyOfOwn(key) {
  if (key === "Escape") leave();
  else if (key === "ArrowLeft") go(-1);
  else if (key === "ArrowRight") go(1);
  else if (key === "i") shell?.toggleDetails();
  else return false;
  return true;
}

/** @param {{kind: string, key?: string, from?: string}} change */
function changed({ kind, key, from }) {
  const row = shown?.row;
  if (!row || (key !== row.key && from !== row.key)) return;
  if (kind === "replaced") offerNew(row);
  else if (kind === "deleted" || (kind === "moved" && from === row.key)) gone();
}

/** What somebody reads is not taken away under their eyes. @param {Row} row */
function offerNew(row) {
  if (shown?.opened?.isCurrent?.()) return;
  const again = async () => {
    if (shown?.row.key === row.key) await show(await learned({ ...row, etag: null, media_type: null, sha256: null }));
  };
  offer?.close();
  const action = { label: strings.showNew, run: again };
  offer = notice(say(strings.changed, { name: row.name }), { action, isLasting: true });
}

function gone() {
  if (!shell || !shown) return;
  const { row, kind } = shown;
  end();
  shown = { row, kind, opened: null, ending: new AbortController() };
  explain(shell.place(kind).body, { title: strings.gone, body: strings.goneBody, iconName: "trash-2" });
}

/** The row with the type that the server finds in the file's bytes, where the listing did not know it yet. @param {Row} row @returns {Promise<Row>} */
async function learned(row) {
  if (row.media_type !== null) return row;
  try {
    const { headers } = await ask(href("files", row.key), { method: "HEAD" });
    const size = Number(headers.get("content-length") ?? row.size);
    return { ...row, media_type: headers.get("content-type"), etag: headers.get("etag") ?? row.etag, size };
  } catch {
    return row; // its module says what is wrong
  }
}
