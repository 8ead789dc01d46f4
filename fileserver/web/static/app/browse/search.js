/** Search: what is in the folder answers while one types, the server looks through what lies below it a moment later. */

import { ask, lines, messageOf } from "../core/api.js";
import { notice } from "../core/notice.js";
import { hrefOf, navigate, route } from "../core/router.js";
import { filterBy, find, shelf } from "./shelf.js";

const PAUSE_MS = 250; // in typing, before the server is asked
const MOST = 5000; // results: more of them help nobody
const TOGETHER = 200;

let timer = 0;
let running = new AbortController();

/** What somebody types. @param {string} words */
export function searchFor(words) {
  clearTimeout(timer);
  filterBy(words);
  const settle = () => {
    const search = words.trim() || null;
    if (search === route().search) return;
    navigate({ search }, { replace: route().search !== null });
  };
  if (words.trim()) timer = setTimeout(settle, PAUSE_MS);
  else settle();
}

/** What was looked for is not looked for any more. */
export function stopSearch() {
  clearTimeout(timer);
  running.abort();
}

/** Look for words below the folder; what was looked for before is not looked for any more. @param {string | null} words */
export async function searchBelow(words) {
  stopSearch();
  running = new AbortController();
  const { signal } = running;
  if (shelf.words.trim() !== (words ?? "")) filterBy(words ?? "");
  if (!words) return find([], { isOver: true });
  find([]);
  try {
    await collect(hrefOf({ folder: shelf.folder, search: words }), signal);
  } catch (error) {
    if (!signal.aborted) notice(messageOf(error), { kind: "error" });
  } finally {
    if (!signal.aborted) find([], { isOver: true });
  }
}

/** @param {string} address @param {AbortSignal} signal */
async function collect(address, signal) {
  const response = await ask(address, { accept: "application/x-ndjson", signal });
  let [count, some] = [0, /** @type {Row[]} */ ([])];
  let toldAt = performance.now();
  for await (const record of lines(response)) {
    if (!("key" in record)) continue;
    some.push(record);
    count += 1;
    if (some.length < TOGETHER && performance.now() - toldAt < 100 && count < MOST) continue;
    if (signal.aborted) return;
    find(some);
    [some, toldAt] = [[], performance.now()];
    if (count >= MOST) break;
  }
  if (!signal.aborted) find(some);
}
