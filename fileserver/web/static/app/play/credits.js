/** Who made a record, and what it is called, by what its file says. */

/** @typedef {import("./types").Description} Description @typedef {import("./types").Credits} Credits */

/** @param {Row} row @param {Description | null} description @returns {Credits} */
export function creditsOf(row, description) {
  const tags = new Map(Object.entries(description?.format?.tags ?? {}).map(([name, tag]) => [name.toLowerCase(), tag]));
  const first = (/** @type {string[]} */ ...keys) => keys.map((key) => tags.get(key)?.trim()).find(Boolean) ?? "";
  return { title: first("title") || stemOf(row.name), artist: first("artist", "album_artist"), album: first("album") };
}

/** A name without its ending. @param {string} name */
export function stemOf(name) {
  return name.replace(/(?<=.)\.[^.]{1,5}$/, "");
}
