/** What `/media/{key}` tells of a file (docs/media.md), and what the modules of this folder hand to each other. */

/** One way to play a file; `type` is null where nobody can say it honestly. */
export type Way = { method: "direct" | "remux" | "transcode"; href: string; type: string | null; reasons: string[] };

export type Track = {
  id: string;
  codec_type: "video" | "audio" | "subtitle" | "attachment" | "data";
  codec_name: string;
  language: string | null;
  title: string | null;
  disposition: Record<string, boolean>;
  channels?: number;
  width?: number;
  height?: number;
  is_cover?: boolean;
};

export type Words = {
  href: string;
  language: string | null;
  label: string;
  is_forced: boolean;
  is_default: boolean;
  source: "embedded" | "sidecar";
};

/** Times in seconds. */
export type Chapter = { start: number; end: number; title: string };

export type Description = {
  key: string;
  kind: "video" | "audio" | "image" | "other";
  format: { duration: number | null; tags: Record<string, string> } | null;
  streams: Track[];
  chapters: Chapter[];
  cover: string | null;
  poster: string | null;
  storyboard: string | null;
  waveform: string | null;
  subtitles: Words[];
  playback: Way[];
  missing: string | null;
  /** Told by us, where the server could make nothing of the file. */
  isDamaged?: boolean;
};

/** What a browser says that it plays. `segments` is null where it has no Media Source Extensions. */
export type Abilities = { whole: (type: string) => boolean; segments: ((type: string) => boolean) | null };

/** What somebody hears and sees of a record: its name, and who made it. */
export type Credits = { title: string; artist: string; album: string };

/** A tile of a storyboard, in pixels of the whole, and the seconds it stands for. */
export type Tile = { start: number; end: number; x: number; y: number; width: number; height: number };

/** Where somebody has stopped, as `/media/{key}/progress` tells it. */
export type Stop = { position: number; duration: number | null; finished: boolean };

/** The records that play one after another: `order` has the indices of `rows` as they come, `at` is a place in it. */
export type Line = { rows: Row[]; order: number[]; at: number; isShuffled: boolean; repeat: "off" | "all" | "one" };
