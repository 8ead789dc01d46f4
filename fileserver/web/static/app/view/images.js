/** Where a picture comes from, and how large it is. */

import { href } from "../core/api.js";
import { env } from "../core/env.js";

/** What every browser of the last years decodes. */
const NATIVE = ["apng", "avif", "bmp", "gif", "jpeg", "png", "svg+xml", "webp", "x-icon", "vnd.microsoft.icon"];
/** A drawing that names no size of its own. */
const DRAWING = { width: 1024, height: 1024 };

/** @typedef {{src: string, width: number, height: number}} Sized */

/** The picture at the first of its addresses that can be shown; throws where there is none. @param {Row} row @returns {Promise<Sized>} */
export async function sized(row) {
  for (const src of addressesOf(row)) {
    const image = new Image();
    image.src = src;
    const found = await sizeOf(image);
    if (found) return { src, ...found };
  }
  throw new Error(row.key);
}

/** Pictures that few browsers know are asked for as a preview first: the file may be large, and of no use. @param {Row} row */
function addressesOf(row) {
  const file = href("files", row.key);
  const preview = env.hasMedia ? [href("media", row.key, undefined, "preview")] : [];
  const name = (row.media_type ?? "").split(";")[0]?.split("/")[1]?.trim().toLowerCase() ?? "";
  return NATIVE.includes(name) ? [file, ...preview] : [...preview, file];
}

/**
 * The size in pixels, as soon as the head of the file tells it: a large picture then appears as it comes. Null where it
 * is none.
 *
 * @param {HTMLImageElement} image
 * @returns {Promise<{width: number, height: number} | null>}
 */
function sizeOf(image) {
  return new Promise((resolve) => {
    let frame = 0;
    const done = (/** @type {{width: number, height: number} | null} */ size) => {
      cancelAnimationFrame(frame);
      resolve(size);
    };
    const look = () => {
      const { naturalWidth: width, naturalHeight: height } = image;
      if (width && height) done({ width, height });
      else frame = requestAnimationFrame(look);
    };
    image.onload = () =>
      done({ width: image.naturalWidth || DRAWING.width, height: image.naturalHeight || DRAWING.height });
    image.onerror = () => done(null);
    look();
  });
}
