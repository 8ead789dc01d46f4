/** The files in what somebody dropped or picked, found one after the other: folders may hold very many. */

import { messageOf } from "../core/api.js";

/** @param {Iterable<File>} files @returns {AsyncGenerator<FoundFile>} */
export async function* fromFiles(files) {
  for (const file of files) yield { path: file.webkitRelativePath || file.name, file, handle: null };
}

/**
 * The files in what was dropped. Handles are had where the browser gives them: they outlast the page.
 *
 * @param {DroppedRoot[]} roots
 * @returns {AsyncGenerator<FoundFile>}
 */
export async function* fromRoots(roots) {
  const handles = await Promise.all(roots.map((root) => root.handle));
  for (const [index, { entry, file }] of roots.entries()) {
    const handle = handles[index];
    if (handle) yield* fromHandle(handle);
    else if (entry) yield* fromEntry(entry, "");
    else if (file) yield { path: file.name, file, handle: null };
  }
}

/** @param {FileSystemHandle} handle @param {string} [within] @returns {AsyncGenerator<FoundFile>} */
export async function* fromHandle(handle, within = "") {
  const path = within + handle.name;
  if (handle.kind === "file") return yield await read(/** @type {FileSystemFileHandle} */ (handle), path);
  let isEmpty = true;
  try {
    for await (const child of /** @type {FileSystemDirectoryHandle} */ (handle).values()) {
      isEmpty = false;
      yield* fromHandle(child, `${path}/`);
    }
  } catch (error) {
    return yield unreadable(`${path}/`, error);
  }
  if (isEmpty) yield { path: `${path}/`, file: null, handle: null };
}

/** @param {FileSystemFileHandle} handle @param {string} path @returns {Promise<FoundFile>} */
async function read(handle, path) {
  try {
    return { path, file: await handle.getFile(), handle };
  } catch (error) {
    return unreadable(path, error);
  }
}

/** @param {FileSystemEntry} entry @param {string} within @returns {AsyncGenerator<FoundFile>} */
async function* fromEntry(entry, within) {
  const path = within + entry.name;
  try {
    if (entry.isFile) {
      return yield { path, file: await fileOf(/** @type {FileSystemFileEntry} */ (entry)), handle: null };
    }
    const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
    let isEmpty = true;
    for (let some = await next(reader); some.length; some = await next(reader)) {
      isEmpty = false;
      for (const child of some) yield* fromEntry(child, `${path}/`);
    }
    if (isEmpty) yield { path: `${path}/`, file: null, handle: null };
  } catch (error) {
    yield unreadable(path, error);
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** The next hundred or so of a folder's entries; none at its end. @param {FileSystemDirectoryReader} reader @returns {Promise<FileSystemEntry[]>} */
function next(reader) {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

/** @param {string} path @param {unknown} error @returns {FoundFile} */
function unreadable(path, error) {
  return { path, file: null, handle: null, fault: messageOf(error) };
}
