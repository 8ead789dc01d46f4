/** What can be done with files and folders, as menus and bars offer it. What is done lies in modules that come when asked for. */

import strings from "../../strings/browse.js";
import { absolute, href } from "../core/api.js";
import { env } from "../core/env.js";
import { kindOf } from "../core/kinds.js";
import { navigate } from "../core/router.js";
import { say } from "../core/say.js";
import { geometry } from "./geometry.js";
import { viewHref } from "./row.js";
import { selectAll } from "./selection.js";
import { shelf, sortBy } from "./shelf.js";

/** @typedef {(MenuItem | null)[]} Items */

/** Show a file, or go into a folder. @param {Row} row */
export function open(row) {
  if (row.type === "folder") navigate({ folder: row.key });
  else navigate({ view: row.key.slice(shelf.folder.length), search: shelf.words || null });
}

/**
 * All that can be done with rows; null is a line.
 *
 * @param {Row[]} rows
 * @param {"menu" | "bar" | "viewer"} place
 * @returns {Items}
 */
export function actionsFor(rows, place) {
  const [only] = rows.length === 1 ? rows : [];
  const opening =
    only && place !== "viewer"
      ? [{ label: strings.open, icon: "eye", keys: strings.enter, run: () => open(only) }]
      : [];
  return joined([opening, taking(rows, only), kindly(rows, only), changes(rows, only), deleting(rows)]);
}

/** The few that a bar has room for. @param {Row[]} rows @returns {MenuItem[]} */
export function mainActions(rows) {
  const [only] = rows.length === 1 ? rows : [];
  const [moving] = changes(rows, only).filter((item) => item.label === strings.move);
  return [...download(rows, only), ...(moving ? [moving] : [copyLink(rows)]), ...deleting(rows)];
}

/** What can be made in the folder. @returns {Items} */
export function newItems() {
  return joined([
    [{ label: strings.newFolder, icon: "folder-plus", run: () => changing((all) => all.addFolder()) }],
    [
      { label: strings.uploadFiles, icon: "upload", run: () => uploading((all) => all.pickFiles(shelf.folder)) },
      { label: strings.uploadFolder, icon: "folder-up", run: () => uploading((all) => all.pickFolder(shelf.folder)) },
    ],
    [openTable()],
  ]);
}

/** How the listing is shown, and what else there is of it. @param {() => void} turn @returns {Items} */
export function formItems(turn) {
  const { sort } = shelf;
  /** @type {[typeof sort.by, string][]} */
  const orders = [
    ["name", strings.name],
    ["modified", strings.modified],
    ["size", strings.size],
    ["kind", strings.kind],
  ];
  return joined([
    [
      { label: strings.list, icon: "list", isChecked: !geometry.isGrid, run: () => geometry.isGrid && turn() },
      { label: strings.grid, icon: "layout-grid", isChecked: geometry.isGrid, run: () => !geometry.isGrid && turn() },
    ],
    orders.map(([by, label]) => ({
      label: say(strings.sortBy, { column: label }),
      isChecked: sort.by === by,
      run: () => sortBy({ by, isDown: sort.by === by ? !sort.isDown : by === "modified" }),
    })),
    [
      { label: strings.selectAll, icon: "circle-check", keys: strings.ctrlA, run: selectAll },
      ...(env.mayWrite ? [{ label: strings.deleted, icon: "trash-2", run: showDeleted }] : [openTable()]),
      { label: strings.keys, icon: "keyboard", keys: "?", run: showKeys },
    ],
  ]);
}

/** @param {Row[]} rows @param {Row | undefined} only @returns {MenuItem[]} */
function taking(rows, only) {
  return [
    ...download(rows, only),
    copyLink(rows),
    {
      label: strings.copyCurl,
      icon: "terminal",
      isDisabled: !files(rows).length,
      run: () => copying((all) => all.copyCurl(files(rows))),
    },
  ];
}

/** @param {Row[]} rows @param {Row | undefined} only @returns {MenuItem[]} */
function download(rows, only) {
  const entry = { label: strings.download, icon: "download" };
  if (only?.type === "file") {
    return [{ ...entry, href: href("files", only.key, { download: "" }), download: only.name }];
  }
  return [
    {
      ...entry,
      isDisabled: !files(rows).length,
      run: () => copying((all) => all.downloadAll(files(rows), rows.length)),
    },
  ];
}

/** @param {Row[]} rows @returns {MenuItem} */
function copyLink(rows) {
  const text = () => rows.map((row) => absolute(viewHref(row))).join("\n");
  return {
    label: strings.copyLink,
    icon: "link",
    run: () => copying((all) => all.copy(text(), strings.linkCopied)),
  };
}

/** What only some kinds can. @param {Row[]} rows @param {Row | undefined} only @returns {MenuItem[]} */
function kindly(rows, only) {
  const items = [];
  if (rows.length && rows.every((row) => kindOf(row) === "audio")) {
    items.push({
      label: strings.playAll,
      icon: "play",
      run: async () => (await import("../play/queue.js")).playAll(rows, 0),
    });
    items.push({
      label: strings.addToQueue,
      icon: "list-music",
      run: async () => (await import("../play/queue.js")).addToQueue(rows),
    });
  }
  if (only && kindOf(only) === "table") {
    const run = async () => (await import("../table/transform.js")).openTransform({ row: only });
    items.push({ label: strings.transform, icon: "sliders-horizontal", run });
  }
  if (only?.type === "file") {
    items.push({
      label: strings.details,
      icon: "info",
      run: async () => (await import("../details/details.js")).openDetails(only),
    });
  }
  return items;
}

/** @param {Row[]} rows @param {Row | undefined} only @returns {MenuItem[]} */
function changes(rows, only) {
  if (!env.mayWrite) return [];
  const renaming = only
    ? [{ label: strings.rename, icon: "pencil", keys: "F2", run: () => changing((all) => all.rename(only)) }]
    : [];
  return [
    ...renaming,
    { label: strings.move, icon: "folder-open", run: () => changing((all) => all.moveTo(rows)) },
    { label: strings.copy, icon: "copy", run: () => changing((all) => all.copyTo(rows)) },
  ];
}

/** @param {Row[]} rows @returns {MenuItem[]} */
function deleting(rows) {
  if (!env.mayWrite) return [];
  const run = () => changing((all) => all.remove(rows));
  return [{ label: strings.delete, icon: "trash-2", isDangerous: true, keys: strings.deleteKey, run }];
}

/** @returns {MenuItem} */
function openTable() {
  return { label: strings.openTable, icon: "table", run: () => copying((all) => all.openTable()) };
}

/** @param {Row[]} rows */
function files(rows) {
  return rows.filter((row) => row.type === "file");
}

/** Groups, with lines between those that have anything. @param {MenuItem[][]} groups @returns {Items} */
function joined(groups) {
  return groups.filter((group) => group.length).flatMap((group, index) => (index ? [null, ...group] : group));
}

/** @param {(module: typeof import("./changing.js")) => void} act */
async function changing(act) {
  act(await import("./changing.js"));
}

/** @param {(module: typeof import("./taking.js")) => void} act */
async function copying(act) {
  act(await import("./taking.js"));
}

/** @param {(module: typeof import("../upload/upload.js")) => void} act */
async function uploading(act) {
  act(await import("../upload/upload.js"));
}

async function showDeleted() {
  (await import("./deleted.js")).showDeleted();
}

async function showKeys() {
  (await import("./shortcuts.js")).showShortcuts();
}
