/** A record in the viewer: its cover, its name, who made it, and the shape of its sound to seek on. */

import strings from "../../strings/play.js";
import { html, icon, nothing, render } from "../core/html.js";
import { creditsOf } from "./credits.js";
import { steps, tick, times, volume } from "./transport.js";
import { waveform } from "./waveform.js";

/** @typedef {import("./types").Description} Description */

/**
 * Show a record in `stage`, and what plays it in `strip`, until `signal` is aborted.
 *
 * @param {{stage: HTMLElement, strip: HTMLElement}} places
 * @param {HTMLMediaElement} element
 * @param {{row: Row, description: Description, step: (step: 1 | -1) => void, signal: AbortSignal}} options
 */
export function showRecord({ stage, strip }, element, { row, description, step, signal }) {
  const { title, artist, album } = creditsOf(row, description);
  const line = [artist, album].filter(Boolean).join(" · ");
  const cover = html`<div class="play-cover">${pictureOf(description.cover)}</div>
    <h2><bdi>${title}</bdi></h2>
    ${line ? html`<p><bdi>${line}</bdi></p>` : nothing}`;
  render(cover, stage);
  const duration = description.format?.duration ?? null;
  const wave = waveform(element, { label: strings.waveform, href: description.waveform, duration, signal });
  const update = () =>
    render(
      html`${times(element, wave, duration)}
        <div class="play-transport">${steps(element, step)}</div>
        <div class="play-loudness">${volume(element)}</div>`,
      strip,
    );
  for (const name of ["play", "pause", "volumechange", "durationchange"]) {
    element.addEventListener(name, update, { signal });
  }
  element.addEventListener("timeupdate", () => tick(strip, element), { signal });
  update();
}

/** The cover, or a note on a ground where there is none. @param {string | null} cover */
export function pictureOf(cover) {
  return cover ? html`<img src=${cover} alt="" />` : icon("music");
}
