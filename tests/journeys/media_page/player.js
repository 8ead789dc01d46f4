// One file in one element: asks the server how it plays, decides by codec strings alone, plays, jumps, looks, listens.

import Hls from "./hls.mjs";

const DEADLINE_MS = 30_000;
const PICTURE = { width: 32, height: 18 };

const speakers = new AudioContext();
const silence = new GainNode(speakers, { gain: 0 }); // heard by the analysers before it, and by nobody
silence.connect(speakers.destination);

// wish: {key, kind: 'video' | 'audio', goal: part of its duration or null, start: seconds or null}
// Resolves with what happened; never rejects. What was chosen and failed is told, and the next way is tried.
export async function play(server, wish) {
  const outcome = { key: wish.key, offered: [], chosen: [], error: null, failures: [] };
  try {
    const description = await asked(`${server}/media/${wish.key}`);
    outcome.offered = description.playback.map((entry) => `${entry.method} ${entry.type}`);
    for (const entry of description.playback.filter((each) => mayPlay(wish.kind, each))) {
      outcome.chosen.push(entry.method);
      try {
        return { ...outcome, seen: await played(new URL(entry.href, server), wish) };
      } catch (error) {
        outcome.failures.push(String(error));
      }
    }
    if (!outcome.chosen.length) outcome.error = "nothing of what is offered plays here";
  } catch (error) {
    outcome.error = String(error);
  }
  return { ...outcome, seen: null };
}

async function played(address, wish) {
  const stage = new Stage(wish.kind);
  try {
    const begun = performance.now();
    stage.load(address, wish.start);
    await stage.happened("loadedmetadata");
    await Promise.race([stage.failed, stage.element.play()]);
    await stage.passed(wish.start ?? 0);
    const seen = {
      first_frame_ms: performance.now() - begun,
      duration_s: stage.element.duration,
      early_s: stage.element.currentTime,
      goal_s: 0,
      late_s: 0,
      frames: 0,
    };
    if (wish.goal !== null) Object.assign(seen, await stage.jump(wish.goal * stage.element.duration));
    return { ...seen, ...(await stage.look()) };
  } finally {
    stage.clear();
  }
}

async function asked(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

function isPlaylist(address) {
  return address.pathname.endsWith(".m3u8");
}

function mayPlay(kind, entry) {
  if (entry.type === null) return false;
  if (isPlaylist(new URL(entry.href, "http://any"))) return MediaSource.isTypeSupported(entry.type);
  return document.createElement(kind).canPlayType(entry.type) !== "";
}

class Stage {
  constructor(kind) {
    const element = (this.element = document.createElement(kind));
    element.crossOrigin = "anonymous";
    element.preload = "auto";
    document.body.append(element);
    this.hls = null;
    this.failed = new Promise((_, reject) => {
      this.fail = (reason) => reject(new Error(reason));
    });
    this.failed.catch(() => {});
    this.late = setTimeout(
      () => this.fail(`stuck at ${element.currentTime}, state ${element.readyState}`),
      DEADLINE_MS,
    );
    element.onerror = () => this.fail(`code ${element.error.code}: ${element.error.message}`);
    this.analyser = new AnalyserNode(speakers, { fftSize: 8192, smoothingTimeConstant: 0 });
    speakers.createMediaElementSource(element).connect(this.analyser).connect(silence);
  }

  load(address, start) {
    if (!isPlaylist(address)) {
      if (start !== null) address.hash = `t=${start}`;
      this.element.src = address.href;
      return;
    }
    this.hls = new Hls({ maxBufferLength: 8, startPosition: start ?? -1, enableWorker: false });
    this.hls.on(Hls.Events.ERROR, (_, told) => {
      if (told.fatal) {
        this.fail(`hls.js: ${told.type}, ${told.details}: ${told.error?.message} ${told.response?.url ?? ""}`);
      }
    });
    this.hls.loadSource(address.href);
    this.hls.attachMedia(this.element);
  }

  happened(name) {
    const event = new Promise((resolve) => {
      this.element.addEventListener(name, resolve, { once: true });
    });
    return Promise.race([this.failed, event]);
  }

  async passed(time) {
    while (this.element.currentTime <= time + 0.1) await this.happened("timeupdate");
  }

  async jump(goal) {
    const before = this.frames();
    const sought = this.happened("seeked");
    this.element.currentTime = goal;
    await sought;
    await this.passed(goal);
    return { goal_s: goal, late_s: this.element.currentTime, frames: this.frames() - before };
  }

  frames() {
    return this.element.getVideoPlaybackQuality?.().totalVideoFrames ?? 0;
  }

  // The picture that is shown, small and green, with the time it is for; the loudest pitch.
  async look() {
    const seen = { picture_s: 0, picture: [] };
    if (this.element.videoWidth) {
      const { mediaTime } = await Promise.race([
        this.failed,
        new Promise((resolve) => {
          this.element.requestVideoFrameCallback((_, frame) => resolve(frame));
        }),
      ]);
      Object.assign(seen, { picture_s: mediaTime, picture: this.pixels() });
    }
    return { ...seen, pitch_hz: await this.listen() };
  }

  pixels() {
    const canvas = new OffscreenCanvas(PICTURE.width, PICTURE.height);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(this.element, 0, 0, PICTURE.width, PICTURE.height);
    const { data } = context.getImageData(0, 0, PICTURE.width, PICTURE.height);
    return Array.from({ length: data.length / 4 }, (_, n) => data[4 * n + 1]);
  }

  // Nothing that is loud for three seconds is silence: 0.
  async listen() {
    const levels = new Float32Array(this.analyser.frequencyBinCount);
    for (let looks = 0; looks < 30; looks += 1) {
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
      this.analyser.getFloatFrequencyData(levels);
      const loudest = levels.indexOf(Math.max(...levels));
      if (levels[loudest] > -50 && loudest > 0) return (loudest * speakers.sampleRate) / this.analyser.fftSize;
    }
    return 0;
  }

  clear() {
    clearTimeout(this.late);
    this.hls?.destroy();
    this.element.removeAttribute("src");
    this.element.load();
    this.element.remove();
  }
}
