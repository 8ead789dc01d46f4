/** The way through folders: one request for each, nothing that flickers, and back to where one was. */

import strings from "../../strings/browse.js";
import { ask, href, lines, messageOf, Offline, Problem } from "../core/api.js";
import { emit } from "../core/bus.js";
import { env } from "../core/env.js";
import { announce, notice } from "../core/notice.js";
import { pageAt } from "../core/page.js";
import { hrefOf, navigate, onRoute, route } from "../core/router.js";
import { say } from "../core/say.js";
import { frame, refresh, showReadme } from "./frame.js";
import { focusActive, reveal } from "./lines.js";
import { keepPlaces, placeKept, returnTo } from "./places.js";
import { searchBelow, stopSearch } from "./search.js";
import { activate, selectNone } from "./selection.js";
import { begin, complete, extend, filterBy, find, parentOf, shelf } from "./shelf.js";

const WAIT_MS = 120; // shorter waits need no picture of waiting
const TOGETHER = 5000; // rows shown at a time while a long listing comes

let running = new AbortController();

export function startTravel() {
  history.scrollRestoration = "manual";
  keepPlaces();
  arrive(env.firstView);
  returnTo(placeKept());
  onRoute((now, before) => {
    if (now.folder !== before.folder) go(now, before);
    else if (now.search !== before.search) searchAgain(now.search);
  });
}

/** Go to the folder that this one is in. */
export function leave() {
  if (shelf.folder) navigate({ folder: parentOf(shelf.folder) });
}

/**
 * Ask for the folder anew and show what has become of it, where nothing is known to be under way; false where the folder
 * is there no more.
 */
export async function lookAnew() {
  const { folder } = shelf;
  if (!shelf.isWhole || frame.isWaiting) return true;
  const { signal } = running;
  /** @type {Row[]} */
  const rows = [];
  try {
    for await (const row of rowsOf(href("files", folder), signal)) rows.push(kept(row));
  } catch (error) {
    if (signal.aborted || folder !== shelf.folder) return true;
    return !(error instanceof Problem && error.status === 404); // else what is shown may be old, but is more than nothing
  }
  if (!signal.aborted && folder === shelf.folder) await complete(rows);
  return true;
}

/** @param {Route} now @param {Route} before */
async function go(now, before) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const place = placeKept();
  const timer = setTimeout(() => waiting(now.folder), WAIT_MS);
  try {
    const { first, document: made } = await pageAt(hrefOf({ folder: now.folder, search: now.search }), { signal });
    clearTimeout(timer);
    if (signal.aborted) return;
    frame.isWaiting = false;
    frame.fault = null;
    arrive(first);
    showReadme(made);
    comeFrom(before.folder, place);
  } catch (error) {
    clearTimeout(timer);
    if (!signal.aborted) failed(error, now, before);
  }
}

/** @param {unknown} error @param {Route} now @param {Route} before */
function failed(error, now, before) {
  begin(now.folder, [], { isWhole: true });
  const again = () => {
    frame.fault = null;
    go(now, before);
  };
  Object.assign(frame, {
    isWaiting: false,
    fault: { message: messageOf(error), again, isOffline: error instanceof Offline },
  });
  refresh();
}

/** @param {string} folder */
function waiting(folder) {
  begin(folder, [], { isWhole: false });
  Object.assign(frame, { isWaiting: true, fault: null });
  scrollTo({ top: 0, behavior: "instant" });
  refresh();
}

/** @param {FirstView} first */
function arrive({ folder, entries, next, search }) {
  stopSearch();
  selectNone();
  if (search) {
    begin(folder, [], { isWhole: false });
    filterBy(search);
    find(entries, { isOver: !next });
    if (next) searchBelow(search);
  } else {
    begin(folder, entries, { isWhole: !next });
    if (next) follow(folder, entries.at(-1)?.key ?? "");
  }
  document.title = folder.split("/").at(-2) ?? strings.root;
  emit("folder", { folder });
}

/** Be where one was, or at the folder one comes out of, or at the beginning. @param {string} left @param {import("./places.js").Place | null} place */
function comeFrom(left, place) {
  const from = left && parentOf(left) === shelf.folder ? left : null;
  activate(from ?? place?.active ?? null);
  if (place) returnTo(place);
  else scrollTo({ top: 0, behavior: "instant" });
  if (!place && from) reveal(from);
  announce(say.many(strings.entriesIn, shelf.known.size, { folder: document.title }));
  const isLost = !document.activeElement || document.activeElement === document.body;
  if (isLost && !route().view) focusActive();
}

/** @param {string | null} search */
function searchAgain(search) {
  if (!search && !shelf.isWhole && !shelf.known.size) return go(route(), route());
  return searchBelow(search);
}

/** Show the rest of a long listing as it comes. @param {string} folder @param {string} after */
async function follow(folder, after) {
  const { signal } = running;
  let some = /** @type {Row[]} */ ([]);
  let last = after;
  try {
    for await (const row of rowsOf(href("files", folder, { after }), signal)) {
      some.push(row);
      last = row.key;
      if (some.length < TOGETHER) continue;
      extend(some);
      some = [];
    }
    if (signal.aborted) return;
    extend(some);
    await complete();
  } catch (error) {
    if (signal.aborted) return;
    extend(some);
    const run = () => void follow(folder, last);
    notice(say(strings.restFailed, { why: messageOf(error) }), {
      kind: "error",
      action: { label: strings.again, run },
    });
  }
}

/** The rows of a listing as they come; an answer that says it is not whole is an error. @param {string} address @param {AbortSignal} signal @returns {AsyncGenerator<Row>} */
async function* rowsOf(address, signal) {
  const response = await ask(address, { accept: "application/x-ndjson", signal });
  for await (const record of lines(response)) {
    if ("key" in record) yield record;
    else if (record.type === "error") throw new Error(record.detail);
  }
}

/** The row as it is known already, where nothing of it has changed: it needs no new element. @param {Row} row */
function kept(row) {
  const before = shelf.known.get(row.key);
  return before && before.etag === row.etag && before.modified === row.modified && before.media_type === row.media_type
    ? before
    : row;
}
