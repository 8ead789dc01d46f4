/** Taking deletions back. */

import strings from "../../strings/browse.js";
import { askJson, url } from "../core/api.js";
import { emit } from "../core/bus.js";
import { notice } from "../core/notice.js";
import { say } from "../core/say.js";

/** Put back what was deleted together, and say where something has another name now. @param {string} id */
export async function restore(id) {
  const { restored, taken, left } = await askJson(url(`/trash/${id}/restore`), { method: "POST" });
  const told = [say.many(strings.restored, restored.length)];
  if (taken.length) told.push(say.many(strings.restoredTaken, taken.length));
  if (left.length) told.push(say.many(strings.restoredLeft, left.length));
  notice(told.join(" "), { isLasting: taken.length + left.length > 0 });
  for (const key of restored) emit("uploaded", { key });
  return restored;
}
