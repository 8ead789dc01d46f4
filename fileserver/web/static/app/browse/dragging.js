/** Rows dragged by their names: onto folders and crumbs to move them there, out of the window to save a file. */

import { absolute, href } from "../core/api.js";
import { env } from "../core/env.js";
import { say } from "../core/say.js";
import strings from "../../strings/browse.js";
import { rowAt } from "./lines.js";
import { isByFinger } from "./pointer.js";
import { meant } from "./selection.js";
import { parentOf, shelf } from "./shelf.js";

const TYPE = "application/x-fileserver-keys";

/** @type {Row[]} */
let dragged = [];
/** @type {Element | null} */
let over = null;

/** @param {HTMLElement} grid */
export function startDragging(grid) {
  grid.addEventListener("dragstart", begun);
  if (!env.mayWrite) return;
  document.addEventListener("dragover", (event) => {
    const target = targetOf(event);
    highlight(target);
    if (!target || !event.dataTransfer) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
  });
  document.addEventListener("drop", dropped);
  document.addEventListener("dragend", () => {
    dragged = [];
    highlight(null);
  });
}

/** @param {DragEvent} event */
function begun(event) {
  const row = rowAt(event.target);
  if (!row || !event.dataTransfer || isByFinger()) return event.preventDefault();
  dragged = meant(row);
  const { dataTransfer } = event;
  dataTransfer.clearData();
  dataTransfer.setData(TYPE, String(dragged.length));
  dataTransfer.setData("text/uri-list", dragged.map((each) => absolute(each.href)).join("\r\n"));
  dataTransfer.setData("text/plain", dragged.map((each) => absolute(each.href)).join("\n"));
  if (row.type === "file" && dragged.length === 1) dataTransfer.setData("DownloadURL", downloadOf(row)); // Chromium's
  dataTransfer.effectAllowed = "copyMove";
  const picture = pictureOf(dragged);
  dataTransfer.setDragImage(picture, -12, -4);
  setTimeout(() => picture.remove());
}

/** @param {Row} row */
function downloadOf(row) {
  const type = (row.media_type ?? "application/octet-stream").split(";")[0];
  return `${type}:${row.name.replaceAll(":", "_")}:${absolute(href("files", row.key, { download: "" }))}`;
}

/** What hangs at the pointer. @param {Row[]} rows */
function pictureOf(rows) {
  const element = document.createElement("div");
  element.className = "browse-dragged";
  element.textContent = rows.length === 1 ? rows[0].name : say.many(strings.items, rows.length);
  document.body.append(element);
  return element;
}

/** The folder that rows are dragged over, where they can go. @param {DragEvent} event */
function targetOf(event) {
  if (!dragged.length || !(event.target instanceof Element)) return null;
  const element = event.target.closest("[data-key]");
  const key = keyOf(element);
  const isFolder = key === "" || key?.endsWith("/");
  return isFolder && dragged.every((row) => row.key !== key && parentOf(row.key) !== key) ? element : null;
}

/** @param {DragEvent} event */
async function dropped(event) {
  const target = targetOf(event);
  const key = keyOf(target);
  if (!target || key === null) return;
  event.preventDefault();
  const rows = dragged;
  dragged = [];
  highlight(null);
  if (rows.some((row) => shelf.folder === row.key)) return;
  (await import("./changing.js")).moveInto(rows, key);
}

/** @param {Element | null} target */
function highlight(target) {
  if (over === target) return;
  over?.classList.remove("browse-over");
  target?.classList.add("browse-over");
  over = target;
}

/** @param {Element | null} element */
function keyOf(element) {
  return element instanceof HTMLElement ? (element.dataset.key ?? null) : null;
}
