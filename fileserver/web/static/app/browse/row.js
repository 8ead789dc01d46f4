/**
 * Rows and tiles as elements, made by hand: thousands pass by while somebody scrolls. A row has the markup and the classes
 * that `fileserver/web/listing.py` gives it, so that nothing moves when the page's scripts take over.
 */

import strings from "../../strings/browse.js";
import { iconElement } from "../core/html.js";
import { iconOf } from "../core/kinds.js";
import { hrefOf } from "../core/router.js";
import { number, say, size, when, whenExact } from "../core/say.js";
import { selection } from "./selection.js";
import { parentOf, shelf } from "./shelf.js";
import { hasThumbnail, thumbnail } from "./thumbnails.js";

/** @param {Row} row @param {number} place among those shown */
export function rowElement(row, place) {
  const element = made("div", "browse-row", "row");
  element.setAttribute("aria-rowindex", String(place + 2)); // the heads are the first
  element.append(
    checkCell(row),
    cell("browse-name", link(row, hasThumbnail(row) ? thumbnail(row) : iconElement(iconOf(row)))),
    cell("browse-size", sizeOf(row)),
    cell("browse-when", timeOf(row)),
    cell("browse-more", moreButton(row)),
  );
  return named(element, row);
}

/** @param {Row} row @param {number} column */
export function tileElement(row, column) {
  const element = made("div", "browse-tile", "gridcell");
  element.setAttribute("aria-colindex", String(column + 1));
  element.append(link(row, thumbnail(row)), check(row), moreButton(row));
  return named(element, row);
}

/** Show whether a row is selected, and whether the keyboard comes to it. @param {HTMLElement} element @param {string} key */
export function mark(element, key) {
  const isSelected = selection.keys.has(key);
  element.setAttribute("aria-selected", String(isSelected));
  element.tabIndex = selection.active === key ? 0 : -1;
  const box = element.querySelector("input");
  if (box) box.checked = isSelected;
}

/** Where a person sees a row: folders by going there, files in the viewer above what is shown. @param {Row} row */
export function viewHref(row) {
  if (row.type === "folder") return hrefOf({ folder: row.key });
  return hrefOf({ view: row.key.slice(shelf.folder.length), search: shelf.words || null });
}

/** @param {HTMLElement} element @param {Row} row */
function named(element, row) {
  element.dataset.key = row.key;
  const about = row.type === "folder" ? strings.folder : aboutOf(row);
  element.setAttribute("aria-label", `${row.name}, ${about}`);
  mark(element, row.key);
  return element;
}

/** @param {Row} row @param {Element} picture */
function link(row, picture) {
  const element = document.createElement("a");
  element.href = viewHref(row);
  element.tabIndex = -1;
  const sign = made("span", `browse-sign ${iconOf(row)}`);
  sign.append(picture);
  const label = made("span", "browse-label");
  label.append(text("bdi", row.name));
  const parent = parentOf(row.key);
  if (parent !== shelf.folder) {
    const place = document.createElement("small");
    place.append(text("bdi", parent.slice(shelf.folder.length)));
    label.append(place);
  }
  const about = text("small", row.type === "folder" ? "" : aboutOf(row));
  about.className = "browse-about"; // on phones, where there are no columns
  label.append(about);
  element.append(sign, label);
  return element;
}

/** @param {Row} row */
function aboutOf(row) {
  return [size(row.size), when(row.modified)].filter(Boolean).join(" · ");
}

/** @param {Row} row */
function checkCell(row) {
  return cell("browse-check", check(row));
}

/** @param {Row} row */
function check(row) {
  const label = made("label", "browse-box");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.tabIndex = -1;
  box.setAttribute("aria-label", say(strings.select, { name: row.name }));
  label.append(box);
  return label;
}

/** @param {Row} row */
function moreButton(row) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button browse-menu";
  button.tabIndex = -1;
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-label", say(strings.moreFor, { name: row.name }));
  button.append(iconElement("ellipsis"));
  return button;
}

/** @param {Row} row */
function sizeOf(row) {
  const element = text("span", size(row.size));
  if (row.size !== null) element.title = say(strings.bytes, { count: number(row.size) });
  return element;
}

/** @param {Row} row */
function timeOf(row) {
  const element = /** @type {HTMLTimeElement} */ (text("time", when(row.modified)));
  element.dateTime = row.modified;
  element.addEventListener("pointerenter", () => (element.title = whenExact(row.modified)), { once: true }); // it is slow
  return element;
}

/** @param {string} className @param {Element} content */
function cell(className, content) {
  const element = made("span", className, "gridcell");
  element.append(content);
  return element;
}

/** @param {string} tag @param {string} className @param {string} [role] */
function made(tag, className, role) {
  const element = document.createElement(tag);
  element.className = className;
  if (role) element.setAttribute("role", role);
  return element;
}

/** @param {string} tag @param {string} content */
function text(tag, content) {
  const element = document.createElement(tag);
  element.textContent = visible(content);
  return element;
}

/** Letters that are not seen, or turn what is around them, are made visible: `photo\u202egpj.exe`. @param {string} content */
function visible(content) {
  return content
    .replace(/[^\P{Cc}\u007f-\u009f]/gu, (letter) => String.fromCharCode(0x2400 + letter.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu, "\ufffd");
}
