/** The bar at the top: the way to the folder, search, form and order, and what can be done with what is selected. */

import strings from "../../strings/browse.js";
import { href } from "../core/api.js";
import { on } from "../core/bus.js";
import { env } from "../core/env.js";
import { html, icon, live, nothing, render } from "../core/html.js";
import { openMenu } from "../core/menu.js";
import { hrefOf, navigate } from "../core/router.js";
import { say } from "../core/say.js";
import { isPhone, onPhoneChange } from "../core/viewport.js";
import { actionsFor, formItems, mainActions, newItems } from "./actions.js";
import { reform } from "./frame.js";
import { geometry, setForm } from "./geometry.js";
import { focusActive } from "./lines.js";
import { searchFor } from "./search.js";
import { selected, selectNone, selection } from "./selection.js";
import { onShown, parentOf, shelf } from "./shelf.js";

const SHOWN_CRUMBS = 4; // the others are in a menu

const bar = /** @type {HTMLElement} */ (document.getElementById("browse-bar"));
let isSearchOpen = false;
let folderDrawn = "";

export function startBar() {
  const words = bar.querySelector("input")?.value ?? "";
  const hadFocus = bar.contains(document.activeElement);
  bar.replaceChildren();
  folderDrawn = shelf.folder;
  isSearchOpen = Boolean(words);
  draw();
  if (hadFocus) focusSearch();
  on("selection", draw);
  onShown(drawIfMoved);
  onPhoneChange(draw);
}

/** Have the keyboard in the field for search. */
export function focusSearch() {
  isSearchOpen = true;
  draw();
  const field = bar.querySelector("input");
  field?.focus();
  field?.select();
}

function drawIfMoved() {
  if (folderDrawn !== shelf.folder) isSearchOpen = false;
  folderDrawn = shelf.folder;
  draw();
}

export function draw() {
  const count = selection.keys.size;
  document.documentElement.classList.toggle("browse-selecting", count > 0);
  bar.classList.toggle("browse-search-open", isSearchOpen || Boolean(shelf.words));
  render(html`${crumbs()} ${search()} ${tools()} ${count ? deeds(selected(), count) : nothing} ${adding()}`, bar);
}

function crumbs() {
  const folders = [""];
  for (const name of shelf.folder.split("/").slice(0, -1)) folders.push(`${folders.at(-1)}${name}/`);
  const hidden = folders.length > SHOWN_CRUMBS ? folders.slice(1, 2 - SHOWN_CRUMBS) : [];
  const shown = folders.filter((folder) => !hidden.includes(folder));
  const menu = (/** @type {Event} */ event) =>
    openMenu(
      /** @type {HTMLElement} */ (event.currentTarget),
      hidden.map((folder) => ({ label: nameOf(folder), icon: "folder", run: () => navigate({ folder }) })),
      { label: strings.hiddenFolders },
    );
  return html`<nav class="browse-crumbs" aria-label=${strings.folders}>
    ${
      shelf.folder
        ? html`<a
            class="icon-button browse-up"
            href=${hrefOf({ folder: parentOf(shelf.folder) })}
            aria-label=${strings.up}
            @click=${follow(parentOf(shelf.folder))}
            >${icon("chevron-left")}</a
          >`
        : nothing
    }
    <ol>
      ${shown.map((folder, index) => [crumb(folder), index === 0 && hidden.length ? gap(menu) : nothing])}
    </ol>
  </nav>`;
}

/** @param {(event: Event) => void} menu */
function gap(menu) {
  return html`<li class="browse-gap">
    <button class="icon-button" aria-haspopup="menu" aria-label=${strings.hiddenFolders} @click=${menu}>
      ${icon("ellipsis")}
    </button>
  </li>`;
}

/** @param {string} folder */
function crumb(folder) {
  const name = html`<bdi>${nameOf(folder)}</bdi>`;
  if (folder === shelf.folder) return html`<li aria-current="page"><h1>${name}</h1></li>`;
  return html`<li><a href=${hrefOf({ folder })} data-key=${folder} @click=${follow(folder)}>${name}</a></li>`;
}

/** Go there without a new page, where a plain click asks for it. @param {string} folder */
function follow(folder) {
  return (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    navigate({ folder });
  };
}

function search() {
  const typed = (/** @type {Event} */ event) => searchFor(/** @type {HTMLInputElement} */ (event.target).value);
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") return closeSearch();
    if (event.key === "ArrowDown") {
      event.preventDefault();
      focusActive();
    }
  };
  return html`<form
    class="browse-search"
    role="search"
    action=${href("files", shelf.folder)}
    method="get"
    @submit=${(/** @type {Event} */ event) => event.preventDefault()}
  >
    ${icon("search")}
    <input
      class="input"
      type="search"
      name="search"
      autocomplete="off"
      spellcheck="false"
      enterkeyhint="search"
      placeholder=${strings.search}
      aria-label=${strings.searchHere}
      aria-keyshortcuts="/"
      .value=${live(shelf.words)}
      @input=${typed}
      @keydown=${pressed}
      @blur=${searchLeft}
    />
    <button
      class="icon-button browse-search-close"
      type="button"
      aria-label=${strings.closeSearch}
      @click=${closeSearch}
    >
      ${icon("x")}
    </button>
  </form>`;
}

function closeSearch() {
  isSearchOpen = false;
  searchFor("");
  draw();
  focusActive();
}

function searchLeft() {
  if (!shelf.words && !isPhone()) isSearchOpen = false;
}

function tools() {
  const turn = () => {
    setForm(!geometry.isGrid);
    reform();
    draw();
  };
  const menu = (/** @type {Event} */ event) =>
    openMenu(/** @type {HTMLElement} */ (event.currentTarget), formItems(turn), { label: strings.view });
  const other = geometry.isGrid ? strings.showList : strings.showGrid;
  return html`<div class="browse-tools">
    <button class="icon-button browse-find" aria-label=${strings.searchHere} @click=${focusSearch}>
      ${icon("search")}
    </button>
    <button class="icon-button browse-turn" aria-label=${other} title=${other} @click=${turn}>
      ${icon(geometry.isGrid ? "list" : "layout-grid")}
    </button>
    <button class="icon-button" aria-haspopup="menu" aria-label=${strings.view} title=${strings.view} @click=${menu}>
      ${icon("ellipsis")}
    </button>
  </div>`;
}

function adding() {
  if (!env.mayWrite) return nothing;
  const menu = (/** @type {Event} */ event) =>
    openMenu(/** @type {HTMLElement} */ (event.currentTarget), newItems(), { label: strings.new });
  return html`<button class="button main browse-new" aria-haspopup="menu" @click=${menu}>
    ${icon("plus")}<span>${strings.new}</span>
  </button>`;
}

/** @param {Row[]} rows @param {number} count */
function deeds(rows, count) {
  const more = (/** @type {Event} */ event) =>
    openMenu(/** @type {HTMLElement} */ (event.currentTarget), actionsFor(rows, "bar"), { label: strings.more });
  return html`<div class="browse-deeds" role="toolbar" aria-label=${strings.deeds}>
    <button class="icon-button" aria-label=${strings.selectNone} @click=${selectNone}>${icon("x")}</button>
    <span class="browse-count" role="status">${say.many(strings.selectedCount, count)}</span>
    ${mainActions(rows).map((item) =>
      item.href
        ? html`<a class="button" href=${item.href} download=${item.download || ""}
            >${icon(item.icon ?? "")}<span>${item.label}</span></a
          >`
        : html`<button class="button" ?disabled=${item.isDisabled} @click=${item.run}>
            ${icon(item.icon ?? "")}<span>${item.label}</span>
          </button>`,
    )}
    <button class="button" aria-haspopup="menu" @click=${more}>${icon("ellipsis")}<span>${strings.more}</span></button>
  </div>`;
}

/** @param {string} folder */
function nameOf(folder) {
  return folder.split("/").at(-2) ?? strings.root;
}
