/** Names of files. */

const ENDING = /(?:\.tar)?\.[^.\s]{1,10}$/i;

/** The last part of a key or path, without the slash of a folder. @param {string} path */
export function leafOf(path) {
  return path.replace(/\/$/, "").split("/").at(-1) ?? "";
}

/** The folder of a key or path, with its slash; empty at the root. @param {string} path */
export function folderOf(path) {
  const bare = path.replace(/\/$/, "");
  return bare.slice(0, bare.lastIndexOf("/") + 1);
}

/** A key with a number before its ending: `a (2).tar.gz`. @param {string} key @param {number} count */
export function numbered(key, count) {
  const folder = folderOf(key);
  const name = key.slice(folder.length);
  const ending = name.slice(1).match(ENDING)?.[0] ?? ""; // a name that begins with a dot is no ending
  return `${folder}${name.slice(0, name.length - ending.length)} (${count})${ending}`;
}

/** The first numbered key that is not among those taken. @param {string} key @param {Iterable<string>} taken */
export function freeName(key, taken) {
  const all = new Set(taken);
  let count = 2;
  while (all.has(numbered(key, count))) count += 1;
  return numbered(key, count);
}

/** A name for a picture that came out of the clipboard, where all are called `image.png`. @param {File} file @param {Date} now */
export function pastedName(file, now) {
  const ending = file.name.match(/^image(\.(?:png|jpe?g|gif|webp|svg))$/i)?.[1];
  if (!ending || now.getTime() - file.lastModified > 10_000) return file.name;
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `Pasted ${day} at ${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}${ending}`;
}
