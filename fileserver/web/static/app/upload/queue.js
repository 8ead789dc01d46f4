/** All uploads of this page: which of them go, in which order, and what becomes of each. */

import { emit } from "../core/bus.js";
import strings from "../../strings/upload.js";
import { isStored, storedFacts } from "./checksum.js";
import { answerFor, freeKey } from "./clash.js";
import { Changed, verdictOf } from "./faults.js";
import { forget, keep, newId } from "./kept.js";
import { leafOf } from "./names.js";
import { discard, send, sendSmaller } from "./send.js";
import { Speed } from "./speed.js";

const AT_ONCE = 3; // more is hardly faster, and a browser has six connections for a server, one of which hears the feed
const ENDS = ["done", "skipped", "failed"];

export const speed = new Speed();

/** @type {UploadItem[]} */
let items = [];
/** Those that wait, in order. @type {UploadItem[]} */
const line = [];
/** Those that are being sent, or rest until they are tried again. @type {Set<UploadItem>} */
const running = new Set();
/** @type {Set<() => void>} */
const listeners = new Set();

/** In the order in which they were added. @returns {readonly UploadItem[]} */
export function uploads() {
  return items;
}

/** @param {() => void} listener called after each change, very often */
export function onUploads(listener) {
  listeners.add(listener);
}

/** @param {UploadItem} item */
export function hasEnded(item) {
  return ENDS.includes(item.state);
}

/** Take files in, to be sent to the folder. @param {FoundFile[]} found @param {string} folder @param {UploadBatch} batch */
export function add(found, folder, batch) {
  if (!batch.count && items.every((item) => item.state === "done" || item.state === "skipped")) items = [];
  const open = new Map(items.filter((item) => !hasEnded(item)).map((item) => [item.key, item]));
  /** @type {UploadItem[]} */
  const added = [];
  for (const each of found) {
    const item = itemOf(each, folder, batch);
    const before = open.get(item.key);
    if (before && before.size === item.size && before.modified === item.modified) attach(before, each);
    else added.push(item);
  }
  batch.count += added.length;
  enter(added);
}

/** Have items among the uploads. @param {UploadItem[]} added */
export function enter(added) {
  items.push(...added);
  line.push(...added.filter((item) => item.state === "waiting"));
  keep(added.filter((item) => !hasEnded(item)));
  next();
}

/** Give a lost upload its file again. @param {UploadItem} item @param {Pick<FoundFile, "file" | "handle">} found */
export function attach(item, { file, handle }) {
  if (item.state !== "lost") return; // it is on its way already
  Object.assign(item, { file, handle: handle ?? item.handle });
  resume(item);
}

/** @param {UploadItem} item */
export function pause(item) {
  if (!["waiting", "sending", "resting"].includes(item.state)) return;
  leave(item, "paused");
  next();
}

/** Go on with what was paused, lost or failed, or rests. @param {UploadItem} item */
export async function resume(item) {
  if (item.state === "failed") await renew(item);
  leave(item, "waiting");
  Object.assign(item, { attempts: 0, fault: "" });
  line.unshift(item);
  next();
}

/** Give uploads up, and with them what the server has of them. @param {readonly UploadItem[]} given */
export function cancel(given) {
  for (const item of given) {
    if (item.address && item.state !== "done") discard(item.address).catch(() => {}); // else it goes when it expires
    leave(item, "skipped");
  }
  const all = new Set(given);
  items = items.filter((item) => !all.has(item));
  forget([...given]);
  next();
}

/** Take away what has ended. */
export function clear() {
  forget(items.filter(hasEnded));
  items = items.filter((item) => !hasEnded(item));
  changed();
}

/** Try all at once again that rest: the network is back. */
export function wake() {
  for (const item of running) if (item.state === "resting") resume(item);
}

/** @param {FoundFile} found @param {string} folder @param {UploadBatch} batch @returns {UploadItem} */
function itemOf({ path, file, handle, fault = "" }, folder, batch) {
  const key = folder + path.normalize("NFC");
  const facts = { size: file?.size ?? 0, modified: file?.lastModified ?? 0, file, handle };
  const state = fault ? "failed" : "waiting";
  const start = { address: null, answer: null, sent: 0, attempts: 0, isVerified: false, controller: null };
  return { id: newId(), key, name: leafOf(path), folder, batch, state, fault, ...facts, ...start };
}

/** Send what comes next. */
function next() {
  while (running.size < AT_ONCE && line.length) {
    const item = line.shift();
    if (item?.state === "waiting") run(item); // others have left the line since
  }
  changed();
}

/** @param {UploadItem} item */
async function run(item) {
  const controller = new AbortController();
  const before = item.sent;
  Object.assign(item, { state: "sending", fault: "", controller });
  running.add(item);
  changed();
  try {
    const { isVerified } = await send(item, watchOf(item, controller.signal));
    item.isVerified = isVerified;
    end(item, "done");
  } catch (error) {
    if (controller.signal.aborted) return; // who ended it has said what comes next
    if (item.sent > before) item.attempts = 0;
    await settle(item, error);
  }
}

/** @param {UploadItem} item @param {AbortSignal} signal @returns {import("./send.js").Watch} */
function watchOf(item, signal) {
  let before = Infinity; // what is told first was there already
  return {
    signal,
    onSent: (bytes) => {
      if (bytes > before) speed.note(bytes - before, performance.now());
      item.sent = before = bytes;
      changed();
    },
    onAddress: (address) => {
      if (item.address) discard(item.address).catch(() => {}); // it began anew
      item.address = address;
      keep([item]);
    },
  };
}

/** @param {UploadItem} item @param {unknown} error */
async function settle(item, error) {
  const verdict = verdictOf(error, item.attempts);
  if (error instanceof Changed) item.file = null;
  if (verdict.kind === "taken") return settleTaken(item);
  if (verdict.kind === "again") return rest(item, verdict.afterMs, verdict.text);
  if (verdict.kind === "failed") return fail(item, verdict.text);
  if (!sendSmaller()) return fail(item, strings.tooLargeOnTheWay);
  leave(item, "waiting");
  line.unshift(item);
  next();
}

/** @param {UploadItem} item @param {number} afterMs @param {string} text */
function rest(item, afterMs, text) {
  item.attempts += 1;
  Object.assign(item, { state: "resting", fault: navigator.onLine ? text : strings.noNetwork });
  const timer = setTimeout(() => run(item), afterMs);
  item.controller?.signal.addEventListener("abort", () => clearTimeout(timer));
  changed();
}

/** @param {UploadItem} item @param {string} text */
function fail(item, text) {
  item.fault = text;
  end(item, "failed");
}

/** The name is taken: by the very same file, or by another one, and then a person decides. @param {UploadItem} item */
async function settleTaken(item) {
  leave(item, "checking");
  next();
  const stored = await storedFacts(item.key).catch(() => null);
  const isSame = stored && item.file && (await isStored(item.key, stored, item.file).catch(() => false));
  if (item.state !== "checking") return; // cancelled meanwhile
  item.state = "asking";
  if (isSame) {
    Object.assign(item, { isVerified: true, sent: item.size });
    return end(item, "done");
  }
  const answer = await answerFor(item, stored);
  if (item.state !== "asking") return;
  if (answer === "skip") return end(item, "skipped");
  if (answer === "keep") item.key = await freeKey(item.key, items);
  await begunAnew(item);
  Object.assign(item, { answer, state: "waiting" });
  keep([item]);
  line.unshift(item);
  next();
}

/** Try a failed upload with the file as it is now. @param {UploadItem} item */
async function renew(item) {
  const file = await item.handle?.getFile().catch(() => null);
  if (!file || (file.size === item.size && file.lastModified === item.modified)) return;
  await begunAnew(item);
  Object.assign(item, { file, size: file.size, modified: file.lastModified });
  keep([item]);
}

/** @param {UploadItem} item */
async function begunAnew(item) {
  if (item.address) await discard(item.address).catch(() => {}); // gone already, or it goes when it expires
  Object.assign(item, { address: null, sent: 0 });
}

/** @param {UploadItem} item @param {UploadState} state */
function leave(item, state) {
  item.controller?.abort();
  running.delete(item);
  item.state = state;
}

/** @param {UploadItem} item @param {"done" | "skipped" | "failed"} state */
function end(item, state) {
  running.delete(item);
  item.state = state;
  if (state !== "failed") {
    Object.assign(item, { file: null, sent: item.size });
    forget([item]);
  }
  if (state === "done") emit("uploaded", { key: item.key });
  next();
}

function changed() {
  for (const listener of listeners) listener();
}
