/** What the viewer finds out without a browser: JSON indented, languages and logs known by their names. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isLog, languageOf } from "../../../fileserver/web/static/app/view/languages.js";
import { reindent } from "../../../fileserver/web/static/app/view/reindent.js";

const row = (name, mediaType = null) => ({ name, media_type: mediaType });

test("members get lines of their own", () => {
  assert.equal(
    reindent('{"a":[1,{"b":null}],"c":{}}'),
    '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": {}\n}',
  );
});

test("values stay as they were written", () => {
  const values = ["12345678901234567890", "1e5", "-0.10", '"\\u0041 {,}: \\" "', "true"];
  assert.deepEqual(
    reindent(`[${values.join(",")}]`).match(/^ {2}.*?(?=,?$)/gm),
    values.map((value) => `  ${value}`),
  );
});

test("each value of NDJSON begins a line", () => {
  assert.equal(reindent('{"a":1}\n[]\n2 3'), '{\n  "a": 1\n}\n[]\n2\n3');
});

test("what was indented stays so", () => {
  const once = reindent('{"a":[[],[1]],"b":"x"}');
  assert.equal(reindent(once), once);
});

test("what breaks off or is no JSON loses no letter", () => {
  for (const text of ['{"a":[1,"unfin', "}}]] {", "plain words", '{"a" 1 2}']) {
    assert.equal(reindent(text).replace(/\s/g, ""), text.replace(/\s/g, ""));
  }
});

test("a language is known by the name, else by the type, and never guessed", () => {
  assert.equal(languageOf(row("a.PY")), "python");
  assert.equal(languageOf(row("Makefile")), "makefile");
  assert.equal(languageOf(row("feed", "application/json; charset=utf-8")), "json");
  assert.equal(languageOf(row("readme", "text/plain")), null);
  assert.equal(languageOf(row("constructor")), null);
});

test("logs are known by their names", () => {
  for (const name of ["app.log", "syslog", "app.log.1", "build.out"]) assert.ok(isLog(row(name)), name);
  for (const name of ["catalog", "log.py", "blog.txt"]) assert.ok(!isLog(row(name)), name);
});
