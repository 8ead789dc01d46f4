/** Languages of sound and words: what people call them, which are alike, and which one somebody chose last. */

/** @typedef {{language: string | null}} Spoken */

const names = new Intl.DisplayNames("en", { type: "language", fallback: "none" });

/** A language tag as browsers know it: `ger` is `de`; null where it is none. @param {string | null} language */
export function tagOf(language) {
  try {
    return language ? (Intl.getCanonicalLocales(language)[0] ?? null) : null;
  } catch {
    return null; // what a stranger wrote into a file
  }
}

/** What people call a language: `ger` is German; empty where nobody does. @param {string | null} language */
export function languageName(language) {
  const tag = tagOf(language);
  return tag ? (names.of(tag) ?? "") : "";
}

/** Whether a file's language is the one that is meant; their regions do not count. @param {string | null} one @param {string | null} other */
export function isAlike(one, other) {
  const [first, second] = [tagOf(one), tagOf(other)];
  return first !== null && second !== null && first.split("-")[0] === second.split("-")[0];
}

/** The first of some in a language. @template {Spoken} T @param {T[]} all @param {string | null} language */
export function inLanguage(all, language) {
  return all.find((each) => isAlike(each.language, language)) ?? null;
}
