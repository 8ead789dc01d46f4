/** The parts of a recording that have names. */

/** @typedef {import("./types").Chapter} Chapter */

/** The index of the chapter that a time is in, -1 before the first. @param {Chapter[]} chapters @param {number} seconds */
export function chapterAt(chapters, seconds) {
  return chapters.findLastIndex((chapter) => chapter.start <= seconds);
}
