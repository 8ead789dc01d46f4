/** A film at a glance: pictures from all over it in one strip, to jump along. */

import { ask } from "../core/api.js";
import { clock } from "../core/say.js";
import { chapterAt } from "./chapters.js";
import { timeSlider } from "./slider.js";
import { tileAt, tilesOf } from "./storyboard.js";

/** @typedef {import("./types").Tile} Tile @typedef {import("./types").Chapter} Chapter */

/**
 * The strip, once its pictures are there; null where the film has none to show.
 *
 * @param {HTMLMediaElement} media
 * @param {{label: string, href: string, chapters: Chapter[], signal: AbortSignal}} options
 * @returns {Promise<HTMLElement | null>}
 */
export async function scenes(media, { label, href, chapters, signal }) {
  const { href: sheet, tiles } = tilesOf(await (await ask(href, { signal })).text());
  if (tiles.length < 2 || !(await isThere(sheet)) || signal.aborted) return null;
  const line = document.createElement("div");
  line.className = "play-scenes";
  const strip = Object.assign(document.createElement("div"), { className: "play-scenes-strip" });
  const now = Object.assign(document.createElement("i"), { className: "play-scenes-now" });
  const glance = glanceOf(sheet, tiles, chapters, media);
  line.append(strip, ...marks(chapters, media), now, glance.element);
  timeSlider(line, media, { label, signal, onPoint: glance.show });
  const sizes = new ResizeObserver(() => fill(strip, sheet, tiles));
  sizes.observe(strip);
  signal.addEventListener("abort", () => sizes.disconnect(), { once: true });
  return line;
}

/** As many tiles as there is room for, each of the middle of its part. @param {HTMLElement} strip @param {string} sheet @param {Tile[]} tiles */
function fill(strip, sheet, tiles) {
  const first = /** @type {Tile} */ (tiles[0]);
  const height = strip.clientHeight;
  const count = Math.max(1, Math.floor(strip.clientWidth / ((height * first.width) / first.height)));
  const end = tiles.at(-1)?.end ?? 0;
  const shown = Array.from({ length: count }, (_, index) => tileAt(tiles, ((index + 0.5) * end) / count));
  strip.replaceChildren(...shown.map((tile) => picture(sheet, tiles, /** @type {Tile} */ (tile), height)));
}

/** A tile of the sheet, so high. @param {string} sheet @param {Tile[]} tiles @param {Tile} tile @param {number} height */
function picture(sheet, tiles, tile, height) {
  const scale = height / tile.height;
  const element = document.createElement("div");
  const [wide, high] = [
    Math.max(...tiles.map(({ x, width }) => x + width)),
    Math.max(...tiles.map((each) => each.y + each.height)),
  ];
  Object.assign(element.style, {
    height: `${height}px`,
    width: `${tile.width * scale}px`,
    backgroundImage: `url("${new URL(sheet, document.baseURI).href}")`,
    backgroundSize: `${wide * scale}px ${high * scale}px`,
    backgroundPosition: `${-tile.x * scale}px ${-tile.y * scale}px`,
  });
  return element;
}

/** Where chapters begin. @param {Chapter[]} chapters @param {HTMLMediaElement} media */
function marks(chapters, media) {
  return chapters.slice(1).map((chapter) => {
    const mark = Object.assign(document.createElement("i"), { className: "play-mark" });
    mark.style.setProperty("--at", String(chapter.start / (media.duration || 1)));
    return mark;
  });
}

/** The picture, time and chapter of where the pointer is. @param {string} sheet @param {Tile[]} tiles @param {Chapter[]} chapters @param {HTMLMediaElement} media */
function glanceOf(sheet, tiles, chapters, media) {
  const element = Object.assign(document.createElement("div"), { className: "play-glance", hidden: true });
  const words = document.createElement("p");
  const show = (/** @type {number | null} */ part) => {
    element.hidden = part === null || !media.duration;
    if (part === null || element.hidden) return;
    const seconds = part * media.duration;
    const tile = /** @type {Tile} */ (tileAt(tiles, seconds));
    const chapter = chapters[chapterAt(chapters, seconds)];
    words.textContent = chapter ? `${clock(seconds)} · ${chapter.title}` : clock(seconds);
    element.style.setProperty("--at", String(part));
    element.replaceChildren(picture(sheet, tiles, tile, tile.height), words);
  };
  return { element, show };
}

/** @param {string} href */
function isThere(href) {
  const image = new Image();
  image.src = href;
  return image.decode().then(
    () => true,
    () => false,
  );
}
