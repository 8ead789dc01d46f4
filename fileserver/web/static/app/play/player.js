/** A film or a record in the viewer: the browser's own controls, and beside them what these lack. */

import strings from "../../strings/play.js";
import { Problem, messageOf, href } from "../core/api.js";
import { on } from "../core/bus.js";
import { env } from "../core/env.js";
import { html, icon, render } from "../core/html.js";
import { kindOf } from "../core/kinds.js";
import { notice } from "../core/notice.js";
import { comingUp, flasher, hopeless, resumed, trouble, waiting } from "./asides.js";
import { chapterAt } from "./chapters.js";
import { isAutoplay, renderControls, speedName } from "./controls.js";
import { creditsOf } from "./credits.js";
import { Deck, play } from "./deck.js";
import { defaultSound, described, soundsOf } from "./describe.js";
import { fullScreen } from "./full.js";
import { pressed, skip } from "./keys.js";
import { enter } from "./now.js";
import { showRecord } from "./record.js";
import { keepPlace, startOf, stopIn } from "./resume.js";
import { remember } from "./remembered.js";
import { scenes } from "./scenes.js";
import { present } from "./session.js";
import { wantedSound } from "./sounds.js";
import { Subtitles } from "./subtitles.js";
import { onDoubleTap } from "./taps.js";

/** @typedef {import("./types").Description} Description */

/** Chosen in one film, it holds for the next ones. */
let speed = 1;

/** Show and play a file. @param {HTMLElement} body @param {Row} row @param {ViewContext} context @returns {OpenView} */
export function open(body, row, context) {
  const player = new Player(body, row, context);
  void player.begin();
  return { close: () => player.close(), keys: (event) => player.pressed(event) };
}

class Player {
  /** @type {Description | null} */
  #description = null;
  /** @type {Subtitles | null} */
  #subtitles = null;
  #sound = 0;
  #chapter = -1;
  #hasPlayed = false;
  #ending = new AbortController();
  /** @type {HTMLElement | null} */
  #chip = null;
  #cancelNext = () => {};

  /** @param {HTMLElement} body @param {Row} row @param {ViewContext} context */
  constructor(body, row, context) {
    this.row = row;
    this.context = context;
    this.kind = /** @type {"video" | "audio"} */ (kindOf(row));
    this.element = elementFor(this.kind, row);
    this.root = layout(this.kind, this.element);
    body.replaceChildren(this.root);
    this.stage = part(this.root, "play-stage");
    this.flash = flasher(this.stage);
    this.deck = new Deck(this.element, {
      onHopeless: () => this.#hopeless(),
      onChanged: () => void this.begin(this.element.currentTime),
      onWaiting: (isWaiting) => this.#waiting(isWaiting),
    });
    this.#listen(body);
  }

  /** Ask what the file is and where somebody stopped in it, and play. @param {number} [start] */
  async begin(start) {
    const { signal } = this.#ending;
    try {
      const [description, stop] = await Promise.all([described(this.row, signal), stopIn(this.row.key, signal)]);
      if (signal.aborted) return;
      this.#take(description);
      this.#load(description, start ?? (Number(this.context.params.get("t")) || null), stop);
    } catch (error) {
      if (!signal.aborted) this.#trouble(error);
    }
  }

  /** @param {Description} description @param {number | null} named the second that was asked for @param {import("./types").Stop | null} stop */
  #load(description, named, stop) {
    const goOn = startOf(stop, this.kind, description.format?.duration ?? null);
    const sounds = soundsOf(description);
    const sound = wantedSound(sounds);
    this.#sound = sound ?? defaultSound(sounds);
    this.deck.load(description.playback, { start: named ?? goOn, sound });
    this.#renderControls();
    if (named === null && goOn > 0) this.#resumed(goOn);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    return pressed(event, this.element, {
      fullScreen: () => this.fullScreen?.(),
      words: () => this.#toggleWords(),
      speed: (value) => {
        this.#chooseSpeed(value);
        this.flash(speedName(value));
      },
      step: (step) => this.context.go(step),
      flash: this.flash,
    });
  }

  close() {
    this.#ending.abort();
    this.deck.close();
  }

  /** @param {HTMLElement} body */
  #listen(body) {
    const { signal } = this.#ending;
    const { element } = this;
    enter(element, this.row.key, signal);
    keepPlace(element, this.row.key, this.kind, signal);
    element.addEventListener("ended", () => this.#ended(), { signal });
    element.addEventListener("play", () => this.#cancelNext(), { signal });
    element.addEventListener("loadeddata", () => this.#begun(), { signal });
    element.addEventListener("ratechange", () => this.#renderControls(), { signal });
    element.addEventListener("timeupdate", () => this.#passed(), { signal });
    const off = on("seek", ({ key, seconds }) => key === this.row.key && this.#seek(seconds));
    signal.addEventListener("abort", off, { once: true });
    const isFilm = element instanceof HTMLVideoElement;
    this.fullScreen = isFilm ? fullScreen(body, element, signal) : null;
    if (isFilm) onDoubleTap(this.stage, (seconds) => skip(element, seconds, this), signal);
  }

  /** @param {Description} description */
  #take(description) {
    this.#description = description;
    const { signal } = this.#ending;
    const credits = creditsOf(this.row, description);
    const artwork = this.kind === "video" ? description.poster : description.cover;
    const [onPrevious, onNext] = [() => this.context.go(-1), () => this.context.go(1)];
    present(this.element, { credits, artwork, onPrevious, onNext }, signal);
    if (this.kind === "audio") this.#takeRecord(description);
    else if (description.subtitles.length && !this.#subtitles) this.#takeWords(description);
  }

  /** @param {Description} description */
  #takeRecord(description) {
    const places = { stage: part(this.root, "play-record"), strip: part(this.root, "play-strip") };
    const step = (/** @type {1 | -1} */ way) => this.context.go(way);
    showRecord(places, this.element, { row: this.row, description, step, signal: this.#ending.signal });
    const handOver = async () => {
      const { element, context, row } = this;
      const { playAll } = await import("./queue.js");
      const records = context.siblings().filter((each) => kindOf(each) === "audio");
      await playAll(
        records,
        Math.max(
          0,
          records.findIndex((each) => each.key === row.key),
        ),
        element.currentTime,
      );
      context.close();
    };
    const label = strings.keepPlaying;
    render(
      html`<button class="icon-button" aria-label=${label} title=${label} @click=${handOver}>
        ${icon("list-music")}
      </button>`,
      this.context.actions,
    );
  }

  /** @param {Description} description */
  #takeWords(description) {
    const sounds = soundsOf(description);
    const options = {
      spoken: sounds[defaultSound(sounds)]?.language ?? null,
      signal: this.#ending.signal,
      onChange: () => this.#renderControls(),
      onError: () => void notice(strings.subtitlesFailed, { kind: "error" }),
    };
    this.#subtitles = new Subtitles(/** @type {HTMLVideoElement} */ (this.element), description.subtitles, options);
  }

  /** There is something to see: time for what is not needed for that. */
  #begun() {
    this.#hasPlayed = true;
    this.element.playbackRate = speed;
    this.#renderControls();
    const { storyboard: address, chapters } = this.#description ?? {};
    const strip = part(this.root, "play-strip");
    if (this.kind !== "video" || !address || !chapters || strip.childElementCount || !(this.element.duration >= 30)) {
      return;
    }
    const options = { label: strings.scenes, href: address, chapters, signal: this.#ending.signal };
    scenes(this.element, options).then(
      (line) => line && strip.replaceChildren(line),
      () => {}, // a film without pictures of its scenes is a film all the same
    );
  }

  /** The chapter that it is in has its name on a button. */
  #passed() {
    const chapter = chapterAt(this.#description?.chapters ?? [], this.element.currentTime);
    if (chapter === this.#chapter) return;
    this.#chapter = chapter;
    this.#renderControls();
  }

  #renderControls() {
    if (!this.#description || this.#ending.signal.aborted) return;
    renderControls(part(this.root, "play-bar"), {
      row: this.row,
      element: this.element,
      chapters: this.#description.chapters,
      subtitles: this.#subtitles,
      sounds: this.deck.hasStream ? soundsOf(this.#description) : [],
      sound: this.#sound,
      chooseSound: (index) => this.#chooseSound(index),
      chooseWords: (index) => this.#chooseWords(index),
      chooseSpeed: (value) => this.#chooseSpeed(value),
      fullScreen: this.fullScreen ?? null,
      seek: (seconds) => this.#seek(seconds),
    });
  }

  /** @param {number} seconds */
  #seek(seconds) {
    this.element.currentTime = seconds;
    play(this.element);
  }

  /** @param {number} index */
  #chooseSound(index) {
    this.#sound = index;
    const language = this.#description && soundsOf(this.#description)[index]?.language;
    if (language) remember("sound", language);
    this.deck.choose(index);
    this.#renderControls();
  }

  /** @param {number} index */
  #chooseWords(index) {
    this.#subtitles?.choose(index);
    this.#renderControls();
  }

  #toggleWords() {
    this.#subtitles?.toggle();
    const words = this.#subtitles?.words[this.#subtitles.chosen];
    if (this.#subtitles) this.flash(words ? words.label : strings.subtitlesOff);
    this.#renderControls();
  }

  /** @param {number} value */
  #chooseSpeed(value) {
    speed = value;
    this.element.playbackRate = value;
  }

  /** @param {number} at */
  #resumed(at) {
    resumed(this.stage, at, () => this.#seek(0), this.#ending.signal);
  }

  /** The next of the same kind, if there is one and nobody minds. */
  #ended() {
    const next = this.#next();
    if (!next || !isAutoplay(this.kind)) return;
    const go = () => this.context.goTo(next);
    if (this.kind === "audio") go();
    else this.#cancelNext = comingUp(this.stage, next, go, this.#ending.signal);
  }

  #next() {
    const all = this.context.siblings();
    const index = all.findIndex((each) => each.key === this.row.key);
    return index < 0 ? undefined : all.slice(index + 1).find((each) => kindOf(each) === this.kind);
  }

  /** @param {boolean} isWaiting */
  #waiting(isWaiting) {
    this.#chip?.remove();
    this.#chip = isWaiting ? waiting(this.stage, () => this.deck.again()) : null;
  }

  #hopeless() {
    const startOver = () => {
      this.root.classList.remove("is-aside");
      void this.begin(0);
    };
    if (this.#description) hopeless(this.#aside(), this.row, this.#description, this.#hasPlayed ? startOver : null);
  }

  /** @param {unknown} error */
  #trouble(error) {
    const isGone = error instanceof Problem && (error.status === 404 || error.status === 410);
    const told = isGone
      ? { title: strings.gone, body: strings.goneBody, again: null }
      : { title: strings.failed, body: messageOf(error), again: () => this.#restart() };
    trouble(this.#aside(), told);
  }

  #restart() {
    this.root.classList.remove("is-aside");
    void this.begin();
  }

  /** The place of the pictures, for words instead of them. */
  #aside() {
    this.root.classList.add("is-aside");
    return part(this.root, "play-aside");
  }
}

/** @param {"video" | "audio"} kind @param {Row} row */
function elementFor(kind, row) {
  const element = document.createElement(kind);
  element.controls = kind === "video";
  element.preload = "auto";
  element.setAttribute("controlslist", "nodownload noplaybackrate nofullscreen"); // ours do these
  element.setAttribute("aria-label", row.name);
  if (!(element instanceof HTMLVideoElement)) return element;
  element.playsInline = true;
  if (env.hasMedia) element.poster = href("media", row.key, { width: 1280 }, "poster");
  return element;
}

/** @param {"video" | "audio"} kind @param {HTMLMediaElement} element */
function layout(kind, element) {
  const root = document.createElement("div");
  root.className = "play";
  root.dataset.kind = kind;
  const record = html`<div class="play-record"></div>`;
  render(
    html`<div class="play-stage">${kind === "audio" ? record : element}</div>
      <div class="play-aside"></div>
      <div class="play-strip"></div>
      ${kind === "audio" ? element : null}
      <div class="play-bar" role="group" aria-label=${strings.playback}></div>`,
    root,
  );
  return root;
}

/** @param {HTMLElement} root @param {string} className */
function part(root, className) {
  return /** @type {HTMLElement} */ (root.querySelector(`.${className}`));
}
