/** Where the page is, told by its address: `/files/a/b/`, `/files/a/b/?view=name`, `/files/a/b/?search=words`. */

import { env } from "./env.js";
import { href } from "./api.js";

const PREFIX = `${env.root}files/`;

/** @type {Set<(route: Route, previous: Route) => void>} */
const listeners = new Set();
let current = parsed();

/** @returns {Route} */
export function route() {
  return current;
}

/** Call back after each change of the address; call what is answered to stop. @param {(route: Route, previous: Route) => void} listener */
export function onRoute(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/**
 * The address of a place; what is left out is as it is now, but for `view`, `search` and `params`, which are none.
 *
 * @param {{folder?: string, view?: string | null, search?: string | null, params?: URLSearchParams}} place
 */
export function hrefOf({ folder = current.folder, view = null, search = null, params }) {
  const query = new URLSearchParams(params);
  if (search) query.set("search", search);
  if (view) query.set("view", view);
  return href("files", folder) + (query.size ? `?${query}` : "");
}

/** Go there. @param {Parameters<typeof hrefOf>[0]} place @param {{replace?: boolean}} [options] */
export function navigate(place, { replace = false } = {}) {
  const address = hrefOf(place);
  if (address === location.pathname + location.search) return;
  if (replace) history.replaceState(history.state, "", address);
  else history.pushState({ depth: depth() + 1 }, "", address);
  changed();
}

/** Whether going back stays within the page. */
export function hasBack() {
  return depth() > 0;
}

function depth() {
  return Number(history.state?.depth ?? 0);
}

function changed() {
  const previous = current;
  current = parsed();
  for (const listener of [...listeners]) listener(current, previous);
}

/** @returns {Route} */
function parsed() {
  const params = new URLSearchParams(location.search);
  const [view, search] = [params.get("view"), params.get("search")];
  params.delete("view");
  params.delete("search");
  const path = location.pathname.startsWith(PREFIX) ? location.pathname.slice(PREFIX.length) : "";
  return { folder: decoded(path), view, search, params };
}

/** Bytes that are no UTF-8 are lone surrogates, as in keys. @param {string} path */
function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return env.firstView.folder;
  }
}

addEventListener("popstate", changed);
