/** Words in a line for a shell (POSIX.1-2024, 2.2.2). */

/**
 * A word as a POSIX shell takes it literally.
 *
 * @param {string} word
 */
export function quoted(word) {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
