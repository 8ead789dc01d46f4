/** What all rooms but the first need of looks. A module that imports this one runs when it is there: nothing is seen bare. */

import { env } from "./env.js";

await Promise.all([styled(), drawn()]).catch(() => {}); // what can be done without them is better than nothing

function styled() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = `${env.assets}rooms.css`;
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", reject);
    document.head.append(link);
  });
}

/** The drawings that the page did not begin with. */
async function drawn() {
  const answer = await fetch(`${env.assets}icons.svg`);
  const made = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
  document.getElementById("icons")?.append(...made.documentElement.children);
}
