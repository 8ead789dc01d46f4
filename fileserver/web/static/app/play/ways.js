/** Which of the ways to play a file this browser can take, by what it says of their types. */

/** @typedef {import("./types").Way} Way @typedef {import("./types").Abilities} Abilities */

const HLS = "application/vnd.apple.mpegurl";

/** Whether an address is that of a playlist of HLS. @param {string} href */
export function isPlaylist(href) {
  return (href.split(/[?#]/, 1)[0] ?? "").endsWith(".m3u8");
}

/**
 * The ways to try, in their order. Types decide and not errors: browsers play a film whose sound they lack silently.
 *
 * @param {Way[]} ways
 * @param {Abilities} abilities
 * @returns {Way[]}
 */
export function playable(ways, abilities) {
  return ways.filter(({ href, type }) => {
    if (type === null) return false;
    if (!isPlaylist(href)) return abilities.whole(type);
    return abilities.segments ? abilities.segments(type) : abilities.whole(HLS) && abilities.whole(type);
  });
}

/** What this browser says. @param {HTMLMediaElement} element @returns {Abilities} */
export function abilitiesOf(element) {
  // iPhones have ManagedMediaSource alone: their own HLS does what that does, and goes to other screens too.
  const source = /** @type {typeof MediaSource | undefined} */ (globalThis.MediaSource);
  return {
    whole: (type) => element.canPlayType(type) !== "",
    segments: source ? (type) => source.isTypeSupported(type) : null,
  };
}
