/** HLS by Media Source Extensions: hls.js, fetched when the first film needs it. */

/** @typedef {import("../../vendor/hls.js/hls.min.mjs").default} Hls */

/**
 * @typedef {object} Wishes
 * @property {number} start seconds to begin at
 * @property {number | null} sound which track to play, null for the one that the list names
 * @property {() => void} onEnd called once, when it can go on no more
 */

const AHEAD_S = 60;
const BEHIND_S = 60;

/** A server that is busy is asked again for a while; one that is away is left to who waits for it. */
const LOADING = {
  default: {
    maxTimeToFirstByteMs: 60_000, // film is converted while one waits
    maxLoadTimeMs: 120_000,
    timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 10, retryDelayMs: 500, maxRetryDelayMs: 4000, shouldRetry },
  },
};

/**
 * Plays a playlist in an element.
 *
 * @param {HTMLMediaElement} element @param {string} href @param {Wishes} wishes
 * @returns {Promise<Hls>}
 */
export async function streamInto(element, href, { start, sound, onEnd }) {
  const { default: Hls } = await import("../../vendor/hls.js/hls.min.mjs");
  const hls = new Hls({
    startPosition: start > 0 ? start : -1,
    maxBufferLength: AHEAD_S,
    backBufferLength: BEHIND_S,
    enableWorker: false, // segments are fragmented MP4 already: there is nothing to repack
    fragLoadPolicy: LOADING,
    // Words come as tracks of the element, the same for all ways.
    subtitleTrackController: undefined,
    subtitleStreamController: undefined,
    timelineController: undefined,
  });
  hls.on(Hls.Events.ERROR, (_, told) => void (told.fatal && onEnd())); // what can be mended it mends itself
  hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, () => {
    if (sound !== null && sound < hls.audioTracks.length) hls.audioTrack = sound;
  });
  hls.loadSource(href);
  hls.attachMedia(element);
  return hls;
}

/** @param {unknown} _config @param {number} count @param {boolean} _isTimeout @param {{code?: number} | undefined} response */
function shouldRetry(_config, count, _isTimeout, response) {
  return count < (response?.code === 503 || response?.code === 429 ? 10 : 2);
}
