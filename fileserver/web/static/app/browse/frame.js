/** The place where rows stand: the heads of the columns above them, and what is said where there are none. */

import strings from "../../strings/browse.js";
import { env } from "../core/env.js";
import { html, icon, nothing, render } from "../core/html.js";
import { say } from "../core/say.js";
import { isPhone } from "../core/viewport.js";
import { newItems } from "./actions.js";
import { openMenu } from "../core/menu.js";
import { geometry } from "./geometry.js";
import { redraw, startLines } from "./lines.js";
import { onShown, shelf, sortBy } from "./shelf.js";

/** @typedef {import("./order.js").Sort["by"]} By */
/** @type {{by: By, label: string, className: string}[]} */
const COLUMNS = [
  { by: "name", label: strings.name, className: "browse-name" },
  { by: "size", label: strings.size, className: "browse-size" },
  { by: "modified", label: strings.modified, className: "browse-when" },
];

const main = /** @type {HTMLElement} */ (document.getElementById("browse"));
const grid = document.createElement("div");
const heads = document.createElement("div");
const note = document.createElement("div");

export const frame = {
  /** why the folder cannot be shown @type {{message: string, again: () => void, isOffline?: boolean} | null} */
  fault: null,
  isWaiting: false,
};

/** Take the place of what the server made. */
export function startFrame() {
  grid.id = "entries";
  grid.className = "browse-entries";
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-label", strings.entries);
  grid.setAttribute("aria-multiselectable", "true");
  heads.className = "browse-heads";
  heads.setAttribute("role", "row");
  heads.setAttribute("aria-rowindex", "1");
  const rows = document.createElement("div");
  rows.className = "browse-rows browse-live";
  rows.setAttribute("role", "rowgroup");
  note.className = "browse-note";
  grid.append(heads, rows);
  for (const old of main.querySelectorAll("#entries, .browse-pages")) old.remove();
  main.prepend(grid, note);
  onShown(refresh); // what is not hidden any more can be measured next
  startLines(rows);
  return grid;
}

/** Show another form, or what has changed around the rows. */
export function reform() {
  refresh();
  redraw();
}

/** Show what goes with a folder below its rows. @param {Document} made the folder's page */
export function showReadme(made) {
  main.querySelector("article.readme")?.remove();
  const readme = made.querySelector("article.readme");
  if (readme) main.append(document.adoptNode(readme));
}

export function refresh() {
  const isEmpty = !shelf.shown.length;
  grid.hidden = isEmpty || frame.isWaiting || frame.fault !== null;
  grid.classList.toggle("browse-grid", geometry.isGrid);
  grid.setAttribute("aria-busy", String(!shelf.isWhole || shelf.isSearching));
  heads.hidden = geometry.isGrid;
  render(headsOf(), heads);
  render(noteOf(isEmpty), note);
  main.classList.toggle("browse-elsewhere", Boolean(shelf.words));
}

function headsOf() {
  return html`<span role="columnheader" class="browse-check"><span class="unseen">${strings.selected}</span></span>
    ${COLUMNS.map(({ by, label, className }) => {
      const isBy = shelf.sort.by === by;
      const direction = shelf.sort.isDown ? "descending" : "ascending";
      const sort = () => sortBy({ by, isDown: isBy ? !shelf.sort.isDown : by === "modified" });
      return html`<span role="columnheader" class=${className} aria-sort=${isBy ? direction : "none"}>
        <button type="button" @click=${sort}>
          ${label} ${isBy ? icon(shelf.sort.isDown ? "chevron-down" : "chevron-up") : nothing}
        </button>
      </span>`;
    })}
    <span role="columnheader" class="browse-more"><span class="unseen">${strings.more}</span></span>`;
}

/** @param {boolean} isEmpty */
function noteOf(isEmpty) {
  if (frame.fault) return faultNote(frame.fault);
  if (frame.isWaiting) return skeleton();
  if (!isEmpty) {
    return shelf.isSearching ? html`<p class="browse-still" role="status">${strings.searching}</p>` : nothing;
  }
  if (shelf.isSearching) return skeleton();
  if (shelf.words) return nothingFound(); // of a folder that was come to by a search nothing else is known
  return shelf.isWhole ? emptyFolder() : skeleton();
}

function skeleton() {
  return html`<div class="browse-skeleton" aria-busy="true" aria-label=${strings.loading} role="status">
    ${[70, 45, 60, 38, 52, 64, 48, 58].map(
      () => html`<div class="browse-row"><span></span><i class="skeleton"></i><i class="skeleton"></i></div>`,
    )}
  </div>`;
}

/** @param {{message: string, again: () => void}} fault */
function faultNote({ message, again }) {
  return html`<div class="empty" role="alert">
    ${icon("circle-alert")}
    <h2>${strings.cannotShow}</h2>
    <p>${message}</p>
    <button class="button" @click=${again}>${strings.again}</button>
  </div>`;
}

function nothingFound() {
  return html`<div class="empty" role="status">
    ${icon("search")}
    <h2>${strings.nothingFound}</h2>
    <p>${say(strings.nothingFoundFor, { words: shelf.words })}</p>
  </div>`;
}

function emptyFolder() {
  const open = (/** @type {Event} */ event) =>
    openMenu(/** @type {HTMLElement} */ (event.currentTarget), newItems(), { label: strings.new });
  return html`<div class="empty">
    ${icon("folder-open")}
    <h2>${strings.emptyFolder}</h2>
    ${
      env.mayWrite
        ? html`<p>${isPhone() ? strings.emptyHintPhone : strings.emptyHint}</p>
            <button class="button" aria-haspopup="menu" @click=${open}>${icon("plus")} ${strings.add}</button>`
        : nothing
    }
  </div>`;
}
