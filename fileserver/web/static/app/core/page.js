/** Other views of the page, as the server makes them. */

import { ask } from "./api.js";

/**
 * The page at an address: what its scripts would begin with, and the document itself, whose scripts do not run.
 *
 * @param {string} address
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<{first: FirstView, document: Document}>}
 */
export async function pageAt(address, { signal } = {}) {
  const response = await ask(address, { accept: "text/html", signal });
  const made = new DOMParser().parseFromString(await response.text(), "text/html");
  const block = made.getElementById("first-view");
  return { first: JSON.parse(block?.textContent ?? ""), document: made };
}
