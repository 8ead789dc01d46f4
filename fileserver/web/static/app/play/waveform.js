/** The shape of a record's sound, as the line of time to seek on. */

import { askJson } from "../core/api.js";
import { clock } from "../core/say.js";
import { timeSlider } from "./slider.js";

const SVG = "http://www.w3.org/2000/svg";
const BAR_PX = 4;
const FLAT = 0.02; // silence is a line, not nothing

/**
 * A slider that shows the peaks as soon as they are known; until then, and where nobody knows them, a flat line.
 *
 * @param {HTMLMediaElement} media
 * @param {{label: string, href: string | null, duration: number | null, signal: AbortSignal}} options
 * @returns {HTMLElement}
 */
export function waveform(media, { label, href, duration, signal }) {
  const line = document.createElement("div");
  line.className = "play-wave";
  const bubble = Object.assign(document.createElement("output"), { className: "play-bubble", hidden: true });
  const [rest, done] = [drawing("play-wave-rest"), drawing("play-wave-done")];
  line.append(rest.svg, done.svg, bubble);
  const whole = () => (Number.isFinite(media.duration) ? media.duration : (duration ?? 0));
  const onPoint = (/** @type {number | null} */ part) => {
    bubble.hidden = part === null || !whole();
    bubble.style.setProperty("--at", String(part ?? 0));
    bubble.textContent = clock((part ?? 0) * whole());
  };
  timeSlider(line, media, { label, signal, duration: whole, onPoint });
  /** @type {number[]} */
  let peaks = [];
  const draw = () => {
    const shape = pathOf(bars(peaks, Math.max(1, Math.floor(line.clientWidth / BAR_PX))));
    for (const { svg, path } of [rest, done]) {
      svg.setAttribute("viewBox", `0 0 ${shape.count} 2`);
      path.setAttribute("d", shape.d);
    }
  };
  const sizes = new ResizeObserver(draw);
  sizes.observe(line);
  signal.addEventListener("abort", () => sizes.disconnect(), { once: true });
  if (href) {
    askJson(href, { signal })
      .then(
        (told) => (peaks = peaksOf(told)),
        () => {},
      )
      .then(draw);
  }
  return line;
}

/** The loudness of each pair of samples, of 0 to 1 (audiowaveform's JSON, version 2). @param {{data: number[], bits: number, channels?: number}} told */
export function peaksOf({ data, bits, channels = 1 }) {
  const full = 2 ** (bits - 1);
  const step = 2 * channels;
  return Array.from({ length: Math.floor(data.length / step) }, (_, index) => {
    const pair = data.slice(index * step, (index + 1) * step);
    return Math.min(1, Math.max(...pair.map(Math.abs)) / full);
  });
}

/** As many bars as there is room for; the loudest one is as high as can be. @param {number[]} peaks @param {number} count @returns {number[]} */
export function bars(peaks, count) {
  const loudest = Math.max(...peaks, 0.05); // what is all but silent looks so
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * peaks.length) / count));
    return Math.max(FLAT, Math.max(0, ...peaks.slice(from, to)) / loudest);
  });
}

/** @param {number[]} heights */
function pathOf(heights) {
  const d = heights.map((height, index) => `M${index + 0.5} ${(1 - height).toFixed(3)}v${(2 * height).toFixed(3)}`);
  return { d: d.join(""), count: heights.length };
}

/** @param {string} className */
function drawing(className) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("class", className);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(path);
  return { svg, path };
}
