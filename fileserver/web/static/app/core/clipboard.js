/** The clipboard, also where the page came over plain HTTP and browsers hide it. */

/** Whether the text is in the clipboard now. @param {string} text */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text);
  }
}

/** @param {string} text */
function copiedByHand(text) {
  const field = document.createElement("textarea");
  const back = document.activeElement;
  field.value = text;
  field.className = "unseen";
  (document.querySelector("dialog[open]:last-of-type") ?? document.body).append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  if (back instanceof HTMLElement) back.focus({ preventScroll: true });
  return isDone;
}
