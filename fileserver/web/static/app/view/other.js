/** A file of a kind that no browser shows: what it is, and the way to have it. */

import strings from "../../strings/view.js";
import { href } from "../core/api.js";
import { html, icon, nothing, render } from "../core/html.js";
import { iconOf } from "../core/kinds.js";
import { say, size, when } from "../core/say.js";

/** So much of an unknown file may be tried as text. */
const MOST_TEXT = 10_000_000;

/** @param {HTMLElement} body @param {Row} row @param {ViewContext} context @returns {OpenView} */
export function open(body, row, context) {
  /** @type {OpenView | null} */
  let text = null;
  const asText = async () => {
    const module = await import("./text.js");
    if (context.signal.aborted) return;
    const place = document.createElement("div");
    place.className = "view-body";
    body.replaceChildren(place);
    text = module.open(place, row, context);
  };
  const element = document.createElement("div");
  element.className = "empty";
  render(content(row, asText), element);
  body.append(element);
  return {
    close: () => text?.close(),
    keys: (event) => text?.keys?.(event) ?? false,
    isCurrent: () => text?.isCurrent?.() ?? false,
  };
}

/** @param {Row} row @param {() => void} asText */
function content(row, asText) {
  const what = row.name.includes(".") ? row.name.slice(row.name.lastIndexOf(".") + 1).toUpperCase() : "";
  const body = what && what.length <= 8 ? say(strings.otherBody, { what }) : strings.otherUnknown;
  const facts = [size(row.size), when(row.modified)].filter(Boolean).join(" · ");
  const maybeText = row.size !== null && row.size <= MOST_TEXT;
  return html`${icon(iconOf(row))}
    <h2>${strings.other}</h2>
    <p>${body}</p>
    <p class="view-facts">${facts}</p>
    <p class="view-ways">
      <a class="button main" href=${href("files", row.key, { download: "" })} download
        >${icon("download")} ${strings.download}</a
      >
      ${maybeText ? html`<button class="button" @click=${asText}>${strings.openAsText}</button>` : nothing}
    </p>`;
}
