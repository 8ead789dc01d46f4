/** The ways to have a file elsewhere: its address, and the lines that fetch it in a shell. */

import { absolute, href } from "../core/api.js";
import { quoted } from "../core/shell.js";

/** @typedef {"link" | "curl" | "wget" | "aria2"} Way */

/** @type {Way[]} */
export const WAYS = ["link", "curl", "wget", "aria2"];

/** What to copy for a way. A line goes on where it was cut off, when it is run again. @param {Row} row @param {Way} way */
export function lineOf(row, way) {
  const address = absolute(href("files", row.key));
  const name = quoted(fileName(row.name));
  if (way === "curl") return `curl -fC - -o ${name} ${quoted(address)}`;
  if (way === "wget") return `wget -c -O ${name} ${quoted(address)}`;
  if (way === "aria2") return `aria2c -c -x8 -o ${name} ${quoted(address)}`;
  return address;
}

/** A name that no program takes for an option, and no terminal for a command. @param {string} name */
function fileName(name) {
  const plain = name.replace(/[\p{Cc}\p{Cs}/]/gu, "_");
  return plain.startsWith("-") ? `./${plain}` : plain;
}
