/** A menu at a button or at the pointer (WAI-ARIA APG, menu pattern): arrows, Home, End, the first letter, Escape. */

import { html, icon, nothing, render } from "./html.js";

const MARGIN = 8; // px to the edges of the window

/** @type {(() => void) | null} */
let closeOpen = null;

/** @param {HTMLElement | {x: number, y: number}} at @param {(MenuItem | null)[]} items @param {{label?: string}} [options] */
export function openMenu(at, items, { label } = {}) {
  closeOpen?.();
  const element = document.createElement("div");
  element.className = "menu";
  element.popover = "auto";
  element.setAttribute("role", "menu");
  if (label) element.setAttribute("aria-label", label);
  const back = document.activeElement;
  const close = () => element.hidePopover();
  render(
    items.map((item) => (item ? itemOf(item, close) : html`<hr role="separator" />`)),
    element,
  );
  element.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    element.remove();
    if (at instanceof HTMLElement) at.setAttribute("aria-expanded", "false");
    if (closeOpen === close) closeOpen = null;
    const isFocusLost = !document.activeElement || document.activeElement === document.body;
    if (isFocusLost && back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true });
  });
  element.addEventListener("keydown", (event) => pressed(element, event));
  hostOf(at).append(element);
  element.showPopover();
  place(element, at);
  closeOpen = close;
  if (at instanceof HTMLElement) at.setAttribute("aria-expanded", "true");
  choices(element)[0]?.focus();
  return { close };
}

/** Where its colours are right, a dialog does not make it inert, and a landmark has it. @param {HTMLElement | {x: number, y: number}} at */
function hostOf(at) {
  const within = at instanceof HTMLElement ? at.closest("dialog, .view, header, main, aside, section") : null;
  return (
    within ?? document.querySelector("dialog[open]:last-of-type") ?? document.querySelector("main") ?? document.body
  );
}

/** @param {MenuItem} item @param {() => void} close */
function itemOf(item, close) {
  const content = html`${item.icon ? icon(item.icon) : html`<span class="icon"></span>`}<span>${item.label}</span>
    ${item.isChecked ? icon("check") : nothing} ${item.keys ? html`<kbd>${item.keys}</kbd>` : nothing}`;
  const className = item.isDangerous ? "danger" : "";
  const checked = item.isChecked === undefined ? nothing : String(item.isChecked);
  const role = checked === nothing ? "menuitem" : "menuitemradio";
  if (item.href && !item.isDisabled) {
    const name = item.download === true ? "" : item.download || nothing;
    return html`<a role="menuitem" tabindex="-1" class=${className} href=${item.href} download=${name} @click=${close}
      >${content}</a
    >`;
  }
  const run = () => {
    close();
    item.run?.();
  };
  return html`<button
    role=${role}
    aria-checked=${checked}
    tabindex="-1"
    class=${className}
    ?disabled=${item.isDisabled}
    @click=${run}
  >
    ${content}
  </button>`;
}

/** @param {HTMLElement} element @param {HTMLElement | {x: number, y: number}} at */
function place(element, at) {
  const box = at instanceof HTMLElement ? at.getBoundingClientRect() : null;
  const [width, height] = [element.offsetWidth, element.offsetHeight];
  const point = at instanceof HTMLElement ? { x: 0, y: 0 } : at;
  let left = box ? box.left : point.x;
  let top = box ? box.bottom + 4 : point.y;
  if (left + width > innerWidth - MARGIN) left = box ? box.right - width : point.x - width;
  if (top + height > innerHeight - MARGIN) top = (box ? box.top - 4 : point.y) - height;
  element.style.left = `${Math.max(MARGIN, left)}px`;
  element.style.top = `${Math.max(MARGIN, top)}px`;
}

/** @param {HTMLElement} element @param {KeyboardEvent} event */
function pressed(element, event) {
  const all = choices(element);
  const now = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = stepOf(event, all, now);
  if (event.key === "Tab") element.hidePopover();
  if (next === null) return;
  event.preventDefault();
  event.stopPropagation();
  all[(next + all.length) % all.length]?.focus();
}

/** @param {KeyboardEvent} event @param {HTMLElement[]} all @param {number} now @returns {number | null} */
function stepOf(event, all, now) {
  const steps = { ArrowDown: now + 1, ArrowUp: now < 0 ? -1 : now - 1, Home: 0, End: all.length - 1 };
  if (event.key in steps) return steps[/** @type {keyof typeof steps} */ (event.key)];
  if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey) return null;
  const order = all.map((_, index) => (now + 1 + index) % all.length);
  return (
    order.find((index) => all[index]?.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase())) ?? null
  );
}

/** @param {HTMLElement} element */
function choices(element) {
  return /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[role^=menuitem]:not([disabled])")]);
}
