/** A storyboard's cues: which part of its picture is when. */

/** @typedef {import("./types").Tile} Tile */

const CUE = /^(\S+) --> (\S+)[^\n]*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;

/**
 * The tiles in their order, and the address of the picture that all of them are in.
 *
 * @param {string} vtt
 * @returns {{href: string, tiles: Tile[]}}
 */
export function tilesOf(vtt) {
  const cues = [...vtt.replace(/\r\n?/g, "\n").matchAll(CUE)];
  const tiles = cues.map(([, start = "", end = "", , x, y, width, height]) => ({
    ...{ start: secondsOf(start), end: secondsOf(end) },
    ...{ x: Number(x), y: Number(y), width: Number(width), height: Number(height) },
  }));
  return { href: cues[0]?.[3] ?? "", tiles };
}

/** The tile of a time. @param {Tile[]} tiles @param {number} seconds */
export function tileAt(tiles, seconds) {
  return tiles.find((tile) => seconds < tile.end) ?? tiles.at(-1) ?? null;
}

/** A time of WebVTT (s.4.3): hours may be left out. @param {string} stamp */
function secondsOf(stamp) {
  return stamp.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
