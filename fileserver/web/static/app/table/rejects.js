/** The rows that a transform left out, and why. */

import { ask, lines, messageOf, url } from "../core/api.js";
import { modal } from "../core/dialog.js";
import { html, icon, nothing } from "../core/html.js";
import { number, say } from "../core/say.js";
import { notice } from "../core/notice.js";
import strings from "../../strings/table.js";

const SHOWN = 200; // rows: the file has all of them

/** @param {string} job @param {string} name of the table */
export async function showRejects(job, name) {
  /** @type {{line: number, column: string | null, reason: string, raw: string}[]} */
  const rows = [];
  try {
    const response = await ask(url(`/jobs/${job}/rejects`), { accept: "application/x-ndjson" });
    for await (const record of lines(response)) {
      if (record.type === "end" || rows.length === SHOWN) break;
      rows.push(record);
    }
  } catch (error) {
    notice(messageOf(error), { kind: "error" });
    return;
  }
  modal({
    title: strings.rejects,
    className: "transform-rejects",
    content: () =>
      html`<section>
        <div class="transform-scroll" tabindex="0" role="region" aria-label=${strings.rejects}>
          <table>
            <thead>
              <tr>
                <th scope="col">${strings.line}</th>
                <th scope="col">${strings.reason}</th>
                <th scope="col">${strings.row}</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map(
                ({ line, reason, raw }) =>
                  html`<tr>
                    <td>${number(line)}</td>
                    <td>${reason}</td>
                    <td><code>${raw}</code></td>
                  </tr>`,
              )}
            </tbody>
          </table>
          ${rows.length === SHOWN ? html`<p class="quiet">${say(strings.firstRejects, { count: number(SHOWN) })}</p>` : nothing}
        </div>
        <footer>
          <button class="button main" @click=${() => save(job, name)}>
            ${icon("download")} ${strings.saveRejects}
          </button>
        </footer>
      </section>`,
  });
}

/** @param {string} job @param {string} name */
async function save(job, name) {
  try {
    const response = await ask(url(`/jobs/${job}/rejects`), { accept: "text/csv" });
    const address = URL.createObjectURL(await response.blob());
    const link = Object.assign(document.createElement("a"), { href: address, download: `${name}.rejects.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) {
    notice(messageOf(error), { kind: "error" });
  }
}
