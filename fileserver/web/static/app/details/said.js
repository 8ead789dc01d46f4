/** The comments of one file: those that the server keeps, and those that come while one looks. */

import { Problem, ask, askJson, href } from "../core/api.js";
import { listen } from "../core/live.js";

/**
 * @typedef {object} Comment
 * @property {number} id
 * @property {string} time
 * @property {string} text
 * @property {string | null} author
 * @property {number | null} [media_time] seconds
 * @property {number | null} [byte_offset]
 */

/**
 * Comments by number, the oldest first. `changed` is called whenever there are others.
 *
 * @param {string} key
 * @param {() => void} changed
 */
export function saidOf(key, changed) {
  const ending = new AbortController();
  /** @type {Map<number, Comment>} */
  const shown = new Map();
  /** @type {Set<number>} those that are gone: an older page may still have them */
  const deleted = new Set();
  let next = /** @type {string | null} */ (href("comments", key));

  /** @param {(Comment & {is_deleted?: boolean})[]} comments */
  function take(comments) {
    for (const comment of comments) {
      if (comment.is_deleted) deleted.add(comment.id);
      if (deleted.has(comment.id)) shown.delete(comment.id);
      else shown.set(comment.id, comment);
    }
    changed();
  }

  const stop = listen(key, (change) => {
    if (change.kind === "comment" && change.key === key) take([change.comment]);
  });
  return {
    all: () => [...shown.values()].sort((one, other) => one.id - other.id),
    hasMore: () => next !== null,
    /** The next page. Throws what the request throws. */
    async more() {
      if (!next) return;
      const page = await askJson(next, { signal: ending.signal });
      next = page.next;
      take(page.comments);
    },
    /** @param {{text: string, author: string, media_time: number | null}} comment */
    async post({ text, author, media_time: time }) {
      const said = { text, ...(time !== null && { media_time: time }) };
      const send = (/** @type {object} */ json) => askJson(href("comments", key), { method: "POST", json });
      try {
        take([await send(author ? { ...said, author } : said)]);
      } catch (error) {
        const isKnown = error instanceof Problem && error.members.field === "author" && author;
        if (!isKnown) throw error;
        take([await send(said)]); // who asks is known, and cannot be chosen
      }
    },
    /** @param {Comment} comment */
    async remove(comment) {
      await ask(href("comments", key, { comment: comment.id }), { method: "DELETE" });
      take([{ ...comment, is_deleted: true }]);
    },
    close() {
      ending.abort();
      stop();
    },
  };
}
