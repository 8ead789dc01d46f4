/** Questions and forms in native dialogs: focus stays within, Escape closes, and focus goes back where it was. */

import strings from "../../strings/core.js";
import { html, icon, nothing, render } from "./html.js";

/**
 * A dialog with content of one's own. `onClose` is called once, however it is closed.
 *
 * @param {{title: string, content: (close: () => void) => unknown, className?: string, onClose?: () => void}} options
 */
export function modal({ title, content, className = "", onClose }) {
  const element = document.createElement("dialog");
  element.className = `modal ${className}`;
  element.setAttribute("aria-label", title);
  const back = document.activeElement;
  const close = () => element.close();
  const update = () =>
    render(
      html`<div class="modal-head">
          <h2>${title}</h2>
          <button class="icon-button" aria-label=${strings.close} @click=${close}>${icon("x")}</button>
        </div>
        ${content(close)}`,
      element,
    );
  element.addEventListener("close", () => {
    element.remove();
    if (back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true });
    onClose?.();
  });
  element.addEventListener("pointerdown", (event) => {
    if (event.target === element && isOutside(element, event)) close();
  });
  update();
  document.body.append(element);
  element.showModal();
  const first = element.querySelector("[autofocus]") ?? element.querySelector("form input, form button");
  if (first instanceof HTMLElement) first.focus();
  return { element, update, close };
}

/**
 * Ask for yes or no.
 *
 * @param {{title: string, body?: string, yes: string, isDangerous?: boolean}} options
 * @returns {Promise<boolean>}
 */
export async function confirm({ title, body, yes, isDangerous = false }) {
  const answer = await choose({ title, body, choices: [{ value: "yes", label: yes, isMain: true, isDangerous }] });
  return answer !== null;
}

/**
 * Ask for a line of text; null when the person changed their mind. `selectTo` is where the selection ends, `check` says
 * what is wrong with a value.
 *
 * @param {{title: string, label: string, value?: string, selectTo?: number, yes: string, check?: (value: string) => string | null}} options
 * @returns {Promise<string | null>}
 */
export function prompt({ title, label, value = "", selectTo = value.length, yes, check = () => null }) {
  return new Promise((resolve) => {
    let answer = /** @type {string | null} */ (null);
    let fault = /** @type {string | null} */ (null);
    const submit = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      fault = check(input().value);
      if (fault) dialog.update();
      else {
        answer = input().value;
        dialog.close();
      }
    };
    const typed = () => {
      if (!fault) return;
      fault = check(input().value);
      dialog.update();
    };
    const dialog = modal({
      title,
      onClose: () => resolve(answer),
      content: (close) =>
        html`<form @submit=${submit} novalidate>
          <label class="field">
            <span>${label}</span>
            <input
              .defaultValue=${value}
              autocomplete="off"
              spellcheck="false"
              @input=${typed}
              aria-invalid=${fault ? "true" : "false"}
              aria-describedby="prompt-fault"
            />
          </label>
          <p class="fault" id="prompt-fault" role="alert">${fault ?? nothing}</p>
          <footer>
            <button class="button" type="button" @click=${close}>${strings.cancel}</button>
            <button class="button main">${yes}</button>
          </footer>
        </form>`,
    });
    const input = () => /** @type {HTMLInputElement} */ (dialog.element.querySelector("input"));
    input().focus();
    input().setSelectionRange(0, selectTo);
  });
}

/**
 * Ask which way to go; null when the person changed their mind. `again` labels a box that says "for all the others too".
 *
 * @template {string} Value
 * @param {{title: string, body?: string, again?: string, choices: {value: Value, label: string, isMain?: boolean, isDangerous?: boolean}[]}} options
 * @returns {Promise<{value: Value, isAgain: boolean} | null>}
 */
export function choose({ title, body, choices, again }) {
  return new Promise((resolve) => {
    /** @type {{value: Value, isAgain: boolean} | null} */
    let answer = null;
    const dialog = modal({
      title,
      onClose: () => resolve(answer),
      content: (close) => {
        const pick = (/** @type {Value} */ value) => {
          const box = /** @type {HTMLInputElement | null} */ (dialog.element.querySelector("input[type=checkbox]"));
          answer = { value, isAgain: box?.checked ?? false };
          close();
        };
        return html`<form method="dialog" @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
          ${body ? html`<p>${body}</p>` : nothing}
          ${again ? html`<label class="check"><input type="checkbox" /> ${again}</label>` : nothing}
          <footer>
            <button class="button" type="button" @click=${close}>${strings.cancel}</button>
            ${choices.map(
              ({ value, label, isMain, isDangerous }) =>
                html`<button
                  class=${`button ${isDangerous ? "danger" : isMain ? "main" : ""}`}
                  type="button"
                  ?autofocus=${isMain}
                  @click=${() => pick(value)}
                >
                  ${label}
                </button>`,
            )}
          </footer>
        </form>`;
      },
    });
  });
}

/** @param {HTMLElement} element @param {PointerEvent} event */
function isOutside(element, event) {
  const box = element.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
