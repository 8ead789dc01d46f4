/** Rows brought into order: few at once, many by a worker, so that the page never waits. */

import { columnsOf, orderOf } from "./order.js";

/** @typedef {import("./order.js").Sort} Sort */

const FEW = 3000; // takes some 10 ms on a phone

/** @type {Worker | null} */
let worker = null;
let last = 0;

/** The rows in order, or null where a later question has made this one idle. @param {Row[]} rows @param {Sort} sort */
export async function ordered(rows, sort) {
  const id = ++last;
  const columns = columnsOf(rows, sort);
  const order = rows.length > FEW ? await byWorker(id, columns, sort.isDown) : orderOf(columns, sort.isDown);
  return id === last ? Array.from(order, (place) => rows[place]) : null;
}

/** The same for few rows, at once. @param {Row[]} rows @param {Sort} sort */
export function orderedNow(rows, sort) {
  last += 1;
  return Array.from(orderOf(columnsOf(rows, sort), sort.isDown), (place) => rows[place]);
}

/** Whether that takes no time that anybody notices. @param {Row[]} rows */
export function isFew(rows) {
  return rows.length <= FEW;
}

/** @param {number} id @param {import("./order.js").Columns} columns @param {boolean} isDown @returns {Promise<Uint32Array>} */
function byWorker(id, columns, isDown) {
  worker ??= new Worker(new URL("./order.worker.js", import.meta.url), { type: "module" });
  const asked = worker;
  return new Promise((resolve) => {
    const answer = (/** @type {MessageEvent} */ event) => {
      if (event.data.id !== id) return;
      asked.removeEventListener("message", answer);
      resolve(event.data.order);
    };
    asked.addEventListener("message", answer);
    asked.postMessage({ id, columns, isDown });
  });
}
