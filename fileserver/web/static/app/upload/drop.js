/** Files that are dragged into the window or pasted are uploaded: those dropped on a folder's row go into it. */

import { env } from "../core/env.js";
import { route } from "../core/router.js";
import { hasUnfinished } from "./hint.js";

const SILENCE_MS = 700; // browsers repeat dragover at least twice in this time; not all of them tell of leaving

/** A drag that began in the page: Chromium says "Files" of its pictures, too. */
let isOwnDrag = false;
/** @type {typeof import("./zone.js") | null} */
let zone = null;
let timer = 0;

/** Take in files from anywhere in the window. Where nothing may be written, keep a dropped file from replacing the page. */
export function startDrops() {
  addEventListener("dragstart", () => setOwnDrag(true), true);
  addEventListener("dragend", () => setOwnDrag(false), true);
  addEventListener("dragover", over);
  addEventListener("dragleave", (event) => event.relatedTarget === null && leaveIn(100));
  addEventListener("drop", dropped);
  if (!env.mayWrite) return;
  addEventListener("paste", pasted);
  if (hasUnfinished()) import("./upload.js").then((upload) => upload.resumeUnfinished());
}

/** @param {boolean} is */
function setOwnDrag(is) {
  isOwnDrag = is;
}

/** @param {DragEvent} event */
async function over(event) {
  if (event.defaultPrevented || !hasFiles(event)) return leaveIn(0);
  event.preventDefault();
  if (event.dataTransfer) event.dataTransfer.dropEffect = mayDrop() ? "copy" : "none";
  if (!mayDrop()) return;
  const { row, folder } = targetOf(event);
  leaveIn(SILENCE_MS);
  zone ??= await import("./zone.js");
  if (timer) zone.show(folder, row);
}

/** @param {DragEvent} event */
async function dropped(event) {
  leaveIn(0);
  if (event.defaultPrevented || !hasFiles(event)) return;
  event.preventDefault();
  if (!mayDrop()) return;
  const { folder } = targetOf(event);
  const roots = rootsOf(event.dataTransfer); // now: the event's data are gone after the first await
  (await import("./upload.js")).addDropped(folder, roots);
}

/** @param {ClipboardEvent} event */
async function pasted(event) {
  const files = [...(event.clipboardData?.files ?? [])];
  const isTyping = event.target instanceof Element && event.target.closest("input, textarea, [contenteditable]");
  if (event.defaultPrevented || isTyping || !files.length || !mayDrop()) return;
  event.preventDefault();
  const { folder } = route();
  (await import("./upload.js")).addPasted(folder, files);
}

function mayDrop() {
  return env.mayWrite && !document.querySelector("dialog[open]");
}

/** @param {DragEvent} event */
function hasFiles(event) {
  return !isOwnDrag && Boolean(event.dataTransfer?.types.includes("Files"));
}

/** The folder that the mouse is over, and what stands for it, else the one that is shown. @param {DragEvent} event */
function targetOf(event) {
  const row = event.target instanceof Element ? event.target.closest('[data-key$="/"], [data-key=""]') : null;
  return { row, folder: row?.getAttribute("data-key") ?? route().folder };
}

/** @param {DataTransfer | null} transfer @returns {DroppedRoot[]} */
function rootsOf(transfer) {
  const items = [...(transfer?.items ?? [])].filter((item) => item.kind === "file");
  return items.map((item) => ({
    entry: item.webkitGetAsEntry?.() ?? null,
    handle: item.getAsFileSystemHandle?.().catch(() => null) ?? null, // folders of the system are not handed out
    file: item.getAsFile(),
  }));
}

/** @param {number} ms */
function leaveIn(ms) {
  clearTimeout(timer);
  timer = ms ? setTimeout(() => leaveIn(0), ms) : 0;
  if (!timer) zone?.hide();
}
