/** The same work as a line for a shell. */

import { quoted } from "../core/shell.js";

/**
 * The curl line for a transform.
 *
 * @param {object} wish
 * @param {string} wish.address of the transform, without a query
 * @param {string | null} wish.file the name of a file that is sent; null where the table is stored
 * @param {[string, string][] | null} wish.parameters the plan as a query has it; null where only `json` can say it
 * @param {string} wish.json the plan
 * @param {string} wish.output the name of the file to write
 */
export function curlLine({ address, file, parameters, json, output }) {
  const words = file === null ? stored(address, parameters, json) : sent(address, file, parameters, json);
  return `curl ${words.map(quoted).join(" ")} -o ${quoted(local(output))}`;
}

/** @param {string} address @param {[string, string][] | null} parameters @param {string} json */
function stored(address, parameters, json) {
  if (!parameters) return ["-H", "Content-Type: application/json", "--data-binary", json, address];
  const given = parameters.flatMap(([name, value]) => ["--data-urlencode", `${name}=${value}`]);
  return [...(given.length ? ["-G", ...given] : []), address];
}

/** @param {string} address @param {string} file @param {[string, string][] | null} parameters @param {string} json */
function sent(address, file, parameters, json) {
  const pairs = parameters ?? [["plan", json]];
  const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  const coding = /\.gz$/i.test(file)
    ? ["-H", "Content-Encoding: gzip"]
    : /\.zst$/i.test(file)
      ? ["-H", "Content-Encoding: zstd"]
      : [];
  const globbing = /[[\]{}]/.test(file) ? ["-g"] : []; // curl would take them for a range of names
  return [
    "-X",
    "POST",
    ...globbing,
    "-T",
    local(file),
    "-H",
    "Content-Type: text/csv",
    ...coding,
    query ? `${address}?${query}` : address,
  ];
}

/** A file name that no program takes for an option or for standard input. @param {string} name */
function local(name) {
  return /^[-.]/.test(name) ? `./${name}` : name;
}
