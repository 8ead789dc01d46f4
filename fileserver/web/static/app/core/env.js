/** What the server says of itself, read once from the page. */

const page = document.documentElement.dataset;

/** @type {FirstView} */
const NOTHING = { folder: "", entries: [], next: null, view: null, search: null };

/** @returns {FirstView} */
function firstView() {
  const block = document.getElementById("first-view");
  return block ? JSON.parse(block.textContent ?? "") : NOTHING;
}

export const env = {
  /** The path that the application is mounted at, with its slash. */
  root: page.root ?? "/",
  /** Where this version of the assets is, with its slash. */
  assets: new URL("../../", import.meta.url).href,
  mayWrite: "mayWrite" in page,
  hasMedia: "hasMedia" in page,
  firstView: firstView(),
};
