/** Where the page is, told by its address: `/files/a/b/`, `/files/a/b/?view=name`, `/files/a/b/?search=words`. */

import { env } from "./env.js";
import { encoded, href } from "./api.js";

const PREFIX = `${env.root}files/`;
/** What may be a letter in UTF-8 (RFC 3629 s.3), or a byte that begins none. */
const LETTER = /%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}|%[\da-f]{2}/gi;

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
  const query = params?.size ? [`${params}`] : [];
  if (search) query.push(`search=${encoded(search)}`);
  if (view) query.push(`view=${encoded(view)}`);
  return href("files", folder) + (query.length ? `?${query.join("&")}` : "");
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
  const [view, search] = [asked("view"), asked("search")];
  params.delete("view");
  params.delete("search");
  const path = location.pathname.startsWith(PREFIX) ? location.pathname.slice(PREFIX.length) : "";
  return { folder: decoded(path), view, search, params };
}

/** What a parameter of the address says; URLSearchParams would lose the bytes that are no UTF-8. @param {string} name */
function asked(name) {
  const value = location.search.match(new RegExp(`[?&]${name}=([^&]*)`))?.[1];
  return value === undefined ? null : decoded(value.replaceAll("+", " "));
}

/** Bytes that are no UTF-8 are lone surrogates, as in keys (PEP 383). @param {string} text */
function decoded(text) {
  return text.replace(LETTER, (letter) => {
    try {
      return decodeURIComponent(letter);
    } catch {
      return letter.replace(/%(..)/g, (_, byte) => String.fromCharCode(0xdc00 + parseInt(byte, 16)));
    }
  });
}

addEventListener("popstate", changed);
