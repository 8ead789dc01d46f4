import assert from "node:assert/strict";
import test from "node:test";

import { chapterAt } from "../../../fileserver/web/static/app/play/chapters.js";
import { creditsOf, stemOf } from "../../../fileserver/web/static/app/play/credits.js";
import { inLanguage, isAlike, languageName, tagOf } from "../../../fileserver/web/static/app/play/languages.js";
import * as order from "../../../fileserver/web/static/app/play/order.js";
import { tileAt, tilesOf } from "../../../fileserver/web/static/app/play/storyboard.js";
import { isPlaylist, playable } from "../../../fileserver/web/static/app/play/ways.js";

const way = (href, type) => ({ method: "direct", href, type, reasons: [] });
const says = (...types) => ({
  whole: (type) => types.includes(type),
  segments: (type) => types.includes(`mse ${type}`),
});

test("a way without a type is never taken", () => {
  assert.deepEqual(playable([way("/a.mp4", null)], { whole: () => true, segments: () => true }), []);
});

test("a list of HLS is asked of Media Source Extensions, a file of the element", () => {
  const ways = [way("/a.mp4", "video/mp4"), way("/m.m3u8?v=1", "video/mp4")];
  assert.deepEqual(playable(ways, says("video/mp4")), [ways[0]]);
  assert.deepEqual(playable(ways, says("mse video/mp4")), [ways[1]]);
});

test("without Media Source Extensions a list plays where the element knows lists", () => {
  const ways = [way("/m.m3u8", "video/mp4")];
  const types = (known) => ({ whole: (type) => known.includes(type), segments: null });
  assert.deepEqual(playable(ways, types(["video/mp4", "application/vnd.apple.mpegurl"])), ways);
  assert.deepEqual(playable(ways, types(["video/mp4"])), []);
});

test("a list is known by its path, whatever its query", () => {
  assert.equal(isPlaylist("/media/a.mkv/hls/master.m3u8?v=1"), true);
  assert.equal(isPlaylist("/files/list.mp4?x=.m3u8"), false);
});

test("languages are told by any of their names", () => {
  assert.equal(tagOf("ger"), "de");
  assert.equal(languageName("fre"), "French");
  assert.equal(languageName("not a language"), "");
  assert.equal(isAlike("deu", "de-AT"), true);
  assert.equal(isAlike(null, null), false);
  assert.deepEqual(inLanguage([{ language: "eng" }, { language: "ger" }], "de"), { language: "ger" });
});

test("a chapter lasts until the next begins", () => {
  const chapters = [{ start: 2 }, { start: 8 }];
  assert.deepEqual(
    [0, 2, 7.9, 8, 99].map((time) => chapterAt(chapters, time)),
    [-1, 0, 0, 1, 1],
  );
});

test("a record without tags is called by its name", () => {
  assert.equal(creditsOf({ name: "a song.mp3" }, null).title, "a song");
  assert.equal(stemOf(".mp3"), ".mp3");
  const described = { format: { tags: { TITLE: " Air ", Artist: "Bach" } } };
  assert.deepEqual(creditsOf({ name: "x.flac" }, described), { title: "Air", artist: "Bach", album: "" });
});

test("a storyboard's cues tell which part of the picture is when", () => {
  const { href, tiles } = tilesOf(
    "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n/m/storyboard.webp?v=1#xywh=0,0,160,90\n\n" +
      "00:02.000 --> 01:00:04.500\n/m/storyboard.webp?v=1#xywh=160,0,160,90\n",
  );
  assert.equal(href, "/m/storyboard.webp?v=1");
  assert.deepEqual(tiles[1], { start: 2, end: 3604.5, x: 160, y: 0, width: 160, height: 90 });
  assert.equal(tileAt(tiles, 1.9), tiles[0]);
  assert.equal(tileAt(tiles, 1e6), tiles[1]);
});

const rows = ["a", "b", "c", "d"].map((key) => ({ key }));
const keys = (line) =>
  order
    .inOrder(line)
    .map((row) => row.key)
    .join("");
const line = order.filled(order.EMPTY, rows, 1, Math.random);

test("a line begins where it is told to", () => {
  assert.equal(order.current(line).key, "b");
  assert.equal(keys(line), "abcd");
  assert.equal(order.current(order.EMPTY), null);
});

test("what ends goes on to the next, and stops after the last", () => {
  const last = { ...line, at: 3 };
  assert.equal(order.current(order.stepped(line, 1, { isAsked: false })).key, "c");
  assert.equal(order.stepped(last, 1, { isAsked: false }), null);
  assert.equal(order.current(order.stepped({ ...last, repeat: "all" }, 1, { isAsked: false })).key, "a");
});

test("one that repeats plays again by itself, and gives way to who asks", () => {
  const one = { ...line, repeat: "one" };
  assert.equal(order.current(order.stepped(one, 1, { isAsked: false })).key, "b");
  assert.equal(order.current(order.stepped(one, 1, { isAsked: true })).key, "c");
});

test("shuffling keeps what plays and loses nothing; sorting brings the order back", () => {
  const mixed = order.shuffled(line, () => 0);
  assert.equal(order.current(mixed).key, "b");
  assert.equal([...keys(mixed)].sort().join(""), "abcd");
  assert.notEqual(keys(mixed), "abcd");
  assert.deepEqual(order.sorted(mixed), line);
});

test("what is added comes last, also where the order is one of chance", () => {
  const more = order.added(
    order.shuffled(line, () => 0),
    [{ key: "e" }],
  );
  assert.equal(keys(more).at(-1), "e");
});

test("what is taken out leaves what plays as it is", () => {
  assert.equal(order.current(order.without(line, 0)).key, "b");
  assert.equal(order.current(order.without(line, 3)).key, "b");
  assert.equal(keys(order.without(line, 0)), "bcd");
  const without = order.without(
    order.shuffled(line, () => 0),
    2,
  );
  assert.equal(order.current(without).key, "b");
  assert.equal(keys(without).length, 3);
});

test("when what plays is taken out the next has its turn, or the one before", () => {
  assert.equal(order.current(order.without(line, 1)).key, "c");
  assert.equal(order.current(order.without({ ...line, at: 3 }, 3)).key, "c");
});
