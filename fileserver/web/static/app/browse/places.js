/** Where somebody was in each listing that they can come back to: by the browser's Back, and by a reload. */

import { selection } from "./selection.js";
import { onShown, placeOfKey, shelf } from "./shelf.js";

/** @typedef {{address: string, top: number, active: string | null}} Place */

const PAUSE_MS = 100;
const FITS_PX = 2;

let timer = 0;
/** @type {number | null} */
let pending = null;

/** Remember from now on. */
export function keepPlaces() {
  addEventListener("scroll", remember, { passive: true });
  addEventListener("pagehide", note);
  onShown(settle);
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(type, taken, { passive: true, capture: true });
  }
}

/** What is remembered of the place that the address names, where somebody comes back to it. @returns {Place | null} */
export function placeKept() {
  clearTimeout(timer);
  try {
    const place = JSON.parse(sessionStorage.getItem(entryName()) ?? "null");
    return place?.address === address() ? place : null;
  } catch {
    return null;
  }
}

/** Scroll there, as soon as so much is shown. @param {Place | null} place */
export function returnTo(place) {
  if (!place) return;
  pending = place.top;
  if (place.active && placeOfKey(place.active) >= 0) selection.active = place.active;
  settle();
}

function settle() {
  if (pending === null) return;
  scrollTo({ top: pending, behavior: "instant" });
  if (Math.abs(scrollY - pending) < FITS_PX || shelf.isWhole) pending = null;
}

/** Whoever uses the page goes where they like, and perhaps away. */
function taken() {
  pending = null;
  note();
}

function remember() {
  clearTimeout(timer);
  timer = setTimeout(note, PAUSE_MS);
}

function note() {
  if (pending !== null) return;
  /** @type {Place} */
  const place = { address: address(), top: scrollY, active: selection.active };
  sessionStorage.setItem(entryName(), JSON.stringify(place));
}

/** The viewer lies above the listing: it is at the same place. */
function address() {
  const params = new URLSearchParams(location.search);
  return `${location.pathname}?${params.get("search") ?? ""}`;
}

/** One name for each entry of the browser's history, which keeps it: who goes on to the same folder is not coming back. */
function entryName() {
  const state = history.state ?? {};
  const name = state.place ?? `browse-place-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  if (!state.place) history.replaceState({ ...state, place: name }, "");
  return name;
}
