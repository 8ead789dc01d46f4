/** What was wanted before, to go back to it. */

const MOST = 100;
const PAUSE_MS = 1500; // between keys that belong to one change

/**
 * @template State
 * @typedef {{keep: (state: State, topic?: string) => void, undo: (now: State) => State | null, redo: (now: State) => State | null, readonly mayUndo: boolean, readonly mayRedo: boolean}} Past
 */

/** @template State @returns {Past<State>} */
export function past() {
  /** @type {State[]} */
  const before = [];
  /** @type {State[]} */
  const after = [];
  let last = { topic: /** @type {string | undefined} */ (undefined), at: 0 };
  return {
    keep(state, topic) {
      const isOneChange = topic !== undefined && topic === last.topic && Date.now() - last.at < PAUSE_MS;
      last = { topic, at: Date.now() };
      after.length = 0;
      if (!isOneChange) before.push(state);
      if (before.length > MOST) before.shift();
    },
    undo: (now) => stepped(before, after, now),
    redo: (now) => stepped(after, before, now),
    get mayUndo() {
      return before.length > 0;
    },
    get mayRedo() {
      return after.length > 0;
    },
  };
}

/** @template State @param {State[]} from @param {State[]} to @param {State} now @returns {State | null} */
function stepped(from, to, now) {
  const state = from.pop();
  if (state === undefined) return null;
  to.push(now);
  return state;
}
