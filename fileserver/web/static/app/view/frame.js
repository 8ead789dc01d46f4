/** The frame around a file: who it is, the ways on and back, and what can be done with any file. */

import strings from "../../strings/view.js";
import { href } from "../core/api.js";
import { on } from "../core/bus.js";
import { html, icon, render } from "../core/html.js";
import { openMenu } from "../core/menu.js";
import { number, say } from "../core/say.js";

/** Kinds that are looked at in the dark, as in a cinema. */
const DARK = ["picture", "video"];
/** What stays usable beside a file. */
const BESIDE = ".details, .notices, .unseen, [popover], dialog, script, template";

/**
 * @param {{leave: () => void, go: (step: 1 | -1) => void, row: () => Row | null, others: () => Row[]}} viewer
 */
export function frame({ leave, go, row, others }) {
  const element = document.createElement("div");
  element.className = "view";
  element.tabIndex = -1;
  element.setAttribute("role", "dialog");
  let hasDetails = document.documentElement.classList.contains("has-details");
  const update = () => render(content({ row: row(), others: others(), hasDetails, leave, go, toggleDetails }), element);
  const stop = on("details", (isOpen) => {
    hasDetails = isOpen;
    update();
  });
  const toggleDetails = async () => {
    const { openDetails } = await import("../details/details.js");
    const now = row();
    if (now) openDetails(now);
  };
  const back = document.activeElement;
  const behind = [...document.body.children].filter((each) => !each.matches(BESIDE) && !each.hasAttribute("inert"));
  update();
  document.body.append(element);
  for (const each of behind) each.setAttribute("inert", "");
  document.documentElement.classList.add("has-view");
  element.focus({ preventScroll: true });

  return {
    element,
    stage: /** @type {HTMLElement} */ (element.querySelector(".view-stage")),
    update() {
      element.setAttribute("aria-label", row()?.name ?? "");
      update();
    },
    toggleDetails,
    /** Room for another file: what was there is gone. @param {string} kind */
    place(kind) {
      element.dataset.kind = kind;
      element.classList.toggle("view-dark", DARK.includes(kind));
      return { body: renewed(element, "view-body"), actions: renewed(element, "view-actions") };
    },
    close() {
      stop();
      element.remove();
      for (const each of behind) each.removeAttribute("inert");
      document.documentElement.classList.remove("has-view");
      if (back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true });
    },
  };
}

/** An empty element instead of the one of this class, in which a module may have rendered. @param {HTMLElement} element @param {string} className */
function renewed(element, className) {
  const made = document.createElement("div");
  made.className = className;
  element.querySelector(`.${className}`)?.replaceWith(made);
  return made;
}

/**
 * @param {{row: Row | null, others: Row[], hasDetails: boolean, leave: () => void, go: (step: 1 | -1) => void, toggleDetails: () => void}} shown
 */
function content({ row, others, hasDetails, leave, go, toggleDetails }) {
  const index = row ? others.findIndex((each) => each.key === row.key) : -1;
  const position = index < 0 ? "" : say(strings.position, { index: number(index + 1), count: number(others.length) });
  const menu = async (/** @type {Event} */ event) => {
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    const { actionsFor } = await import("../browse/browse.js");
    if (row) openMenu(button, actionsFor([row], "viewer"), { label: strings.more });
  };
  return html`<header class="view-head">
      <button class="icon-button" aria-label=${strings.back} title=${strings.back} @click=${leave}>
        ${icon("arrow-left")}
      </button>
      <div class="view-title">
        <h1 title=${row?.name ?? ""}><bdi>${row?.name ?? ""}</bdi></h1>
        <p>${position}</p>
      </div>
    </header>
    <div class="view-tools" role="group" aria-label=${strings.tools}>
      <div class="view-actions"></div>
      <a
        class="icon-button"
        href=${row ? href("files", row.key, { download: "" }) : ""}
        download
        aria-label=${strings.download}
        title=${strings.download}
        >${icon("download")}</a
      >
      <button
        class="icon-button"
        aria-label=${strings.details}
        title=${strings.details}
        aria-pressed=${hasDetails}
        @click=${toggleDetails}
      >
        ${icon("info")}
      </button>
      <button class="icon-button" aria-label=${strings.more} title=${strings.more} aria-haspopup="menu" @click=${menu}>
        ${icon("ellipsis-vertical")}
      </button>
    </div>
    <div class="view-stage"><div class="view-body"></div></div>
    <button
      class="icon-button view-step view-previous"
      aria-label=${strings.previous}
      title=${strings.previous}
      ?disabled=${index <= 0}
      @click=${() => go(-1)}
    >
      ${icon("chevron-left")}
    </button>
    <button
      class="icon-button view-step view-next"
      aria-label=${strings.next}
      title=${strings.next}
      ?disabled=${index < 0 || index >= others.length - 1}
      @click=${() => go(1)}
    >
      ${icon("chevron-right")}
    </button>`;
}
