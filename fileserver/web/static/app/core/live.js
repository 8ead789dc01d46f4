/** The feed of changes: one connection for the whole page, opened when somebody first listens. */

import { url } from "./api.js";

const KINDS = ["created", "replaced", "deleted", "moved", "comment", "reset"];

/** @type {Map<(change: any) => void, string>} */
const listeners = new Map();
/** @type {Set<(isOn: boolean) => void>} */
const watchers = new Set();
/** @type {EventSource | null} */
let source = null;
let isOn = false;

/**
 * Be told of each change of the keys that begin so: `{kind, key, …}`; of `{kind: "reset"}` when some were missed.
 *
 * @param {string} prefix
 * @param {(change: any) => void} listener
 */
export function listen(prefix, listener) {
  listeners.set(listener, prefix);
  source ??= opened();
  return () => void listeners.delete(listener);
}

/** Call back when the feed comes and goes. @param {(isOn: boolean) => void} watcher */
export function onState(watcher) {
  watchers.add(watcher);
  watcher(isOn);
  return () => void watchers.delete(watcher);
}

function opened() {
  const feed = new EventSource(url("/events"));
  feed.onopen = () => turned(true);
  feed.onerror = () => {
    turned(false);
    if (feed.readyState !== EventSource.CLOSED) return; // it comes back by itself, and says where it was
    source = null;
    setTimeout(() => (source ??= opened()), 5000);
  };
  for (const kind of KINDS) feed.addEventListener(kind, (event) => tell(kind, /** @type {MessageEvent} */ (event)));
  return feed;
}

/** @param {string} kind @param {MessageEvent} event */
function tell(kind, event) {
  const change = { ...JSON.parse(event.data || "{}"), kind };
  for (const [listener, prefix] of [...listeners]) {
    const keys = [change.key, change.to, change.from].filter(Boolean);
    if (kind === "reset" || keys.some((key) => key.startsWith(prefix) || prefix.startsWith(key))) listener(change);
  }
}

/** @param {boolean} value */
function turned(value) {
  if (isOn === value) return;
  isOn = value;
  for (const watcher of [...watchers]) watcher(isOn);
}
