/** What was deleted lately: to be put back, or to be gone for good. */

import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import strings from "../../strings/browse.js";
import { ask, askJson, messageOf, url } from "../core/api.js";
import { confirm, modal } from "../core/dialog.js";
import { html, icon, nothing } from "../core/html.js";
import { notice } from "../core/notice.js";
import { say, size, when, whenExact } from "../core/say.js";
import { parentOf } from "./shelf.js";
import { restore } from "./undo.js";

/** @typedef {{key: string, type: "file" | "folder", size: number | null}} Item */
/** @typedef {{id: string, deleted_at: string, expires_at: string, count: number, items: Item[]}} Removal */
/** @typedef {(deed: () => Promise<unknown>) => Promise<void>} Act does something and shows what has come of it */
/** @typedef {{removals: Removal[] | null, next: string | null, fault: string | null}} State */

export function showDeleted() {
  /** @type {State} */
  const state = { removals: null, next: null, fault: null };
  const load = async (address = url("/trash")) => {
    try {
      const page = await askJson(address);
      const before = address === state.next ? (state.removals ?? []) : [];
      Object.assign(state, { removals: [...before, ...page.removals], next: page.next, fault: null });
    } catch (error) {
      state.fault = messageOf(error);
    }
    dialog.update();
  };
  /** @type {Act} */
  const act = async (deed) => {
    try {
      await deed();
    } catch (error) {
      notice(messageOf(error), { kind: "error" });
    }
    await load();
  };
  const dialog = modal({
    title: strings.deleted,
    className: "browse-deleted",
    content: () => content(state, act, () => load(state.next ?? undefined)),
  });
  load();
}

/** @param {State} state @param {Act} act @param {() => void} loadMore */
function content({ removals, next, fault }, act, loadMore) {
  if (fault) {
    return html`<div class="empty" role="alert">
      ${icon("circle-alert")}
      <p>${fault}</p>
    </div>`;
  }
  if (!removals) {
    return html`<div aria-busy="true"><i class="skeleton"></i><i class="skeleton"></i><i class="skeleton"></i></div>`;
  }
  if (!removals.length) {
    return html`<div class="empty">
      ${icon("trash-2")}
      <h2>${strings.noneDeleted}</h2>
      <p>${strings.noneDeletedHint}</p>
    </div>`;
  }
  const emptyAll = async () => {
    const sure = { title: strings.emptyTitle, body: strings.forGood, yes: strings.emptyYes, isDangerous: true };
    if (await confirm(sure)) await act(() => ask(url("/trash"), { method: "DELETE" }));
  };
  return html`<div>
    <ul>
      ${repeat(
        removals,
        (removal) => removal.id,
        (removal) => line(removal, act),
      )}
    </ul>
    <footer>
      ${next ? html`<button class="button" @click=${loadMore}>${strings.older}</button>` : nothing}
      <button class="button" @click=${emptyAll}>${strings.emptyTrash}</button>
    </footer>
  </div>`;
}

/** @param {Removal} removal @param {Act} act */
function line({ id, items, count, deleted_at: deletedAt }, act) {
  const [first] = items;
  const name = count === 1 ? nameOf(first.key) : say.many(strings.items, count);
  const place = parentOf(first?.key ?? "") || strings.root;
  const bytes = count === items.length ? items.reduce((sum, item) => sum + (item.size ?? 0), 0) : 0;
  const forGood = async () => {
    const title = say(strings.forGoodTitle, { name });
    const isSure = await confirm({ title, body: strings.forGood, yes: strings.deleteForGood, isDangerous: true });
    if (isSure) await act(() => ask(url(`/trash/${id}`), { method: "DELETE" }));
  };
  return html`<li>
    ${icon(first?.type === "folder" ? "folder" : "file")}
    <p>
      <bdi>${name}</bdi>
      <small title=${whenExact(deletedAt)}
        >${place} · ${when(deletedAt)}${bytes ? html` · ${size(bytes)}` : nothing}</small
      >
    </p>
    <button class="button" aria-label=${say(strings.restoreName, { name })} @click=${() => act(() => restore(id))}>
      ${strings.restore}
    </button>
    <button
      class="icon-button"
      aria-label=${say(strings.forGoodName, { name })}
      title=${strings.deleteForGood}
      @click=${forGood}
    >
      ${icon("x")}
    </button>
  </li>`;
}

/** @param {string} key */
function nameOf(key) {
  return key.split("/").findLast(Boolean) ?? key;
}
