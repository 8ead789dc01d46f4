/**
 * What is to be known of a file: a pane at the side of the listing or the viewer, a sheet from below in a hand. It goes
 * along when another file is chosen.
 */

import strings from "../../strings/details.js";
import { emit, on } from "../core/bus.js";
import { modal } from "../core/dialog.js";
import { html, icon, render } from "../core/html.js";
import { iconOf } from "../core/kinds.js";
import { listen } from "../core/live.js";
import { announce } from "../core/notice.js";
import "../core/rooms.js";
import { onRoute } from "../core/router.js";
import { say } from "../core/say.js";
import { isPhone, onPhoneChange } from "../core/viewport.js";
import { openComments } from "./comments.js";
import { openFacts } from "./facts.js";

/** @typedef {{row: Row, place: HTMLElement, close: () => void}} Host where details are shown, and how that ends */

/** @type {Host | null} */
let host = null;
/** @type {(() => void)[]} what ends with the file that is shown */
let undo = [];
/** Shows other facts of the same file: what somebody writes below them stays. @type {(row: Row) => void} */
let renew = () => {};

/** Show the details of a file; close them where they are its already. @param {Row} row */
export function openDetails(row) {
  if (host?.row.key === row.key) return host.close();
  host?.close();
  host = isPhone() ? sheet(row) : pane(row);
  begin(row);
  emit("details", true);
  return announce(say(strings.of, { name: row.name }));
}

on("viewing", (/** @type {Row} */ row) => follow(row));
on("selection", async () => {
  if (!host || document.querySelector(".view")) return;
  const { selection } = await import("../browse/browse.js");
  const [row, ...others] = selection();
  if (row && !others.length) follow(row);
});
onPhoneChange(() => host?.close());
onRoute((now, before) => {
  if (now.folder !== before.folder) host?.close();
});

/** @param {Row} row */
function follow(row) {
  if (!host || (host.row.key === row.key && host.row.etag === row.etag)) return;
  const isSame = host.row.key === row.key;
  host.row = row;
  if (isSame) renew(row);
  else begin(row);
}

/** Fill the place anew. @param {Row} row */
function begin(row) {
  end();
  const { place } = /** @type {Host} */ (host);
  const head = document.createElement("header");
  const facts = document.createElement("div");
  const comments = document.createElement("section");
  render(
    headOf(row, () => host?.close()),
    head,
  );
  place.setAttribute("aria-label", say(strings.of, { name: row.name }));
  place.replaceChildren(head, facts);
  place.scrollTop = 0;
  let closeFacts = openFacts(facts, row);
  undo.push(() => closeFacts());
  renew = (now) => {
    closeFacts();
    closeFacts = openFacts(facts, now);
  };
  if (row.type === "file") {
    place.append(comments);
    undo.push(openComments(comments, row));
  }
  undo.push(listen(row.key, (change) => changed(row, change)));
}

function end() {
  for (const each of undo) each();
  undo = [];
}

/** @param {Row} row @param {{kind: string, key?: string, from?: string, size?: number, etag?: string, sha256?: string | null, time?: string}} change */
function changed(row, { kind, key, from, ...facts }) {
  if (!host || (key !== row.key && from !== row.key)) return;
  if (kind === "deleted" || kind === "moved") host.close();
  if (kind !== "replaced") return;
  const { size = row.size, etag = row.etag, sha256 = null, time = row.modified } = facts;
  follow({ ...row, size, etag, sha256, modified: time });
}

/** @param {Row} row @returns {Host} */
function pane(row) {
  const place = document.createElement("aside");
  place.className = "details";
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    host?.close();
  });
  document.body.append(place);
  document.documentElement.classList.add("has-details");
  const back = document.activeElement;
  const close = () => {
    const hadFocus = place.contains(document.activeElement);
    place.remove();
    document.documentElement.classList.remove("has-details");
    if (hadFocus && back instanceof HTMLElement) back.focus({ preventScroll: true });
    ended();
  };
  return { row, place, close };
}

/** @param {Row} row @returns {Host} */
function sheet(row) {
  const place = document.createElement("div");
  place.className = "details-sheet";
  place.tabIndex = -1;
  place.setAttribute("role", "group");
  const dialog = modal({ title: strings.title, className: "details-modal", content: () => place, onClose: ended });
  place.focus(); // nobody wants the keyboard at once
  return { row, place, close: dialog.close };
}

function ended() {
  end();
  host = null;
  emit("details", false);
}

/** @param {Row} row @param {() => void} close */
function headOf(row, close) {
  return html`${icon(iconOf(row))}
    <h2><bdi>${row.name}</bdi></h2>
    <button class="icon-button details-close" aria-label=${strings.close} title=${strings.close} @click=${close}>
      ${icon("x")}
    </button>`;
}
