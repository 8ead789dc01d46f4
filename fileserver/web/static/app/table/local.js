/** The beginning of a file that is not stored, for a preview that does not send all of it. */

const SAMPLE = 1_000_000; // bytes: some thousand rows, and a second over a slow line
const LARGEST = 20_000_000; // bytes of a packed file that is sent whole, where the browser cannot unpack it

/**
 * The first whole records of a table. `isWhole` says whether that is all of it.
 *
 * @param {File} file
 * @param {string} [quote] the character that values stand in; "" for none
 * @returns {Promise<{part: Blob, name: string, isWhole: boolean}>}
 */
export async function sampleOf(file, quote = '"') {
  if (file.size <= SAMPLE) return { part: file, name: file.name, isWhole: true };
  if (/\.zst$/i.test(file.name)) {
    if (file.size > LARGEST) throw new RangeError();
    return { part: file, name: file.name, isWhole: true };
  }
  const isPacked = /\.gz$/i.test(file.name);
  const bytes = isPacked ? await unpacked(file) : new Uint8Array(await file.slice(0, SAMPLE).arrayBuffer());
  const name = isPacked ? file.name.replace(/\.gz$/i, "") : file.name;
  if (bytes.length < SAMPLE) return { part: new Blob([bytes]), name, isWhole: true };
  return { part: new Blob([bytes.subarray(0, endOfRecords(bytes, quote))]), name, isWhole: false };
}

/**
 * Where the last whole record ends: at the last line break outside quotes, which is one behind an even number of them.
 *
 * @param {Uint8Array} bytes
 * @param {string} quote
 */
export function endOfRecords(bytes, quote) {
  const mark = quote ? quote.charCodeAt(0) : -1;
  const width = /^(255,254|254,255)$/.test(`${bytes[0]},${bytes[1]}`) ? 2 : 1; // UTF-16 is told by its byte order mark
  let end = 0;
  let isQuoted = false;
  for (let at = 0; at + width <= bytes.length; at += width) {
    const code = width === 1 ? bytes[at] : bytes[at] + bytes[at + 1]; // of ASCII characters one byte is zero
    if (code === mark) isQuoted = !isQuoted;
    else if (code === 10 && !isQuoted) end = at + width;
  }
  return end || bytes.length;
}

/** The first bytes of what is packed. @param {File} file */
async function unpacked(file) {
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const found = new Uint8Array(SAMPLE);
  let length = 0;
  for (let read = await reader.read(); !read.done && length < SAMPLE; read = await reader.read()) {
    const fitting = read.value.subarray(0, SAMPLE - length);
    found.set(fitting, length);
    length += fitting.length;
  }
  reader.cancel().catch(() => {});
  return found.subarray(0, length);
}
