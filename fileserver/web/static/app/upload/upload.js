/** Uploads begin here: files that were dropped, pasted or picked go to a folder, seen in the panel. */

import { onState } from "../core/live.js";
import "../core/rooms.js";
import { isPhone } from "../core/viewport.js";
import { pastedName } from "./names.js";
import { showPanel } from "./panel.js";
import { add, hasEnded, onUploads, uploads, wake } from "./queue.js";
import { fromFiles, fromHandle, fromRoots } from "./sources.js";
import { takeOver } from "./unfinished.js";

const FLUSH_MS = 100; // a folder of many thousands is read for a while: what is found goes at once

addEventListener("online", wake);
onState((isOn) => isOn && wake()); // the feed has found the server again
onUploads(guard);
let isGuarded = false;

/** @param {string} folder @param {Iterable<File>} files @returns {Promise<void>} when all are in the queue */
export function addFiles(folder, files) {
  return take(folder, fromFiles(files));
}

/** @param {string} folder @param {DroppedRoot[]} roots @returns {Promise<void>} */
export function addDropped(folder, roots) {
  return take(folder, fromRoots(roots));
}

/** @param {string} folder @param {File[]} files @returns {Promise<void>} */
export function addPasted(folder, files) {
  const now = new Date();
  return addFiles(
    folder,
    files.map((file) => new File([file], pastedName(file, now), { type: file.type, lastModified: file.lastModified })),
  );
}

/** Have the person choose files for the folder. @param {string} folder */
export async function pickFiles(folder) {
  const pick = isPhone() ? undefined : window.showOpenFilePicker; // phones offer their photos to the plain input alone
  if (!pick) return pickByInput(folder, { isFolder: false });
  const handles = await pick.call(window, { multiple: true }).catch(noneWhenLeft);
  return take(folder, fromHandles(handles ?? []));
}

/** Have the person choose a folder, to go into the folder with all that is in it. @param {string} folder */
export async function pickFolder(folder) {
  const pick = window.showDirectoryPicker;
  if (!pick) return pickByInput(folder, { isFolder: true });
  const handle = await pick.call(window).catch(noneWhenLeft);
  return take(folder, fromHandles(handle ? [handle] : []));
}

/** Whether whole folders can be chosen here. */
export function mayPickFolder() {
  return "showDirectoryPicker" in window || "webkitdirectory" in HTMLInputElement.prototype;
}

/** Go on with what an earlier visit began. */
export async function resumeUnfinished() {
  await takeOver();
  if (uploads().length) showPanel();
}

/** @param {string} folder @param {AsyncIterable<FoundFile>} files */
async function take(folder, files) {
  /** @type {UploadBatch} */
  const batch = { answer: null, count: 0 };
  /** @type {FoundFile[]} */
  let some = [];
  let flushed = 0;
  for await (const found of files) {
    some.push(found);
    if (performance.now() - flushed < FLUSH_MS) continue;
    hand(some, folder, batch);
    [some, flushed] = [[], performance.now()];
  }
  hand(some, folder, batch);
}

/** @param {FoundFile[]} found @param {string} folder @param {UploadBatch} batch */
function hand(found, folder, batch) {
  if (!found.length) return;
  add(found, folder, batch);
  showPanel();
}

/** @param {FileSystemHandle[]} handles */
async function* fromHandles(handles) {
  for (const handle of handles) yield* fromHandle(handle);
}

/** @param {string} folder @param {{isFolder: boolean}} options @returns {Promise<void>} */
function pickByInput(folder, { isFolder }) {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", multiple: true, webkitdirectory: isFolder });
    input.onchange = () => resolve(addFiles(folder, [...(input.files ?? [])]));
    input.oncancel = () => resolve();
    input.click();
  });
}

/** @param {unknown} error @returns {undefined} */
function noneWhenLeft(error) {
  if (error instanceof DOMException && error.name === "AbortError") return undefined;
  throw error;
}

/** Ask before the page is left, but only while that would end something. */
function guard() {
  const isBusy = uploads().some((item) => !hasEnded(item) && item.state !== "lost");
  if (isBusy === isGuarded) return;
  isGuarded = isBusy;
  if (isBusy) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
}

/** @param {BeforeUnloadEvent} event */
function ask(event) {
  event.preventDefault();
}
