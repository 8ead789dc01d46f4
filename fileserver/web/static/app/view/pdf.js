/**
 * A PDF in the browser's own viewer. Stored files are served so that nothing in them can run, and that viewer does not
 * run then either: the bytes are fetched and shown as a document of the page's, whose type says PDF and nothing else.
 */

import { ref } from "../../vendor/lit-html/directives/ref.js";
import strings from "../../strings/view.js";
import { ask, href, messageOf } from "../core/api.js";
import { html, icon, nothing, render } from "../core/html.js";
import { say, size } from "../core/say.js";
import { explain } from "./explain.js";

/** More would be held in memory twice. */
const MOST = 100_000_000;

/** @param {HTMLElement} body @param {Row} row @param {ViewContext} context @returns {OpenView} */
export function open(body, row, { signal }) {
  let address = "";
  const begin = async () => {
    try {
      const blob = await loaded(row, signal, (done) => render(progress(row, done), body));
      if (signal.aborted) return;
      address = URL.createObjectURL(blob);
      render(showsWithin() ? frame(row, address) : elsewhere(row, address), body);
    } catch (error) {
      if (signal.aborted) return;
      render(nothing, body);
      const place = body.appendChild(document.createElement("div"));
      const again = () => {
        place.remove();
        begin();
      };
      explain(place, {
        title: strings.cannotShow,
        body: messageOf(error),
        row,
        retry: { label: strings.tryAgain, run: again },
      });
    }
  };
  if ((row.size ?? 0) > MOST) {
    const why = say(strings.pdf.tooLargeBody, { most: size(MOST) });
    explain(body, { title: strings.pdf.tooLarge, body: why, row, iconName: "file-text" });
  } else begin();
  return { close: () => URL.revokeObjectURL(address) };
}

/** @param {Row} row @param {AbortSignal} signal @param {(done: number) => void} tell */
async function loaded(row, signal, tell) {
  const response = await ask(href("files", row.key), { signal });
  const parts = [];
  let done = 0;
  tell(done);
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parts.push(read.value);
    done += read.value.length;
    tell(done);
  }
  return new Blob(parts, { type: "application/pdf" });
}

/** iOS says that it shows PDF within a page, and shows a picture of the first side. */
function showsWithin() {
  const isHandheldSafari = /iPhone|iPad|Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1;
  return navigator.pdfViewerEnabled && !isHandheldSafari;
}

/** @param {Row} row @param {number} done */
function progress(row, done) {
  const total = row.size ?? 0;
  const words = say(strings.pdf.loading, { name: row.name, done: size(done), total: size(total) });
  return html`<div class="empty">
    <p>${words}</p>
    <div
      class="meter view-meter"
      role="progressbar"
      aria-label=${words}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round((100 * done) / Math.max(1, total))}
    >
      <i ${ref((bar) => grow(bar, done / Math.max(1, total)))}></i>
    </div>
  </div>`;
}

/** @param {Row} row @param {string} address */
function frame(row, address) {
  return html`<iframe class="view-frame" title=${row.name} src=${address}></iframe>`;
}

/** @param {Row} row @param {string} address */
function elsewhere(row, address) {
  return html`<div class="empty">
    ${icon("file-text")}
    <h2>${strings.pdf.noViewer}</h2>
    <p>${strings.pdf.noViewerBody}</p>
    <p class="view-ways">
      <a class="button main" href=${address} target="_blank" rel="noopener"
        >${icon("external-link")} ${strings.pdf.open}</a
      >
      <a class="button" href=${href("files", row.key, { download: "" })} download
        >${icon("download")} ${strings.download}</a
      >
    </p>
  </div>`;
}

/** A style in markup would break the page's policy; one that is set by script does not. @param {Element | undefined} bar @param {number} value */
function grow(bar, value) {
  /** @type {HTMLElement | undefined} */ (bar)?.style.setProperty("--value", String(value));
}
