/** The keys that the listing knows, for those who ask. */

import strings from "../../strings/browse.js";
import { env } from "../core/env.js";
import { modal } from "../core/dialog.js";
import { html } from "../core/html.js";

export function showShortcuts() {
  const shown = strings.shortcuts.filter((each) => env.mayWrite || !("isWriting" in each));
  modal({
    title: strings.keys,
    className: "browse-shortcuts",
    content: () =>
      html`<div>
        <dl>
          ${shown.map(
            ({ keys, does }) =>
              html`<dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt>
                <dd>${does}</dd>`,
          )}
        </dl>
      </div>`,
  });
}
