/** How fast something goes lately: steady enough to be read, quick enough to be true. */

const WINDOW_MS = 8000;

export class Speed {
  constructor() {
    /** @type {{at: number, bytes: number}[]} */
    this.samples = [];
  }

  /** So many bytes more have gone. @param {number} bytes @param {number} now ms */
  note(bytes, now) {
    const last = this.samples.at(-1);
    if (last && now - last.at < 200) last.bytes += bytes;
    else this.samples.push({ at: now, bytes });
    while (this.samples.length > 1 && now - this.samples[0].at > WINDOW_MS) this.samples.shift();
  }

  /** Bytes per second; 0 while nothing is known. @param {number} now ms */
  rate(now) {
    const recent = this.samples.filter((sample) => now - sample.at <= WINDOW_MS);
    if (recent.length < 2) return 0;
    const bytes = recent.slice(1).reduce((sum, sample) => sum + sample.bytes, 0); // the first only says when it began
    return (bytes * 1000) / Math.max(now - recent[0].at, 1);
  }
}
