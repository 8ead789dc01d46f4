/** What is known of each picture beside this one, and what stands in its place until it is. */

import strings from "../../strings/view.js";
import { kindOf } from "../core/kinds.js";
import { explain } from "./explain.js";
import { sized } from "./images.js";

/**
 * What is known of the picture at one place: null while it is asked for.
 *
 * @typedef {{src: string, width: number, height: number, turns: number}} Picture
 * @typedef {Picture | "failed" | null} Known
 */

/**
 * The files at their places, as PhotoSwipe asks for them: nothing is asked of the server before that.
 *
 * @param {Row[]} rows
 * @param {(index: number) => void} changed called when there is more to show at a place
 */
export function slidesOf(rows, changed) {
  /** @type {Map<number, Known>} */
  const known = new Map();

  /** @param {number} index */
  async function ask(index) {
    const row = rows[index];
    known.set(index, null);
    if (!row || kindOf(row) !== "picture") return; // its own module shows it, once it is reached
    try {
      known.set(index, { ...(await sized(row)), turns: 0 });
    } catch {
      known.set(index, "failed");
    }
    changed(index);
  }

  return {
    /** @param {number} index */
    item(index) {
      if (!known.has(index)) ask(index);
      const found = known.get(index);
      const alt = rows[index]?.name ?? "";
      if (!found || found === "failed") return { type: found ?? "waiting", alt };
      const { src, turns } = found;
      const [width, height] = turns % 2 ? [found.height, found.width] : [found.width, found.height];
      return turns ? { src, width, height, alt, type: "turned" } : { src, width, height, alt };
    },
    /** What stands where no picture does (yet), and a picture that was turned. @param {number} index */
    element(index) {
      const [found, row] = [known.get(index), rows[index]];
      const element = document.createElement("div");
      element.className = "view-slide";
      if (found === "failed") {
        explain(element, { title: strings.picture.failed, body: strings.picture.failedBody, row });
      } else if (found) element.append(turned(found, row?.name ?? ""));
      else element.classList.add("view-slide-waiting");
      return element;
    },
    /** The file at a place is known better than the listing knew it. @param {number} index @param {Row} row */
    learn(index, row) {
      const wasKnown = rows[index]?.media_type !== null;
      rows[index] = row;
      if (!wasKnown && !known.get(index)) ask(index);
    },
    /** A quarter to the right. @param {number} index */
    turn(index) {
      const found = known.get(index);
      if (!found || found === "failed") return;
      known.set(index, { ...found, turns: (found.turns + 1) % 4 });
      changed(index);
    },
  };
}

/** @param {Picture} picture @param {string} name */
function turned({ src, turns }, name) {
  const image = new Image();
  image.src = src;
  image.alt = name;
  image.className = turns % 2 ? "view-turned view-across" : "view-turned";
  image.style.rotate = `${turns * 90}deg`;
  return image;
}
