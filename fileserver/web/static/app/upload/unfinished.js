/** Uploads of an earlier visit: those whose files the browser still hands out go on, the others ask for them. */

import { notice } from "../core/notice.js";
import { say } from "../core/say.js";
import strings from "../../strings/upload.js";
import { claimed } from "./kept.js";
import { attach, enter, uploads } from "./queue.js";

/** Have the uploads that ended with their page among those of this one. */
export async function takeOver() {
  const kept = await claimed();
  if (!kept.length) return;
  /** @type {UploadBatch} */
  const batch = { answer: null, count: kept.length };
  enter(await Promise.all(kept.map((record) => itemOf(record, batch))));
}

/** Go on with a lost upload: with leave to read its file again, or with the file chosen again. @param {UploadItem} item */
export async function recover(item) {
  if (!item.handle?.requestPermission) return pickAgain();
  await item.handle.requestPermission();
  const lost = uploads().filter((each) => each.state === "lost" && each.handle); // leave for a folder is for all in it
  const files = await Promise.all(lost.map((each) => readable(each)));
  lost.forEach((each, index) => files[index] && attach(each, { file: files[index], handle: null }));
  if (item.state === "lost" && (await item.handle.queryPermission?.()) === "granted") await pickAgain();
}

/** Files that were chosen anew, for lost uploads: the same by name, size and time. @param {Iterable<File>} files */
export function matched(files) {
  const lost = uploads().filter((item) => item.state === "lost");
  const others = [...files].filter((file) => {
    const item = lost.find((each) => isSame(each, file));
    if (item) attach(item, { file, handle: null });
    return !item;
  });
  if (others.length) notice(say.many(strings.otherFiles, others.length, { name: others[0].name }), { kind: "error" });
}

function pickAgain() {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.onchange = () => resolve(matched(input.files ?? []));
    input.oncancel = () => resolve(undefined);
    input.click();
  });
}

/** @param {KeptUpload} record @param {UploadBatch} batch @returns {Promise<UploadItem>} */
async function itemOf({ page: _, ...kept }, batch) {
  const start = { batch, sent: 0, fault: "", attempts: 0, isVerified: false, controller: null };
  const file = await readable(kept);
  const isFolder = kept.key.endsWith("/");
  return { ...kept, ...start, file, state: file || isFolder ? "waiting" : "lost" };
}

/** @param {Pick<UploadItem, "handle" | "name" | "size" | "modified">} item @returns {Promise<File | null>} */
async function readable(item) {
  if ((await item.handle?.queryPermission?.()) !== "granted") return null;
  const file = await item.handle?.getFile().catch(() => null);
  return file && isSame(item, file) ? file : null;
}

/** @param {Pick<UploadItem, "name" | "size" | "modified">} item @param {File} file */
function isSame({ name, size, modified }, file) {
  return file.name === name && file.size === size && file.lastModified === modified;
}
