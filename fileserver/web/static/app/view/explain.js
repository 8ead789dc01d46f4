/** Why a file is not shown, and what one can do with it all the same. */

import strings from "../../strings/view.js";
import { href } from "../core/api.js";
import { html, icon, nothing, render } from "../core/html.js";

/**
 * @param {HTMLElement} place
 * @param {{title: string, body: string, row?: Row, iconName?: string, retry?: {label: string, run: () => void}}} reason
 *   with a row that can be downloaded, and a way to try again
 */
export function explain(place, { title, body, row, iconName = "circle-alert", retry }) {
  const element = document.createElement("div");
  element.className = "empty";
  element.setAttribute("role", "alert");
  render(
    html`${icon(iconName)}
      <h2>${title}</h2>
      <p>${body}</p>
      <p class="view-ways">
        ${retry ? html`<button class="button main" @click=${retry.run}>${retry.label}</button>` : nothing}
        ${row ? download(row, !retry) : nothing}
      </p>`,
    element,
  );
  place.replaceChildren(element);
}

/** @param {Row} row @param {boolean} isMain */
function download(row, isMain) {
  return html`<a class=${isMain ? "button main" : "button"} href=${href("files", row.key, { download: "" })} download
    >${icon("download")} ${strings.download}</a
  >`;
}
