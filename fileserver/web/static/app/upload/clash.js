/** Names that are taken: what to do is asked once, for one file or for all that were added with it. */

import { askJson, href } from "../core/api.js";
import { modal } from "../core/dialog.js";
import { html, nothing } from "../core/html.js";
import { say, size, when } from "../core/say.js";
import strings from "../../strings/upload.js";
import { folderOf, freeName, leafOf, numbered } from "./names.js";

/** Questions are asked one after the other. @type {Promise<unknown>} */
let asked = Promise.resolve();

/**
 * What to do with an upload whose name is taken; `stored` is what has the name, as far as is known.
 *
 * @param {UploadItem} item
 * @param {{size: number, modified: string} | null} stored
 * @returns {Promise<UploadAnswer>}
 */
export function answerFor(item, stored) {
  const answer = asked.then(() => (item.state === "asking" ? (item.batch.answer ?? ask(item, stored)) : "skip"));
  asked = answer;
  return answer;
}

/** A key beside one that is taken, which is free so far. @param {string} key @param {readonly UploadItem[]} uploads */
export async function freeKey(key, uploads) {
  const first = numbered(key, 2);
  const start = first.slice(0, first.lastIndexOf("2"));
  const { entries } = await askJson(href("files", folderOf(key), { after: start, limit: 1000 }));
  const near = entries.map((/** @type {Row} */ row) => row.key);
  return freeName(key, [...near, ...uploads.map((item) => item.key)]);
}

/** @param {UploadItem} item @param {{size: number, modified: string} | null} stored @returns {Promise<UploadAnswer>} */
function ask(item, stored) {
  return new Promise((resolve) => {
    /** @type {UploadAnswer} */
    let answer = "skip";
    let isForAll = false;
    const dialog = modal({
      title: say(strings.taken, { name: leafOf(item.key) }),
      className: "upload-clash",
      onClose: () => {
        if (isForAll) item.batch.answer = answer;
        resolve(answer);
      },
      content: (close) => {
        const pick = (/** @type {UploadAnswer} */ value) => () => {
          const box = /** @type {HTMLInputElement | null} */ (dialog.element.querySelector("input[type=checkbox]"));
          [answer, isForAll] = [value, box?.checked ?? false];
          close();
        };
        return html`<section>
          <dl>
            <dt>${strings.there}</dt>
            <dd>${stored ? say(strings.facts, { size: size(stored.size), when: when(stored.modified) }) : nothing}</dd>
            <dt>${strings.yours}</dt>
            <dd>${say(strings.facts, { size: size(item.size), when: when(item.modified) })}</dd>
          </dl>
          ${
            item.batch.count > 1
              ? html`<label class="check"><input type="checkbox" /> ${strings.forAll}</label>`
              : nothing
          }
          <footer>
            <button class="button" type="button" @click=${pick("skip")}>${strings.skip}</button>
            <button class="button" type="button" @click=${pick("replace")}>${strings.replace}</button>
            <button class="button main" type="button" autofocus @click=${pick("keep")}>${strings.keepBoth}</button>
          </footer>
        </section>`;
      },
    });
  });
}
