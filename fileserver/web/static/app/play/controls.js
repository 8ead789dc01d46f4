/** What browsers' own controls lack: chapters, subtitles, tracks of sound, speed, and a full screen that lasts. */

import strings from "../../strings/play.js";
import { absolute, href } from "../core/api.js";
import { copyText } from "../core/clipboard.js";
import { html, icon, nothing, render } from "../core/html.js";
import { openMenu } from "../core/menu.js";
import { notice } from "../core/notice.js";
import { hrefOf, route } from "../core/router.js";
import { clock, say } from "../core/say.js";
import { chapterAt } from "./chapters.js";
import { SPEEDS } from "./keys.js";
import { recall, remember } from "./remembered.js";
import { soundName } from "./sounds.js";
import { nameOf } from "./subtitles.js";

/** @typedef {import("./types").Chapter} Chapter @typedef {import("./types").Track} Track */

/**
 * @typedef {object} Controlled a player as its controls see it
 * @property {Row} row
 * @property {HTMLMediaElement} element
 * @property {Chapter[]} chapters
 * @property {import("./subtitles.js").Subtitles | null} subtitles
 * @property {Track[]} sounds
 * @property {number} sound index of the one that is heard
 * @property {(index: number) => void} chooseSound
 * @property {(index: number) => void} chooseWords
 * @property {(speed: number) => void} chooseSpeed
 * @property {(() => void) | null} fullScreen
 * @property {(seconds: number) => void} seek
 */

/** @param {HTMLElement} place @param {Controlled} player */
export function renderControls(place, player) {
  const { element, chapters, subtitles, sounds, fullScreen } = player;
  const speed = speedName(element.playbackRate);
  const isFilm = element instanceof HTMLVideoElement;
  const content = html`
    ${chapters.length > 1 ? menuButton("list-ordered", strings.chapters, () => chapterItems(player), currentName(player)) : nothing}
    ${subtitles?.words.length ? menuButton("captions", strings.subtitles, () => wordItems(player)) : nothing}
    ${sounds.length > 1 ? menuButton("audio-lines", strings.sound, () => soundItems(player)) : nothing}
    ${menuButton("gauge", say(strings.speedNow, { speed }), () => speedItems(player), element.playbackRate === 1 ? "" : speed)}
    ${isFilm && document.pictureInPictureEnabled ? button("picture-in-picture-2", strings.pip, () => void floated(element)) : nothing}
    ${fullScreen ? button("maximize", strings.fullScreen, fullScreen) : nothing}
    ${menuButton("settings-2", strings.more, () => moreItems(player))}
  `;
  render(content, place);
}

/** Whether the next file of a kind begins by itself. @param {"video" | "audio"} kind @returns {boolean} */
export function isAutoplay(kind) {
  return recall(`autoplay.${kind}`) ?? true;
}

/** @param {string} sign @param {string} label @param {() => (MenuItem | null)[]} items @param {string} [words] */
function menuButton(sign, label, items, words = "") {
  const open = (/** @type {Event} */ event) =>
    void openMenu(/** @type {HTMLElement} */ (event.currentTarget), items(), { label });
  return html`<button
    class=${`${words ? "button quiet" : "icon-button"} play-tool play-tool-${sign}`}
    aria-haspopup="menu"
    aria-label=${label}
    title=${label}
    @click=${open}
  >
    ${icon(sign)}${words ? html`<span>${words}</span>` : nothing}
  </button>`;
}

/** @param {string} sign @param {string} label @param {() => void} run */
function button(sign, label, run) {
  return html`<button class="icon-button play-tool" aria-label=${label} title=${label} @click=${run}>
    ${icon(sign)}
  </button>`;
}

/** @param {Controlled} player */
function currentName({ chapters, element }) {
  return chapters[chapterAt(chapters, element.currentTime)]?.title ?? "";
}

/** @param {Controlled} player @returns {MenuItem[]} */
function chapterItems({ chapters, element, seek }) {
  const now = chapterAt(chapters, element.currentTime);
  return chapters.map(({ start, title }, index) => ({
    ...{ label: title, keys: clock(start), isChecked: index === now },
    run: () => seek(start),
  }));
}

/** @param {Controlled} player @returns {MenuItem[]} */
function wordItems({ subtitles, chooseWords }) {
  const words = subtitles?.words ?? [];
  const label = (/** @type {import("./types").Words} */ each) =>
    each.is_forced ? say(strings.forced, { name: nameOf(each) }) : nameOf(each);
  const item = (/** @type {string} */ name, /** @type {number} */ index) => ({
    ...{ label: name, isChecked: subtitles?.chosen === index },
    run: () => chooseWords(index),
  });
  return [item(strings.off, -1), ...words.map((each, index) => item(label(each), index))];
}

/** @param {Controlled} player @returns {MenuItem[]} */
function soundItems({ sounds, sound, chooseSound }) {
  return sounds.map((track, index) => ({
    ...{ label: soundName(track, index), isChecked: index === sound },
    run: () => chooseSound(index),
  }));
}

/** @param {Controlled} player @returns {MenuItem[]} */
function speedItems({ element, chooseSpeed }) {
  return SPEEDS.map((speed) => ({
    ...{ label: speed === 1 ? strings.normal : speedName(speed), isChecked: speed === element.playbackRate },
    run: () => chooseSpeed(speed),
  }));
}

/** @param {number} speed */
export function speedName(speed) {
  return `${speed}×`;
}

/** @param {Controlled} player @returns {(MenuItem | null)[]} */
function moreItems({ row, element }) {
  const kind = element instanceof HTMLVideoElement ? "video" : "audio";
  const isOn = isAutoplay(kind);
  const moment = Math.floor(element.currentTime);
  return [
    { label: strings.autoplay, isChecked: isOn, run: () => remember(`autoplay.${kind}`, !isOn) },
    null,
    { label: say(strings.copyMoment, { time: clock(moment) }), icon: "link", run: () => void copyMoment(moment) },
    { label: strings.openElsewhere, icon: "external-link", href: playListOf(row) },
  ];
}

/** A play list of the file alone: what is registered for such lists opens it. @param {Row} row */
export function playListOf(row) {
  return href("media", row.key, undefined, "play.m3u");
}

/** @param {number} seconds */
function copyMoment(seconds) {
  const { folder, view, search } = route();
  return copy(hrefOf({ folder, view, search, params: new URLSearchParams({ t: String(seconds) }) }));
}

/** Copy an address as others can use it. @param {string} address */
export async function copy(address) {
  if (await copyText(absolute(address))) notice(strings.copied);
  else notice(strings.copyFailed, { kind: "error" });
}

/** @param {HTMLVideoElement} element */
async function floated(element) {
  try {
    if (document.pictureInPictureElement === element) await document.exitPictureInPicture();
    else await element.requestPictureInPicture();
  } catch {
    // not before there is a picture
  }
}
