/** What others do in the folder, and what this page does itself, is seen at once: nothing jumps, nothing is unselected. */

import strings from "../../strings/browse.js";
import { ask, href, Problem } from "../core/api.js";
import { on } from "../core/bus.js";
import { listen, onState } from "../core/live.js";
import { notice } from "../core/notice.js";
import { navigate } from "../core/router.js";
import { frame, refresh } from "./frame.js";
import { prune } from "./selection.js";
import { drop, parentOf, put, rowOf, shelf } from "./shelf.js";
import { leave, lookAnew } from "./travel.js";

const PAUSE_MS = 60; // changes that come together are shown together
const LATER_MS = 1500;
const AWAY_MS = 4000; // a server that is started anew is back by then
const MANY = 30; // files asked for one by one; for more the folder is asked for

/** @type {Set<string>} */
const asked = new Set();
/** @type {Set<string>} */
const gone = new Set();
let stop = () => {};
let folder = /** @type {string | null} */ (null);
let timer = 0;
let anewTimer = 0;
let awayTimer = 0;
let wasOn = false;
/** what says that the server is away @type {{close: () => void} | null} */
let away = null;

export function startChanges() {
  watch();
  onState((isOn) => (isOn ? back() : cut()));
  on("folder", watch);
  on("uploaded", ({ key }) => noted({ kind: "created", key }));
  on("changed", (detail) => (!detail || detail.folder === shelf.folder ? lookSoon(0) : undefined));
}

/** Say so when the server is away for longer than a moment. */
function cut() {
  if (!wasOn) return; // nothing is known of it yet
  awayTimer = setTimeout(() => (away = notice(strings.away, { isLasting: true })), AWAY_MS);
}

/** The server is there, perhaps again: the feed tells what was missed, but not a folder that could not be shown. */
function back() {
  wasOn = true;
  clearTimeout(awayTimer);
  away?.close();
  away = null;
  if (frame.fault?.isOffline) frame.fault.again();
}

function watch() {
  if (folder === shelf.folder) return;
  folder = shelf.folder;
  asked.clear();
  gone.clear();
  stop();
  stop = listen(folder, noted);
}

/** @param {{kind: string, key?: string, from?: string}} change */
function noted({ kind, key = "", from }) {
  if (kind === "reset") return lookSoon(0);
  if (kind === "moved" && from) {
    if (isAbove(from)) return navigate({ folder: key + shelf.folder.slice(from.length) }, { replace: true });
    removed(from);
  }
  if (kind === "deleted") removed(key);
  else added(key);
  clearTimeout(timer);
  timer = setTimeout(settle, PAUSE_MS);
}

/** @param {string} key */
function removed(key) {
  asked.delete(key);
  if (isAbove(key)) return lost();
  if (parentOf(key) === shelf.folder || shelf.found.has(key)) gone.add(key);
  else if (key.startsWith(shelf.folder)) lookSoon(LATER_MS); // its folder may be gone with it
}

/** @param {string} key */
function added(key) {
  if (!key.startsWith(shelf.folder) || key === shelf.folder) return;
  const end = key.indexOf("/", shelf.folder.length);
  const shown = end < 0 ? key : key.slice(0, end + 1);
  gone.delete(shown);
  if (!shown.endsWith("/") || !rowOf(shown)) asked.add(shown);
  if (shelf.found.has(key)) asked.add(key);
}

/** Whether it is the folder shown, or one that this is in. @param {string} key */
function isAbove(key) {
  return key.endsWith("/") && shelf.folder.startsWith(key);
}

async function settle() {
  const [dropped, wanted] = [[...gone], [...asked]];
  gone.clear();
  asked.clear();
  drop(dropped);
  prune();
  if (dropped.length && !hasFiles()) lookSoon(LATER_MS); // others who remove a folder are seen to remove its files alone
  if (wanted.length > MANY) return lookSoon(0);
  const before = shelf.folder;
  const rows = await Promise.all(wanted.map(rowFor));
  if (shelf.folder !== before) return;
  const found = rows.filter((row) => row !== null);
  if (found.length) put(found);
}

/** What the server tells of a file. @param {string} key @returns {Promise<Row | null>} */
async function rowFor(key) {
  const name = /** @type {string} */ (key.split("/").findLast(Boolean));
  const nothing = { size: null, media_type: null, etag: null, sha256: null };
  const base = { key, name, href: href("files", key), modified: new Date().toISOString(), ...nothing };
  if (key.endsWith("/")) return { ...base, type: "folder" };
  try {
    const { headers } = await ask(base.href, { method: "HEAD" });
    const modified = new Date(headers.get("last-modified") ?? Date.now()).toISOString();
    const size = Number(headers.get("content-length") ?? 0);
    return {
      ...base,
      type: "file",
      size,
      modified,
      media_type: headers.get("content-type"),
      etag: headers.get("etag"),
    };
  } catch (error) {
    if (error instanceof Problem && error.status === 404) drop([key]); // gone again meanwhile
    return null;
  }
}

/** @param {number} pause */
function lookSoon(pause) {
  clearTimeout(anewTimer);
  anewTimer = setTimeout(async () => {
    if (await lookAnew()) prune();
    else lost();
  }, pause);
}

function hasFiles() {
  for (const row of shelf.known.values()) if (row.type === "file") return true;
  return false;
}

/** The folder is there no more. */
function lost() {
  drop([...shelf.known.keys()]);
  frame.fault = { message: strings.folderGone, again: leave };
  refresh();
}
