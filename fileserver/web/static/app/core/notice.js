/** Short messages at the edge of the page: they leave by themselves unless they are errors or ask for something. */

import strings from "../../strings/core.js";
import { html, icon, nothing, render } from "./html.js";

const SHOWN_MS = 8000; // long enough to read it and to reach for Undo

/** @type {HTMLElement | null} */
let region = null;
/** @type {HTMLElement | null} */
let spoken = null;

/**
 * Show a message. Errors stay until they are dismissed.
 *
 * @param {string} text
 * @param {{action?: {label: string, run: () => void}, isLasting?: boolean, kind?: "info" | "error"}} [options]
 */
export function notice(text, { action, kind = "info", isLasting = kind === "error" } = {}) {
  const element = document.createElement("div");
  element.className = `notice ${kind}`;
  element.setAttribute("role", kind === "error" ? "alert" : "status");
  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    element.remove();
    if (region && !region.childElementCount && region.matches(":popover-open")) region.hidePopover();
  };
  const wait = () => {
    clearTimeout(timer);
    if (!isLasting) timer = setTimeout(close, SHOWN_MS);
  };
  const run = () => {
    close();
    action?.run();
  };
  render(
    html`${kind === "error" ? icon("circle-alert") : nothing}
      <p>${text}</p>
      ${action ? html`<button class="button quiet" @click=${run}>${action.label}</button>` : nothing}
      <button class="icon-button" aria-label=${strings.dismiss} @click=${close}>${icon("x")}</button>`,
    element,
  );
  for (const type of ["pointerenter", "focusin"]) element.addEventListener(type, () => clearTimeout(timer));
  for (const type of ["pointerleave", "focusout"]) element.addEventListener(type, wait);
  shown().append(element);
  wait();
  return { close };
}

/** Have a screen reader say something that others see. @param {string} text */
export function announce(text) {
  if (!spoken) {
    spoken = document.createElement("div");
    spoken.className = "unseen";
    spoken.setAttribute("aria-live", "polite");
    document.body.append(spoken);
  }
  spoken.textContent = "";
  setTimeout(() => {
    if (spoken) spoken.textContent = text;
  }, 50); // the same words twice are said twice
}

/** The place for messages, above any dialog that is open: in the top layer, and the last of it. */
function shown() {
  if (!region) {
    region = document.createElement("div");
    region.className = "notices";
    region.popover = "manual";
  }
  const host = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body; // all else is inert then
  if (region.parentElement !== host) host.append(region);
  if (region.matches(":popover-open")) region.hidePopover();
  region.showPopover();
  return region;
}
