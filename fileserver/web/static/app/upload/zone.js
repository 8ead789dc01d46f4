/** What is seen while files are dragged over the window: where they would go. */

import strings from "../../strings/upload.js";
import { html, icon, render } from "../core/html.js";
import { leafOf } from "./names.js";
import { say } from "../core/say.js";

const element = document.createElement("div");
element.className = "upload-zone";
/** @type {Element | null} */
let marked = null;

/** @param {string} folder @param {Element | null} row what stands for the folder, if it is seen */
export function show(folder, row) {
  if (marked !== row) marked?.classList.remove("upload-target");
  row?.classList.add("upload-target");
  marked = row;
  const words = folder ? say(strings.dropInto, { folder: leafOf(folder) }) : strings.dropHere;
  render(html`<p>${icon("upload")} ${words}</p>`, element);
  element.classList.toggle("is-on-row", row !== null);
  if (!element.isConnected) document.body.append(element);
  import("./upload.js"); // it is there when the files are let go
}

export function hide() {
  marked?.classList.remove("upload-target");
  marked = null;
  element.remove();
}
