/** What is to be known of a film, a record or a picture, as a person says it. */

import strings from "../../strings/details.js";
import { askJson, href } from "../core/api.js";
import { clock, number, say } from "../core/say.js";

const words = strings.media;
/** Sounds and subtitles are listed up to here; a disc may have dozens. */
const MOST_STREAMS = 4;

/** @typedef {[name: string, value: string][]} Facts */
/** @typedef {Record<string, any>} Told `GET /media/{key}`, a part of it: the shapes of ffprobe */

/** @param {Row} row @param {AbortSignal} signal @returns {Promise<Facts>} */
export async function mediaFacts(row, signal) {
  const told = await askJson(href("media", row.key), { signal });
  const format = told.format ?? {};
  const streams = /** @type {Told[]} */ (told.streams ?? []);
  const film = streams.find((each) => each.codec_type === "video" && !each.is_cover);
  return [
    ...tags(format.tags ?? {}),
    ...duration(told, format),
    ...(film ? filmFacts(film, told.kind !== "image") : []),
    ...named(words.audio, streams.filter((each) => each.codec_type === "audio").map(soundOf)),
    ...named(words.subtitles, streams.filter((each) => each.codec_type === "subtitle").map(titleOf)),
    ...bitRate(told, format),
    ...named(words.chapters, told.chapters?.length ? [number(told.chapters.length)] : []),
  ];
}

/** @param {Record<string, string>} told @returns {Facts} */
function tags(told) {
  const lower = Object.fromEntries(Object.entries(told).map(([name, value]) => [name.toLowerCase(), value]));
  const known = /** @type {[keyof typeof words.tags, string][]} */ (Object.entries(words.tags));
  return known.filter(([name]) => lower[name]).map(([name, label]) => [label, String(lower[name])]);
}

/** @param {Told} told @param {Told} format @returns {Facts} */
function duration(told, format) {
  const seconds = Number(format.duration);
  return seconds > 0 && told.kind !== "image" ? [[words.duration, clock(Math.round(seconds))]] : [];
}

/** @param {Told} film @param {boolean} isMoving @returns {Facts} */
function filmFacts(film, isMoving) {
  const { width, height } = film;
  /** @type {Facts} */
  const facts = width && height ? [[words.dimensions, say(words.pixels, { width, height })]] : [];
  if (!isMoving) return facts;
  const rate = Math.round(100 * (film.frame_rate ?? 0)) / 100;
  if (rate > 0) facts.push([words.pictureRate, say(words.rate, { rate })]);
  return [...facts, ...named(words.video, [codecOf(film)])];
}

/** @param {Told} stream */
function codecOf(stream) {
  return [String(stream.codec_name ?? "").toUpperCase(), stream.profile].filter(Boolean).join(" ");
}

/** @param {Told} sound */
function soundOf(sound) {
  const channels = sound.channels ? say.many(words.channels, sound.channels) : "";
  const rate = sound.sample_rate ? say(words.hertz, { rate: Number(sound.sample_rate) / 1000 }) : "";
  return [codecOf(sound), channels, rate, sound.language].filter(Boolean).join(", ");
}

/** @param {Told} stream */
function titleOf(stream) {
  return [stream.title, stream.language, codecOf(stream)].filter(Boolean).join(", ");
}

/** @param {Told} told @param {Told} format @returns {Facts} */
function bitRate(told, format) {
  const bits = Number(format.bit_rate);
  if (!(bits > 0) || told.kind === "image") return [];
  const isLarge = bits >= 1e6;
  const rate = isLarge ? Math.round(bits / 1e5) / 10 : Math.round(bits / 1e3);
  return [[words.bitRate, say(isLarge ? words.megabits : words.kilobits, { rate })]];
}

/** One fact for a list of them, short. @param {string} name @param {string[]} values @returns {Facts} */
function named(name, values) {
  const shown = values.filter(Boolean).slice(0, MOST_STREAMS);
  return shown.length ? [[name, shown.join("\n") + (values.length > MOST_STREAMS ? "\n…" : "")]] : [];
}
