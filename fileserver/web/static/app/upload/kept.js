/**
 * Uploads that a later visit can go on with, in IndexedDB. Each belongs to the page that carries it out; those of pages
 * that do not live any more can be claimed, by one page alone. Without a database uploads work, but end with the page.
 */

import { env } from "../core/env.js";
import { setUnfinished } from "./hint.js";

const NAME = `uploads ${env.root}`;
const STORE = "uploads";
const PATIENCE_MS = 400; // a page that lives answers in a few ms, one in the background a little later

const page = newId();
const channel = new BroadcastChannel(NAME);
channel.addEventListener("message", ({ data }) => {
  if (data.ask) channel.postMessage({ alive: page });
});

/** @type {Promise<IDBDatabase | null> | null} */
let opened = null;

/** A name that nothing else has. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (number) => number.toString(36)).join("");
}

/** @param {UploadItem[]} items */
export async function keep(items) {
  setUnfinished(true);
  await changed((store) => items.forEach((item) => store.put(recordOf(item))));
}

/** @param {UploadItem[]} items */
export async function forget(items) {
  await changed((store) => items.forEach((item) => store.delete(item.id)));
}

/** The uploads of pages that have ended: from now on they are this page's. @returns {Promise<KeptUpload[]>} */
export async function claimed() {
  const alive = await livePages();
  /** @type {KeptUpload[]} */
  const found = [];
  let isEmpty = true;
  await changed((store) => {
    const request = store.openCursor();
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return;
      isEmpty = false;
      if (!alive.has(cursor.value.page)) {
        found.push({ ...cursor.value, page });
        cursor.update({ ...cursor.value, page });
      }
      cursor.continue();
    };
  });
  if (isEmpty) setUnfinished(false);
  return found;
}

/** @returns {Promise<Set<string>>} */
function livePages() {
  return new Promise((resolve) => {
    const alive = new Set([page]);
    const hear = (/** @type {MessageEvent} */ { data }) => data.alive && alive.add(data.alive);
    channel.addEventListener("message", hear);
    channel.postMessage({ ask: true });
    setTimeout(() => {
      channel.removeEventListener("message", hear);
      resolve(alive);
    }, PATIENCE_MS);
  });
}

/** @param {UploadItem} item @returns {KeptUpload} */
function recordOf({ id, key, name, folder, size, modified, handle, address, answer }) {
  return { id, page, key, name, folder, size, modified, handle, address, answer };
}

/** Do something with the records, whole or not at all. @param {(store: IDBObjectStore) => void} change @returns {Promise<void>} */
async function changed(change) {
  const database = await (opened ??= open());
  if (!database) return;
  await new Promise((resolve) => {
    const transaction = database.transaction(STORE, "readwrite");
    transaction.oncomplete = transaction.onabort = resolve; // aborted: the disk is full, and nothing can be kept
    change(transaction.objectStore(STORE));
  });
}

/** @returns {Promise<IDBDatabase | null>} */
function open() {
  return new Promise((resolve) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null); // private windows of some browsers have no database
  });
}
