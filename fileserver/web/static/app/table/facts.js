/** What is known of a column, and a cell shown whole. */

import { modal } from "../core/dialog.js";
import { html, icon, nothing } from "../core/html.js";
import { notice } from "../core/notice.js";
import { number, say } from "../core/say.js";
import strings from "../../strings/table.js";
import { copyText } from "../core/clipboard.js";
import { transform } from "./table.js";

/** @param {import("./table.js").View} view @param {number} column @param {HTMLElement} anchor */
export function showFacts(view, column, anchor) {
  const name = view.slices.columns[column] ?? "";
  const known = view.profile?.columns[column];
  anchor.focus({ preventScroll: true });
  modal({
    title: name || strings.noName,
    className: "table-facts",
    onClose: () => view.grid?.focus(),
    content: (close) => {
      const steps = (/** @type {import("./drafts.js").Draft} */ draft) => {
        close();
        transform(view, [draft]);
      };
      return html`<section>
        ${known ? factsOf(known, view.profile?.sampled ?? true) : html`<p>${strings.notLookedAt}</p>`}
        <footer>
          <button class="button" @click=${() => copy(name)}>${icon("copy")} ${strings.copyName}</button>
          ${
            name
              ? html`<button
                    class="button"
                    @click=${() => steps({ op: "sort", keys: [{ column: name, type: typeOf(known) }] })}
                  >
                    ${icon("arrow-up")} ${strings.sortBy}
                  </button>
                  <button class="button" @click=${() => steps({ op: "filter", column: name })}>
                    ${icon("filter")} ${strings.filterBy}
                  </button>`
              : nothing
          }
        </footer>
      </section>`;
    },
  });
}

/** @param {import("./table.js").Column} column @param {boolean} isSampled */
function factsOf(column, isSampled) {
  const facts = [
    [strings.type, column.type],
    [strings.missing, number(column.nulls)],
    [strings.emptyTexts, number(column.empty)],
    [strings.different, say(strings.about, { count: number(column.distinct_estimate) })],
    [strings.least, column.min],
    [strings.most, column.max],
    [strings.longest, say.many(strings.characters, column.longest)],
    [strings.examples, column.examples.join(" · ")],
  ];
  return html`<dl>
      ${facts.map(([term, value]) =>
        value === null
          ? nothing
          : html`<div>
              <dt>${term}</dt>
              <dd>${value}</dd>
            </div>`,
      )}
    </dl>
    ${isSampled ? html`<p class="quiet">${strings.sampled}</p>` : nothing}`;
}

/** What numbers are sorted as; texts as they are. @param {import("./table.js").Column | undefined} column */
function typeOf(column) {
  return column && column.type !== "text" ? column.type : "";
}

/** @param {string} name @param {number} row @param {string | null} value */
export function showCell(name, row, value) {
  modal({
    title: say(strings.cell, { name: name || strings.noName, row: number(row + 1) }),
    className: "table-whole",
    content: (close) =>
      html`<section>
        <pre tabindex="0">${value ?? html`<i>${strings.nothing}</i>`}</pre>
        <footer>
          <button class="button" @click=${close}>${strings.close}</button>
          <button class="button main" autofocus @click=${() => copy(value ?? "")}>
            ${icon("copy")} ${strings.copy}
          </button>
        </footer>
      </section>`,
  });
}

/** @param {string} text */
async function copy(text) {
  const isDone = await copyText(text);
  notice(isDone ? strings.copied : strings.notCopied, { kind: isDone ? "info" : "error" });
}
