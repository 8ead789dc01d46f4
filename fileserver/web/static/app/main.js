/** Where the page begins: the rooms of its first view, and the others when somebody goes there. */

import strings from "../strings/core.js";
import { rows, startBrowse } from "./browse/browse.js";
import { startChanges } from "./browse/changes.js";
import { startDragging } from "./browse/dragging.js";
import { startMarquee } from "./browse/marquee.js";
import { env } from "./core/env.js";
import { notice } from "./core/notice.js";
import { pageAt } from "./core/page.js";
import { hrefOf, navigate, onRoute, route } from "./core/router.js";
import { say } from "./core/say.js";
import { startDrops } from "./upload/drop.js";

const grid = startBrowse();
startMarquee(grid);
startDragging(grid);
startDrops();
startChanges();
if (wasPlaying()) import("./play/queue.js").then((queue) => queue.restoreQueue());
onRoute(follow);
follow(route());
performance.mark("ready"); // from here on a click does what it says
import("./core/rooms.js"); // what the others look like, before somebody goes there
addEventListener("unhandledrejection", (event) => {
  if (navigator.onLine && /dynamically imported module|importing a module/i.test(String(event.reason))) offerReload();
});

/** Open and close the viewer as the address says. @param {Route} now @param {Route} [before] */
async function follow(now, before) {
  if (!now.view && !before?.view) return;
  document.title = now.view ?? now.folder.split("/").at(-2) ?? strings.root;
  const viewer = await import("./view/viewer.js");
  if (!now.view) return viewer.closeViewer();
  if (before?.view === now.view && before.folder === now.folder) return;
  const row = await found(now);
  if (route() !== now) return;
  if (row) return viewer.openViewer(row, () => rows().filter((each) => each.type === "file"));
  notice(say(strings.notFound, { name: now.view }), { kind: "error" });
  navigate({ view: null }, { replace: true });
}

/** The row that the address names: from the listing, else from the page, else from the server. @param {Route} place */
async function found(place) {
  const key = place.folder + place.view;
  const first = env.firstView.view;
  return rows().find((row) => row.key === key) ?? (first?.key === key ? first : asked(place));
}

/** @param {Route} place @returns {Promise<Row | null>} */
async function asked(place) {
  const { first } = await pageAt(hrefOf(place)).catch(() => ({ first: null }));
  return first?.view ?? null;
}

/** Whether music went on here before the page was loaded anew. */
function wasPlaying() {
  try {
    return sessionStorage.getItem("play.queue") !== null;
  } catch {
    return false; // storage that is forbidden has nothing to bring back
  }
}

/** A module that is not there any more belongs to a version that is not served any more. */
function offerReload() {
  notice(strings.newVersion, { isLasting: true, action: { label: strings.reload, run: () => location.reload() } });
}
