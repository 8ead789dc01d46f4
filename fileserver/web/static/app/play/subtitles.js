/** Words over the pictures: tracks of the element, one of which is shown; the language that was chosen lasts. */

import { inLanguage, languageName, tagOf } from "./languages.js";
import { recall, remember } from "./remembered.js";

/** @typedef {import("./types").Words} Words */

const OFF = "off";

export class Subtitles {
  /** @type {HTMLTrackElement[]} */
  #tracks;
  #chosen = -1;

  /**
   * @param {HTMLVideoElement} element
   * @param {Words[]} words
   * @param {{spoken: string | null, signal: AbortSignal, onChange: () => void, onError: () => void}} options `spoken` is the language of the sound
   */
  constructor(element, words, { spoken, signal, onChange, onError }) {
    this.words = words;
    this.#tracks = words.map(trackOf);
    for (const track of this.#tracks) track.addEventListener("error", onError, { signal });
    element.append(...this.#tracks);
    this.#show(firstChoice(words, recall("words"), spoken));
    const changed = () => {
      const shown = this.#tracks.flatMap(({ track }, index) => (track.mode === "showing" ? [index] : []));
      if (shown.includes(this.#chosen)) return this.#show(this.#chosen); // Chromium adds one of its own choice to ours
      const index = shown[0] ?? -1;
      if (index === this.#chosen) return;
      this.#chosen = index; // by the browser's own menu
      this.#remember();
      onChange();
    };
    element.textTracks.addEventListener("change", changed, { signal });
    signal.addEventListener("abort", () => this.#tracks.forEach((track) => track.remove()), { once: true });
  }

  /** The index of what is shown, -1 where nothing is. */
  get chosen() {
    return this.#chosen;
  }

  /** Show one of them, or with -1 none, here and in what is opened next. @param {number} index */
  choose(index) {
    this.#show(index);
    this.#remember();
  }

  /** Show or hide them. */
  toggle() {
    if (!this.words.length) return;
    const last = inLanguage(this.words, recall("words.last"));
    this.choose(this.#chosen >= 0 ? -1 : Math.max(0, last ? this.words.indexOf(last) : 0));
  }

  /** @param {number} index */
  #show(index) {
    this.#chosen = index;
    this.#tracks.forEach(({ track }, each) => {
      const mode = each === index ? "showing" : "disabled";
      if (track.mode !== mode) track.mode = mode;
    });
  }

  #remember() {
    const language = this.words[this.#chosen]?.language ?? null;
    if (this.#chosen < 0) remember("words", OFF);
    else if (language) [remember("words", language), remember("words.last", language)];
  }
}

/**
 * What to show unasked: the language that was chosen last; else what a film has for those who know the language of its
 * sound, signs and songs of others; else nothing.
 *
 * @param {Words[]} words @param {string | null} wanted @param {string | null} spoken
 */
export function firstChoice(words, wanted, spoken) {
  const full = words.filter((each) => !each.is_forced);
  const forced = words.filter((each) => each.is_forced);
  const chosen = (wanted && wanted !== OFF && inLanguage(full, wanted)) || inLanguage(forced, spoken);
  return chosen ? words.indexOf(chosen) : -1;
}

/** What people choose by: `English`, `English (Commentary)`, `film.en.srt` where no language is told. @param {Words} words */
export function nameOf({ language, label }) {
  const name = languageName(language);
  if (!name) return label;
  return [name, language, tagOf(language)].includes(label) ? name : `${name} (${label})`;
}

/** @param {Words} words */
function trackOf(words) {
  const track = document.createElement("track");
  track.kind = "subtitles";
  track.label = nameOf(words);
  track.srclang = tagOf(words.language) ?? "und";
  track.src = words.href;
  return track;
}
