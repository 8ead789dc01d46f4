import assert from "node:assert/strict";
import { test } from "node:test";

import { folderOf, freeName, leafOf, numbered, pastedName } from "../../../fileserver/web/static/app/upload/names.js";
import { Speed } from "../../../fileserver/web/static/app/upload/speed.js";

test("a number goes before the ending of a name", () => {
  const rows = [
    ["a.txt", "a (2).txt"],
    ["b/c.d/name", "b/c.d/name (2)"],
    ["b/archive.tar.gz", "b/archive (2).tar.gz"],
    [".bashrc", ".bashrc (2)"],
    [".config.json", ".config (2).json"],
    ["Mr. Smith", "Mr. Smith (2)"],
    ["1.2 notes", "1.2 notes (2)"],
    ["a..b", "a. (2).b"],
  ];
  for (const [key, expected] of rows) assert.equal(numbered(key, 2), expected);
});

test("the first number that is free is taken", () => {
  assert.equal(freeName("a.txt", []), "a (2).txt");
  assert.equal(freeName("a.txt", ["a (2).txt", "a (3).txt", "a (5).txt"]), "a (4).txt");
});

test("a key has a leaf and a folder, which ends in a slash", () => {
  assert.deepEqual([leafOf("a/b/c.txt"), folderOf("a/b/c.txt")], ["c.txt", "a/b/"]);
  assert.deepEqual([leafOf("a/b/"), folderOf("a/b/")], ["b", "a/"]);
  assert.deepEqual([leafOf("a"), folderOf("a")], ["a", ""]);
});

test("a picture out of the clipboard is named by its time, a file that was copied keeps its name", () => {
  const now = new Date(2026, 0, 2, 3, 4, 5);
  const fresh = new File([""], "image.png", { lastModified: now.getTime() - 100 });
  assert.equal(pastedName(fresh, now), "Pasted 2026-01-02 at 03.04.05.png");
  assert.equal(pastedName(new File([""], "image.png", { lastModified: 0 }), now), "image.png");
  assert.equal(pastedName(new File([""], "mine.png", { lastModified: now.getTime() }), now), "mine.png");
});

test("the speed is that of the last seconds", () => {
  const speed = new Speed();
  assert.equal(speed.rate(0), 0);
  for (let at = 0; at <= 4000; at += 250) speed.note(250, at);
  assert.equal(speed.rate(4000), 1000);
  assert.equal(speed.rate(20_000), 0);
  for (let at = 20_000; at <= 40_000; at += 250) speed.note(2500, at);
  assert.equal(speed.rate(40_000), 10_000);
});
