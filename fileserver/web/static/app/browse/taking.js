/** Taking things along: links, lines for a terminal, several files at once. */

import strings from "../../strings/browse.js";
import { href } from "../core/api.js";
import { copyText } from "../core/clipboard.js";
import { notice } from "../core/notice.js";
import { prompt } from "../core/dialog.js";
import { say } from "../core/say.js";
import { lineOf } from "../details/lines.js";

const BETWEEN_MS = 400; // browsers drop downloads that begin at the same moment

/** @param {string} text @param {string} told */
export async function copy(text, told) {
  if (await copyText(text)) notice(told);
  else await prompt({ title: strings.copyByHand, label: strings.copyByHandLabel, value: text, yes: strings.done });
}

/** @param {Row[]} rows */
export function copyCurl(rows) {
  const lines = rows.map((row) => lineOf(row, "curl"));
  return copy(lines.join("\n"), strings.curlCopied);
}

/** Have the browser save files one after the other; `asked` counts the folders too. @param {Row[]} rows @param {number} asked */
export async function downloadAll(rows, asked) {
  const told = [say.many(strings.downloading, rows.length)];
  if (rows.length > 1) told.push(strings.downloadingHint);
  if (asked > rows.length) told.push(strings.noFolders);
  notice(told.join(" "), { isLasting: asked > rows.length });
  for (const row of rows) {
    const link = document.createElement("a");
    link.href = href("files", row.key, { download: "" });
    link.download = row.name;
    link.click();
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
}

/** Choose a table of this computer, to look at and transform without storing it. */
export function openTable() {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ".csv,.tsv,.txt,.gz,text/csv,text/tab-separated-values";
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (file) (await import("../table/transform.js")).openTransform({ file });
  });
  input.click();
}
