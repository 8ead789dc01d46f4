/** How a table is read: its dialect, as parameters that slices, profiles and plans take. */

import { modal } from "../core/dialog.js";
import { html } from "../core/html.js";
import { say } from "../core/say.js";
import strings from "../../strings/table.js";

const NAMES = ["delimiter", "quote", "encoding", "header", "skip_rows", "comment", "on_bad_row"];
const NULLABLE = ["quote", "comment"];

const DELIMITERS = {
  "": strings.automatic,
  ",": strings.comma,
  ";": strings.semicolon,
  tab: strings.tab,
  "|": strings.bar,
};
const ENCODINGS = {
  "": strings.automatic,
  "utf-8": "UTF-8",
  cp1252: "Windows-1252",
  "utf-16": "UTF-16",
  "iso-8859-15": "ISO 8859-15",
  cp437: "DOS 437",
  shift_jis: "Shift JIS",
};
const QUOTES = { "": '"', "'": "'", none: strings.noQuotes };

/** @param {URLSearchParams} params @returns {Record<string, string>} */
export function readingOf(params) {
  /** @type {Record<string, string>} */
  const reading = {};
  for (const name of NAMES) if (params.get(name)) reading[name] = params.get(name) ?? "";
  return reading;
}

/** The same as the `input` of a plan. @param {Record<string, string>} reading @returns {Record<string, unknown>} */
export function inputOf(reading) {
  return Object.fromEntries(Object.entries(reading).map(([name, value]) => [name, valueOf(name, value)]));
}

/** @param {string} name @param {string} value */
function valueOf(name, value) {
  if (name === "header") return value === "true";
  if (name === "skip_rows") return Number(value);
  return NULLABLE.includes(name) && value === "none" ? null : value;
}

/** The dialect in a few words. @param {Record<string, string | boolean | null>} dialect */
export function tellReading({ delimiter, encoding, header }) {
  const name = { ",": strings.comma, ";": strings.semicolon, "\t": strings.tab, "|": strings.bar }[String(delimiter)];
  const words = [name ?? say(strings.separatedBy, { mark: delimiter }), String(encoding).toUpperCase()];
  return [...words, ...(header ? [] : [strings.headless])].join(", ");
}

/** Ask how the table is to be read; null when the person changed their mind. @param {Record<string, string>} reading @returns {Promise<Record<string, string> | null>} */
export function askReading(reading) {
  return new Promise((resolve) => {
    /** @type {Record<string, string> | null} */
    let answer = null;
    const dialog = modal({
      title: strings.howRead,
      className: "table-reading",
      onClose: () => resolve(answer),
      content: (close) =>
        html`<form
          @submit=${(/** @type {SubmitEvent} */ event) => {
            event.preventDefault();
            answer = given(/** @type {HTMLFormElement} */ (event.target));
            close();
          }}
        >
          ${choice("delimiter", strings.delimiter, withOwn(DELIMITERS, reading.delimiter), reading)}
          ${choice("encoding", strings.encoding, withOwn(ENCODINGS, reading.encoding), reading)}
          ${choice("header", strings.firstRow, { "": strings.isHeader, false: strings.isData }, reading)}
          ${choice("quote", strings.quote, withOwn(QUOTES, reading.quote), reading)}
          ${choice("on_bad_row", strings.badRows, BAD_ROWS, reading)}
          <label class="field">
            <span>${strings.skipRows}</span>
            <input
              name="skip_rows"
              inputmode="numeric"
              pattern="[0-9]{0,6}"
              .value=${reading.skip_rows ?? ""}
              placeholder="0"
            />
          </label>
          <footer>
            <button class="button" type="button" @click=${close}>${strings.cancel}</button>
            <button class="button main">${strings.apply}</button>
          </footer>
        </form>`,
    });
    void dialog;
  });
}

const BAD_ROWS = { "": strings.asUsual, skip: strings.skipBad, pad: strings.padBad, abort: strings.abortBad };

/** @param {Record<string, string>} options @param {string | undefined} value */
function withOwn(options, value) {
  return value && !(value in options) ? { ...options, [value]: value } : options;
}

/** @param {string} name @param {string} label @param {Record<string, string>} options @param {Record<string, string>} reading */
function choice(name, label, options, reading) {
  return html`<label class="field">
    <span>${label}</span>
    <select name=${name}>
      ${Object.entries(options).map(
        ([value, text]) => html`<option value=${value} ?selected=${(reading[name] ?? "") === value}>${text}</option>`,
      )}
    </select>
  </label>`;
}

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
function given(form) {
  const entries = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}
