// Plays what it was told to in its address, a few at a time, and tells of each as soon as it is done:
// #{"server": origin, "wishes": [...], "at_once": number}

import { play } from "./player.js";

const { server, wishes, at_once: atOnce } = JSON.parse(decodeURIComponent(location.hash.slice(1)));

async function player() {
  for (let wish = wishes.shift(); wish; wish = wishes.shift()) {
    const outcome = await play(server, wish);
    await fetch("/report", { method: "POST", body: JSON.stringify(outcome) });
  }
}

await Promise.all(Array.from({ length: atOnce }, player));
await fetch("/report", { method: "POST", body: "null" });
