/**
 * Pictures, one beside the other, moved and enlarged by fingers, wheel and keys. PhotoSwipe does that much; the frame
 * around it is the viewer's, and its pictures get their sizes from themselves.
 */

import PhotoSwipe from "../../vendor/photoswipe/photoswipe.esm.min.js";
import strings from "../../strings/view.js";
import { env } from "../core/env.js";
import { html, icon, render } from "../core/html.js";
import { isPhone } from "../core/viewport.js";
import { slidesOf } from "./slides.js";

const STEP = 1.5; // how much larger a picture is after one step
const PAN = 80; // px a key moves an enlarged picture
const HEAD = 56; // px of the header over the picture
const FOOT = 64; // px of the tools under it in a hand
const ZOOM_MS = 200;

const reduced = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {HTMLElement} body @param {Row} row @param {ViewContext} context @returns {OpenView} */
export function open(body, row, context) {
  addStyle();
  const rows = snapshot(row, context.siblings());
  let isClosed = false;
  const slides = slidesOf(rows, (index) => {
    if (isClosed) return;
    swipe.refreshSlideContent(index);
    drawTools();
  });
  const swipe = swipeIn(
    body,
    rows.findIndex((each) => each.key === row.key),
    slides,
  );
  const acts = {
    zoom: (/** @type {number} */ factor) => zoom(swipe, factor),
    rotate: () => slides.turn(swipe.currIndex),
  };
  swipe.addFilter("numItems", () => rows.length);
  swipe.on("change", () => {
    const now = rows[swipe.currIndex];
    if (now && !isClosed) context.goTo(now);
    drawTools();
  });
  swipe.on("zoomPanUpdate", drawTools);
  swipe.on("close", () => {
    if (!isClosed) context.close(); // by a finger that threw the picture away
  });
  swipe.init();
  withoutRoles(/** @type {HTMLElement} */ (swipe.element));
  const resized = new ResizeObserver(() => swipe.updateSize());
  resized.observe(body);
  drawTools();

  function drawTools() {
    if (!isClosed) render(tools(swipe, acts), context.actions);
  }

  return {
    close() {
      isClosed = true;
      resized.disconnect();
      swipe.destroy();
    },
    show(other) {
      const index = rows.findIndex((each) => each.key === other.key && each.etag === other.etag);
      if (index < 0) return false;
      slides.learn(index, other);
      if (index !== swipe.currIndex) swipe.goTo(index);
      return true;
    },
    keys: (event) => pressed(event, swipe, acts),
  };
}

/** @param {HTMLElement} body @param {number} index @param {ReturnType<typeof slidesOf>} slides */
function swipeIn(body, index, slides) {
  const swipe = new PhotoSwipe({
    index,
    appendToEl: body,
    getViewportSizeFn: () => ({ x: body.clientWidth, y: body.clientHeight }),
    paddingFn: () => ({ top: HEAD, bottom: isPhone() ? FOOT : 0, left: 0, right: 0 }),
    bgOpacity: 0,
    showHideAnimationType: "none",
    loop: false,
    wheelToZoom: true,
    preload: [1, 2],
    ...{ tapAction: false, bgClickAction: false, clickToCloseNonZoomable: false },
    ...{ trapFocus: false, returnFocus: false, escKey: false, arrowKeys: false }, // the viewer has these
    ...{ close: false, zoom: false, counter: false, arrowPrev: false, arrowNext: false },
  });
  swipe.addFilter("itemData", (_, at) => slides.item(at));
  swipe.addFilter("isContentZoomable", (isZoomable, content) => isZoomable || content.type === "turned");
  swipe.on("contentLoad", (event) => {
    if (event.content.type === "image") return;
    event.preventDefault();
    event.content.element = slides.element(event.content.index);
    event.content.onLoaded();
  });
  return swipe;
}

/** The style sheet of the library is asked for with the first picture alone. */
function addStyle() {
  const address = `${env.assets}vendor/photoswipe/photoswipe.css`;
  if (document.querySelector(`link[href="${address}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  document.head.append(link);
}

/** The files as they are now, this one among them in any case. @param {Row} row @param {Row[]} siblings */
function snapshot(row, siblings) {
  const index = siblings.findIndex((each) => each.key === row.key);
  return index < 0 ? [row] : siblings.with(index, row); // a copy: what is learned stays here
}

/** The viewer is the dialog, and tells of the files; the library's own words would be said besides. @param {HTMLElement} element */
function withoutRoles(element) {
  for (const each of [element, ...element.querySelectorAll("[role], [aria-roledescription]")]) {
    each.removeAttribute("aria-roledescription");
    each.removeAttribute("role");
  }
}

/** @param {PhotoSwipe} swipe @param {number} factor */
function zoom({ currSlide: slide }, factor) {
  if (!slide?.isZoomable()) return;
  const { fit, max } = slide.zoomLevels;
  const level = Math.min(max, Math.max(fit, slide.currZoomLevel * factor));
  slide.zoomTo(level, undefined, reduced.matches ? 0 : ZOOM_MS);
}

/** @param {PhotoSwipe} swipe */
function isEnlarged({ currSlide }) {
  return Boolean(currSlide?.isZoomable() && currSlide.currZoomLevel > currSlide.zoomLevels.fit * 1.01);
}

/** @typedef {{zoom: (factor: number) => void, rotate: () => void}} Acts */

/** @param {PhotoSwipe} swipe @param {Acts} acts */
function tools(swipe, { zoom: enlarge, rotate }) {
  const isShown = Boolean(swipe.currSlide?.isZoomable());
  const words = strings.picture;
  return [
    tool({ name: "rotate-cw", label: words.rotate, isOff: !isShown, run: rotate }),
    tool({ name: "zoom-out", label: words.zoomOut, isOff: !isEnlarged(swipe), run: () => enlarge(1 / STEP) }),
    tool({ name: "zoom-in", label: words.zoomIn, isOff: !isShown, run: () => enlarge(STEP) }),
  ];
}

/** @param {{name: string, label: string, isOff: boolean, run: () => void}} button */
function tool({ name, label, isOff, run }) {
  return html`<button class="icon-button" aria-label=${label} title=${label} ?disabled=${isOff} @click=${run}>
    ${icon(name)}
  </button>`;
}

/** @param {KeyboardEvent} event @param {PhotoSwipe} swipe @param {Acts} acts */
function pressed({ key }, swipe, acts) {
  if (key === "+" || key === "=") acts.zoom(STEP);
  else if (key === "-") acts.zoom(1 / STEP);
  else if (key === "r") acts.rotate();
  else return isEnlarged(swipe) && panned(key, swipe);
  return true;
}

const PANS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [PAN, 0],
  ArrowRight: [-PAN, 0],
  ArrowUp: [0, PAN],
  ArrowDown: [0, -PAN],
});

/** An enlarged picture is moved by the arrows; once it is whole again they lead on. @param {string} key @param {PhotoSwipe} swipe */
function panned(key, { currSlide: slide }) {
  const by = PANS[key];
  if (!slide || !by) return false;
  slide.panTo(slide.pan.x + by[0], slide.pan.y + by[1]);
  return true;
}
