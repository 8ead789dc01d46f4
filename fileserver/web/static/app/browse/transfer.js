/** Moving and copying one after the other; what to do with a name that is taken is asked once. */

import strings from "../../strings/browse.js";
import { ask, href, messageOf, Problem } from "../core/api.js";
import { emit } from "../core/bus.js";
import { choose } from "../core/dialog.js";
import { notice } from "../core/notice.js";
import { say } from "../core/say.js";
import { drop, parentOf, put, shelf } from "./shelf.js";

/** @typedef {{row: Row, key: string}} Transfer where a file or folder goes */
/** @typedef {"replace" | "both" | "skip"} Way */
/** @typedef {"MOVE" | "COPY"} Method */

const SLOW_MS = 1000; // what takes longer tells how far it is

/**
 * Do them all; answers those that were done, under the names they got.
 *
 * @param {Method} method
 * @param {Transfer[]} transfers
 * @param {{isAsking?: boolean}} [options]
 * @returns {Promise<Transfer[]>}
 */
export async function transfer(method, transfers, { isAsking = true } = {}) {
  const done = [];
  const told = progress(transfers.length);
  /** @type {Way | "ask" | "fail"} */
  let way = isAsking ? "ask" : "fail";
  for (const [index, each] of transfers.entries()) {
    told.at(index);
    try {
      const result = await one(method, each, way, transfers.length - index);
      if (!result) break;
      if (result.again) way = result.again;
      if (result.placed) done.push(result.placed);
    } catch (error) {
      failed(method, transfers.slice(index), error);
      break;
    }
  }
  told.close();
  settle(method, done);
  return done;
}

/**
 * One of them, by the way that was chosen before where its name is taken; null when somebody does not want to go on.
 *
 * @param {Method} method
 * @param {Transfer} each
 * @param {Way | "ask" | "fail"} way
 * @param {number} left
 * @returns {Promise<{placed: Transfer | null, again: Way | null} | null>}
 */
async function one(method, each, way, left) {
  if (method === "COPY" && each.key === each.row.key) return { placed: await besides(method, each), again: null };
  try {
    return { placed: await placedOne(method, each, "F"), again: null };
  } catch (error) {
    if (!isTaken(error) || way === "fail") throw error;
  }
  const answer = way === "ask" ? await asked(each, left) : { value: way, isAgain: true };
  if (!answer) return null;
  const again = answer.isAgain ? answer.value : null;
  if (answer.value === "skip") return { placed: null, again };
  return { placed: await (answer.value === "both" ? besides(method, each) : placedOne(method, each, "T")), again };
}

/** Tells how far it is where it takes long. @param {number} count */
function progress(count) {
  const begun = performance.now();
  /** @type {{close: () => void} | null} */
  let shown = null;
  const close = () => shown?.close();
  const at = (/** @type {number} */ index) => {
    if (performance.now() - begun < SLOW_MS) return;
    close();
    shown = notice(say(strings.transferring, { index: index + 1, count }), { isLasting: true });
  };
  return { at, close };
}

/** Under the first name that is free: `name (2).ext`. @param {Method} method @param {Transfer} each */
async function besides(method, { row, key }) {
  for (let count = 2; ; count += 1) {
    try {
      return await placedOne(method, { row, key: numbered(key, count) }, "F");
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
}

/** @param {Method} method @param {Transfer} each @param {"T" | "F"} overwrite */
async function placedOne(method, each, overwrite) {
  const destination = href("files", each.key);
  await ask(href("files", each.row.key), { method, headers: { destination, overwrite } });
  return each;
}

/** Show at once what was done. @param {Method} method @param {Transfer[]} done */
function settle(method, done) {
  if (method === "MOVE") drop(done.map(({ row }) => row.key));
  const here = done.filter(({ key }) => parentOf(key) === shelf.folder);
  put(here.map(({ row, key }) => ({ ...row, key, name: nameOf(key), href: href("files", key) })));
  for (const { key } of done) emit("uploaded", { key });
}

/** @param {Transfer} each @param {number} left */
function asked({ row, key }, left) {
  return choose({
    title: say(strings.takenTitle, { name: nameOf(key) }),
    body: row.type === "folder" ? strings.takenFolder : strings.takenFile,
    again: left > 1 ? strings.forAll : undefined,
    choices: [
      { value: /** @type {Way} */ ("skip"), label: strings.skip },
      { value: /** @type {Way} */ ("replace"), label: strings.replace, isDangerous: true },
      { value: /** @type {Way} */ ("both"), label: strings.keepBoth, isMain: true },
    ],
  });
}

/** @param {Method} method @param {Transfer[]} left @param {unknown} error */
function failed(method, left, error) {
  const words = method === "MOVE" ? strings.notMoved : strings.notCopied;
  const why = isTaken(error) ? say(strings.nameTaken, { name: nameOf(left[0].key) }) : messageOf(error);
  const run = () => void transfer(method, left);
  notice(`${say.many(words, left.length, { name: left[0].row.name })} ${why}`, {
    kind: "error",
    action: { label: strings.again, run },
  });
}

/** @param {unknown} error */
function isTaken(error) {
  return error instanceof Problem && error.status === 412;
}

/** @param {string} key */
function nameOf(key) {
  return key.split("/").findLast(Boolean) ?? key;
}

/** @param {string} key @param {number} count */
function numbered(key, count) {
  const [parent, name] = [parentOf(key), nameOf(key)];
  if (key.endsWith("/")) return `${parent}${name} (${count})/`;
  const dot = name.lastIndexOf(".");
  const stem = dot > 0 ? name.slice(0, dot) : name;
  return `${parent}${stem} (${count})${dot > 0 ? name.slice(dot) : ""}`;
}
