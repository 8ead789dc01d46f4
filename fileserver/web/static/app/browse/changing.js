/** Changing what is there: names, places, being there at all. The words of the API are WebDAV's (RFC 4918). */

import strings from "../../strings/browse.js";
import { ask, askJson, href, messageOf, Problem, url } from "../core/api.js";
import { emit } from "../core/bus.js";
import { confirm, prompt } from "../core/dialog.js";
import { env } from "../core/env.js";
import { notice } from "../core/notice.js";
import { navigate, route } from "../core/router.js";
import { say } from "../core/say.js";
import { focusActive, reveal } from "./lines.js";
import { chooseFolder } from "./picker.js";
import { activate, selectNone, selection } from "./selection.js";
import { drop, parentOf, placeOfKey, put, rowOf, shelf } from "./shelf.js";
import { transfer } from "./transfer.js";
import { restore } from "./undo.js";

const MOST_AT_ONCE = 1000; // keys that the trash takes by one request
const LETTERS_MOST = 255; // bytes of a name, says every file system

/** Give a file or folder another name. @param {Row} row */
export async function rename(row) {
  if (!env.mayWrite) return;
  const stem = row.type === "file" ? row.name.lastIndexOf(".") : -1;
  const parent = parentOf(row.key);
  const name = await prompt({
    title: say(strings.renameTitle, { name: row.name }),
    label: strings.name,
    value: row.name,
    selectTo: stem > 0 ? stem : row.name.length,
    yes: strings.rename,
    check: (value) => faultOf(value) ?? (value !== row.name ? takenBy(parent, value) : null),
  });
  if (name === null || name === row.name) return;
  const key = parent + name + (row.type === "folder" ? "/" : "");
  const done = await transfer("MOVE", [{ row, key }], { isAsking: false });
  if (done.length) follow(row, key);
}

/** Make a folder in the one shown. */
export async function addFolder() {
  const folder = shelf.folder;
  const name = await prompt({
    title: strings.newFolder,
    label: strings.name,
    yes: strings.make,
    check: (value) => faultOf(value) ?? takenBy(folder, value),
  });
  if (name === null) return;
  const key = `${folder}${name}/`;
  try {
    await ask(href("files", key), { method: "MKCOL" });
  } catch (error) {
    return failed(say(strings.notMade, { name }), error, addFolder);
  }
  emit("uploaded", { key });
  const modified = new Date().toISOString();
  put([
    {
      key,
      name,
      type: "folder",
      size: null,
      modified,
      media_type: null,
      etag: null,
      sha256: null,
      href: href("files", key),
    },
  ]);
  show(key);
}

/** Ask where to, and move. @param {Row[]} rows */
export async function moveTo(rows) {
  const folder = await chooseFolder({
    title: say.many(strings.moveTitle, rows.length, { name: rows[0].name }),
    yes: strings.moveHere,
    rows,
  });
  if (folder !== null) await moveInto(rows, folder);
}

/** Ask where to, and copy. @param {Row[]} rows */
export async function copyTo(rows) {
  const folder = await chooseFolder({
    title: say.many(strings.copyTitle, rows.length, { name: rows[0].name }),
    yes: strings.copyHere,
    rows,
  });
  if (folder === null) return;
  const done = await transfer(
    "COPY",
    rows.map((row) => ({ row, key: folder + lastOf(row) })),
  );
  if (done.length) notice(told(strings.copied, done, folder));
}

/** Move into a folder, with a way back. @param {Row[]} rows @param {string} folder */
export async function moveInto(rows, folder) {
  const moving = rows.filter((row) => parentOf(row.key) !== folder && row.key !== folder);
  const done = await transfer(
    "MOVE",
    moving.map((row) => ({ row, key: folder + lastOf(row) })),
  );
  if (!done.length) return;
  selectNone();
  const back = done.map(({ row, key }) => ({ row: { ...row, key }, key: row.key }));
  const run = () => void transfer("MOVE", back);
  notice(told(strings.moved, done, folder), { action: { label: strings.undo, run } });
}

/** Delete, with a way back where the server keeps what was deleted; else somebody has to be sure. @param {Row[]} rows */
export async function remove(rows) {
  if (!env.mayWrite || !rows.length) return;
  const next = neighbour(rows);
  const left = outermost(rows);
  /** @type {string[]} */
  const ids = [];
  try {
    while (left.length) {
      const keys = left.slice(0, MOST_AT_ONCE).map((row) => row.key);
      ids.push((await askJson(url("/trash"), { method: "POST", json: { keys } })).id);
      left.splice(0, keys.length);
    }
  } catch (error) {
    if (!ids.length && isWithoutTrash(error)) return removeForGood(rows);
    failed(say.many(strings.notDeleted, left.length, { name: left[0].name }), error, () => remove(left));
  }
  const done = rows.filter((row) => !left.includes(row));
  if (ids.length) offerUndo(done, ids, next);
}

/** @param {Row[]} rows that are deleted @param {string[]} ids of their removals @param {string | null} next */
function offerUndo(rows, ids, next) {
  gone(rows, next);
  const run = () => Promise.all(ids.map(restore)).catch((error) => failed(strings.notRestored, error, run));
  notice(say.many(strings.deletedNow, rows.length, { name: rows[0].name }), { action: { label: strings.undo, run } });
}

/** @param {Row[]} rows */
async function removeForGood(rows) {
  const title = say.many(strings.forGoodTitles, rows.length, { name: rows[0].name });
  if (!(await confirm({ title, body: strings.forGood, yes: strings.delete, isDangerous: true }))) return;
  const next = neighbour(rows);
  const left = outermost(rows);
  try {
    for (const row of [...left]) {
      await ask(row.href, { method: "DELETE" });
      left.shift();
    }
  } catch (error) {
    failed(say.many(strings.notDeleted, left.length, { name: left[0].name }), error, () => removeForGood(left));
  }
  const done = rows.filter((row) => !left.includes(row));
  gone(done, next);
}

/** Without what goes with a folder that is among them: a search finds both. @param {Row[]} rows */
function outermost(rows) {
  const folders = rows.filter((row) => row.type === "folder").map((row) => row.key);
  return rows.filter(({ key }) => !folders.some((folder) => key !== folder && key.startsWith(folder)));
}

/** Whether the server keeps nothing that is deleted. @param {unknown} error */
function isWithoutTrash(error) {
  return error instanceof Problem && error.type.endsWith("trash-off");
}

/** @param {Row[]} rows @param {string | null} next */
function gone(rows, next) {
  const keys = rows.map((row) => row.key);
  const viewed = route().view === null ? null : shelf.folder + route().view;
  const isHere =
    document.activeElement === document.body || document.getElementById("entries")?.contains(document.activeElement);
  selectNone();
  drop(keys);
  for (const key of keys) selection.keys.delete(key);
  if (viewed && keys.includes(viewed)) navigate({ view: null, search: route().search }, { replace: true });
  if (next && rowOf(next)) activate(next);
  if (isHere) focusActive();
}

/** The row that takes the place of those that go. @param {Row[]} rows */
function neighbour(rows) {
  const keys = new Set(rows.map((row) => row.key));
  const place = placeOfKey(rows[0].key);
  const isStaying = (/** @type {Row} */ row) => !keys.has(row.key);
  return (
    (shelf.shown.slice(place).find(isStaying) ?? shelf.shown.slice(0, Math.max(0, place)).findLast(isStaying))?.key ??
    null
  );
}

/** Be where a file went by its new name. @param {Row} row @param {string} key */
function follow(row, key) {
  const isViewed = route().view !== null && shelf.folder + route().view === row.key;
  if (isViewed) navigate({ view: key.slice(shelf.folder.length), search: route().search }, { replace: true });
  else show(key);
}

/** @param {string} key */
function show(key) {
  if (!rowOf(key)) return;
  activate(key);
  reveal(key);
  focusActive();
}

/** @param {string} name @returns {string | null} */
function faultOf(name) {
  if (!name.trim()) return strings.nameMissing;
  if (name.includes("/")) return strings.nameSlash;
  if (name === "." || name === "..") return strings.nameDots;
  return new TextEncoder().encode(name).length > LETTERS_MOST ? strings.nameLong : null;
}

/** @param {string} folder @param {string} name */
function takenBy(folder, name) {
  return rowOf(folder + name) || rowOf(`${folder + name}/`) ? say(strings.nameTaken, { name }) : null;
}

/** @param {Plural} templates @param {{row: Row}[]} done @param {string} folder */
function told(templates, done, folder) {
  return say.many(templates, done.length, { name: done[0].row.name, folder: folder.split("/").at(-2) ?? strings.root });
}

/** @param {Row} row */
function lastOf(row) {
  return row.type === "folder" ? `${row.name}/` : row.name;
}

/** @param {string} what @param {unknown} error @param {() => void} run */
function failed(what, error, run) {
  notice(`${what} ${messageOf(error)}`, { kind: "error", action: { label: strings.again, run } });
}
