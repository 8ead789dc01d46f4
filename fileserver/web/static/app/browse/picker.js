/** A dialog that asks for a folder: one walks through them, and may make a new one on the way. */

import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import strings from "../../strings/browse.js";
import coreStrings from "../../strings/core.js";
import { ask, href, lines, messageOf } from "../core/api.js";
import { modal, prompt } from "../core/dialog.js";
import { html, icon, nothing } from "../core/html.js";
import { notice } from "../core/notice.js";
import { collator } from "../core/say.js";
import { parentOf, shelf } from "./shelf.js";

const MOST = 2000; // folders shown

/**
 * The folder that somebody chooses, or null. Folders that are themselves among `rows` cannot be chosen.
 *
 * @param {{title: string, yes: string, rows: Row[]}} options
 * @returns {Promise<string | null>}
 */
export function chooseFolder({ title, yes, rows }) {
  return new Promise((resolve) => {
    const state = { folder: shelf.folder, folders: /** @type {string[] | null} */ (null), fault: "" };
    let answer = /** @type {string | null} */ (null);
    const refused = new Set(rows.map((row) => row.key));
    const go = async (/** @type {string} */ folder) => {
      Object.assign(state, { folder, folders: null, fault: "" });
      dialog.update();
      try {
        const found = await foldersOf(folder);
        if (state.folder !== folder) return;
        state.folders = found;
      } catch (error) {
        state.fault = messageOf(error);
      }
      dialog.update();
      /** @type {HTMLElement | null} */ (dialog.element.querySelector("li button:not(:disabled)"))?.focus();
    };
    const take = () => {
      answer = state.folder;
      dialog.close();
    };
    const dialog = modal({
      title,
      className: "browse-picker",
      onClose: () => resolve(answer),
      content: (close) =>
        html`<div>
          ${way(state.folder, go)} ${list(state, refused, go)}
          <footer>
            <button class="button quiet browse-picker-new" @click=${() => make(state.folder, go)}>
              ${icon("folder-plus")} ${strings.newFolder}
            </button>
            <button class="button" @click=${close}>${coreStrings.cancel}</button>
            <button class="button main" ?disabled=${state.fault !== ""} @click=${take}>${yes}</button>
          </footer>
        </div>`,
    });
    go(state.folder);
  });
}

/** @param {string} folder @param {(folder: string) => void} go */
function way(folder, go) {
  return html`<div class="browse-picker-way">
    <button class="icon-button" aria-label=${strings.up} ?disabled=${!folder} @click=${() => go(parentOf(folder))}>
      ${icon("chevron-left")}
    </button>
    <h3 aria-live="polite"><bdi>${nameOf(folder)}</bdi></h3>
  </div>`;
}

/** @param {{folder: string, folders: string[] | null, fault: string}} state @param {Set<string>} refused @param {(folder: string) => void} go */
function list({ folders, fault }, refused, go) {
  if (fault) return html`<p class="fault" role="alert">${fault}</p>`;
  if (!folders) {
    return html`<ul aria-busy="true">
      <li class="skeleton"></li>
      <li class="skeleton"></li>
    </ul>`;
  }
  return html`<ul>
    ${repeat(
      folders,
      (key) => key,
      (key) =>
        html`<li>
          <button ?disabled=${refused.has(key)} @click=${() => go(key)}>
            ${icon("folder")}<bdi>${nameOf(key)}</bdi>${icon("chevron-right")}
          </button>
        </li>`,
    )}
    ${folders.length ? nothing : html`<li class="browse-picker-none">${strings.noFolder}</li>`}
  </ul>`;
}

/** @param {string} folder @returns {Promise<string[]>} */
async function foldersOf(folder) {
  if (folder === shelf.folder && shelf.isWhole) return sorted([...shelf.known.values()]);
  const rows = [];
  const response = await ask(href("files", folder), { accept: "application/x-ndjson" });
  for await (const record of lines(response)) {
    if (record.type === "folder" && rows.push(record) >= MOST) break;
  }
  return sorted(rows);
}

/** @param {Row[]} rows */
function sorted(rows) {
  const keys = rows.filter((row) => row.type === "folder").map((row) => row.key);
  return keys.sort((one, other) => collator.compare(one, other));
}

/** @param {string} folder @param {(folder: string) => void} go */
async function make(folder, go) {
  const name = await prompt({ title: strings.newFolder, label: strings.name, yes: strings.make });
  if (!name) return;
  try {
    await ask(href("files", `${folder}${name}/`), { method: "MKCOL" });
    go(`${folder}${name}/`);
  } catch (error) {
    notice(messageOf(error), { kind: "error" });
  }
}

/** @param {string} folder */
function nameOf(folder) {
  return folder.split("/").at(-2) ?? strings.root;
}
