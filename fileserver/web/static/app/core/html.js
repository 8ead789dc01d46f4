/** Markup from templates: whatever stands in a value becomes text. */

import { html, svg, render, nothing } from "../../vendor/lit-html/lit-html.js";

export { html, svg, render, nothing };
export { live } from "../../vendor/lit-html/directives/live.js";

/** One of the page's drawings, with words for those who cannot see it where it stands alone. @param {string} name @param {string} [label] */
export function icon(name, label) {
  const reference = `#icon-${name}`;
  if (!label) return html`<svg class="icon" aria-hidden="true"><use href=${reference}></use></svg>`;
  return html`<svg class="icon" role="img" aria-label=${label}><use href=${reference}></use></svg>`;
}

/** The same as an element, for rows that are made by hand. @param {string} name @returns {SVGSVGElement} */
export function iconElement(name) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  element.setAttribute("class", "icon");
  element.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  element.append(use);
  return element;
}
