/** What a file is and how it plays, as the server tells it; and what can be said without it. */

import { Problem, askJson, href } from "../core/api.js";

/** @typedef {import("./types").Description} Description @typedef {import("./types").Track} Track */

/**
 * The description of a stored file. Where the server cannot look into it, the file itself is left to try.
 *
 * @param {Row} row @param {AbortSignal} [signal]
 * @returns {Promise<Description>} rejects with Offline, and Problem where the file is gone
 */
export async function described(row, signal) {
  try {
    return await askJson(href("media", row.key), { signal });
  } catch (error) {
    if (!(error instanceof Problem) || error.status === 404 || error.status === 410) throw error;
    return undescribed(row, error);
  }
}

/** @param {Row} row @param {Problem} problem @returns {Description} */
function undescribed(row, { type: problem, message: reason }) {
  const type = row.media_type;
  return {
    ...{ key: row.key, kind: type?.startsWith("audio/") ? "audio" : "video", format: null, streams: [], chapters: [] },
    ...{ cover: null, poster: null, storyboard: null, waveform: null, subtitles: [], missing: null },
    isDamaged: problem.endsWith(":damaged-media"),
    playback: [{ method: "direct", href: row.href, type, reasons: [reason] }],
  };
}

/** The tracks of sound that can be chosen, as HLS has them: those that the server decodes. @param {Description} description */
export function soundsOf(description) {
  return description.streams.filter((track) => track.codec_type === "audio" && track.channels);
}

/** Which sound a browser begins with. @param {Track[]} sounds */
export function defaultSound(sounds) {
  return Math.max(
    0,
    sounds.findIndex((sound) => sound.disposition.default),
  );
}
