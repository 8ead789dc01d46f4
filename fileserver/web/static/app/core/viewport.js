/** Which of the two layouts is shown. */

const phone = matchMedia("(max-width: 40rem)");

export function isPhone() {
  return phone.matches;
}

/** @param {(isPhone: boolean) => void} listener */
export function onPhoneChange(listener) {
  phone.addEventListener("change", (event) => listener(event.matches));
}
