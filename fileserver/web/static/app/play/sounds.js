/** Tracks of sound: their names, and which to begin with. */

import strings from "../../strings/play.js";
import { say } from "../core/say.js";
import { defaultSound } from "./describe.js";
import { inLanguage, isAlike, languageName, tagOf } from "./languages.js";
import { recall } from "./remembered.js";

/** @typedef {import("./types").Track} Track */

/** What people choose by: `German, 5.1 (Commentary)`. @param {Track} track @param {number} index */
export function soundName(track, index) {
  const name = languageName(track.language);
  const title = track.title && ![name, track.language, tagOf(track.language)].includes(track.title) ? track.title : "";
  const main = name || title || say(strings.track, { number: index + 1 });
  const rest = title && main !== title ? ` (${title})` : "";
  return `${main}, ${channelsName(track.channels ?? 0)}${rest}`;
}

/**
 * The track to ask for, null where the browser's own choice is as good: the one it would take is in the language that
 * was chosen last, or none is.
 *
 * @param {Track[]} sounds
 */
export function wantedSound(sounds) {
  const language = recall("sound");
  const begun = sounds[defaultSound(sounds)];
  if (!language || !begun || isAlike(begun.language, language)) return null;
  const wanted = inLanguage(sounds, language);
  return wanted ? sounds.indexOf(wanted) : null;
}

/** @param {number} channels */
function channelsName(channels) {
  const names = { 2: strings.stereo, 6: strings.surround, 8: strings.surroundLarge };
  return names[/** @type {keyof typeof names} */ (channels)] ?? say.many(strings.channels, channels);
}
