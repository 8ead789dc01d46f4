/** Words, numbers and times as people read them. */

const UNITS = ["KB", "MB", "GB", "TB", "PB"];
const number0 = new Intl.NumberFormat("en");
const plural = new Intl.PluralRules("en");
const thisYear = new Intl.DateTimeFormat("en", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const anyYear = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });
const exact = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "medium" });

/** Orders names as people do: `photo2` before `photo10`. */
export const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** A template with its `{names}` filled in. @param {string} template @param {Record<string, unknown>} [values] */
export function say(template, values = {}) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The template for a number, filled in. @param {Plural} templates @param {number} count @param {Record<string, unknown>} [values] */
say.many = (templates, count, values = {}) => {
  const template = plural.select(count) === "one" ? templates.one : templates.other;
  return say(template, { count: number(count), ...values });
};

/** A number with its thousands apart. @param {number} value */
export function number(value) {
  return number0.format(value);
}

/** A size in bytes: decimal units, as browsers and systems show them. @param {number | null} bytes */
export function size(bytes) {
  if (bytes === null) return "";
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  let amount = bytes / 1000;
  let unit = 0;
  while (amount >= 999.5 && unit < UNITS.length - 1) [amount, unit] = [amount / 1000, unit + 1];
  return `${amount < 9.95 ? amount.toFixed(1) : amount.toFixed(0)} ${UNITS[unit]}`;
}

/** A rate. @param {number} bytesPerSecond */
export function rate(bytesPerSecond) {
  return `${size(Math.round(bytesPerSecond))}/s`;
}

/** A time in a film: `1:02:03`. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** How long something will still take: `about 3 min`. @param {number} seconds */
export function timeLeft(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** A moment, short. @param {string | number} moment RFC 3339, or ms since 1970 */
export function when(moment) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  return (date.getFullYear() === new Date().getFullYear() ? thisYear : anyYear).format(date);
}

/** A moment to the second. @param {string | number} moment */
export function whenExact(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? "" : exact.format(date);
}
