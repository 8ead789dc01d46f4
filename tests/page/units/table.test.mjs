import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";

import { edgesOf, seenColumns } from "../../../fileserver/web/static/app/table/columns.js";
import { csvReader, NULL } from "../../../fileserver/web/static/app/table/csv.js";
import { endOfRecords, sampleOf } from "../../../fileserver/web/static/app/table/local.js";
import { past } from "../../../fileserver/web/static/app/table/past.js";
import { jsonOf, parametersOf } from "../../../fileserver/web/static/app/table/plan.js";
import { clipboardText } from "../../../fileserver/web/static/app/table/range.js";
import { barAt, scaleOf, topAfter } from "../../../fileserver/web/static/app/table/scale.js";
import { quoted } from "../../../fileserver/web/static/app/core/shell.js";
import { curlLine } from "../../../fileserver/web/static/app/table/shell.js";
import { condition } from "../../../fileserver/web/static/app/table/steps/sql.js";
import { guessedTypes } from "../../../fileserver/web/static/app/table/types.js";

const VIEW = 700;

test("a table that fits the browser scrolls pixel by pixel", () => {
  const scale = scaleOf(32_000, VIEW);
  assert.equal(scale.space, 32_000);
  assert.equal(topAfter(scale, { top: 0, bar: 0 }, 5000, VIEW), 5000);
});

test("a turn of the wheel moves a huge table by as much as a small one", () => {
  const scale = scaleOf(320_000_000, VIEW);
  const top = 160_000_000;
  const bar = barAt(scale, top);
  assert.equal(topAfter(scale, { top, bar }, bar + 100, VIEW), top + 100);
  assert.equal(topAfter(scale, { top, bar }, bar - 100, VIEW), top - 100);
});

test("the bar dragged to its end shows the last row of a huge table", () => {
  const scale = scaleOf(320_000_000, VIEW);
  assert.equal(topAfter(scale, { top: 0, bar: 0 }, scale.bar, VIEW), 320_000_000 - VIEW);
  assert.equal(topAfter(scale, { top: 9e7, bar: scale.bar / 2 }, 0, VIEW), 0);
});

test("the columns that are seen are all of those and hardly more", () => {
  const edges = edgesOf([100, 100, 100, 100]);
  assert.deepEqual(edges, [0, 100, 200, 300, 400]);
  assert.deepEqual(seenColumns(edges, 0, 150), [0, 2]);
  assert.deepEqual(seenColumns(edges, 100, 100), [1, 2]);
  assert.deepEqual(seenColumns(edges, 350, 500), [3, 4]);
  assert.deepEqual(seenColumns([0], 0, 500), [0, 0]);
});

test("a cell for the clipboard is as it is, several are quoted where they need it", () => {
  assert.equal(clipboardText([['say "hi"\t']]), 'say "hi"\t');
  assert.equal(
    clipboardText([
      ["a", 'b"c'],
      [null, "d\te\n"],
    ]),
    'a\t"b""c"\n\t"d\te\n"',
  );
});

for (const step of [1, 2, 3, 7, 1000]) {
  test(`CSV is the same in pieces of ${step}`, () => {
    const text = `a,b\n"x,""y""\n",${NULL}\n"",\n"${NULL}",ö\n`;
    const parser = csvReader();
    const found = [];
    for (let at = 0; at < text.length; at += step) found.push(...parser.read(text.slice(at, at + step)));
    found.push(...parser.end());
    assert.deepEqual(found, [
      ["a", "b"],
      ['x,"y"\n', null],
      ["", ""],
      [NULL, "ö"],
    ]);
  });
}

test("a last record without its line end counts", () => {
  const parser = csvReader();
  assert.deepEqual([...parser.read('a\n"b"'), ...parser.end()], [["a"], ["b"]]);
});

test("a shell gives every word back as it was", () => {
  const words = [
    "it's",
    '"$HOME"',
    "`id`",
    "a b",
    "*?[x]",
    "\\n",
    "é",
    "!",
    "a\nb",
    "-x",
    "'",
    "''",
    "~",
    "#",
    "",
    "$(x)",
  ];
  const line = `printf '%s\\0' ${words.map(quoted).join(" ")}`;
  assert.deepEqual(execFileSync("sh", ["-c", line]).toString().split("\0").slice(0, -1), words);
});

test("file names are no options and no globs in a curl line", () => {
  const wish = { address: "http://a/transform", parameters: [], json: "{}", output: "-o.csv" };
  assert.equal(curlLine({ ...wish, file: "-x[1].csv.gz" }).startsWith("curl -X POST -g -T './-x[1].csv.gz' "), true);
  assert.match(curlLine({ ...wish, file: "a.csv.gz" }), /'Content-Encoding: gzip'/);
  assert.match(curlLine({ ...wish, file: null }), /-o \.\/-o\.csv$/);
});

test("JSON keeps the order of names that are numbers", () => {
  assert.equal(
    jsonOf({
      steps: [
        {
          columns: new Map([
            ["10", "x"],
            ["2", "y"],
          ]),
          n: undefined,
        },
      ],
    }),
    '{"steps":[{"columns":{"10":"x","2":"y"}}]}',
  );
});

test("a plan in the order of a query is said by its parameters", () => {
  const steps = [
    {
      op: "replace",
      column: "a:b",
      map: new Map([
        ["x", null],
        ["y", ""],
      ]),
    },
    { op: "filter", where: "a > 1" },
    { op: "filter", where: "b > 1" },
    {
      op: "derive",
      columns: new Map([
        ["t", "a*b"],
        ["u,v", "1"],
      ]),
    },
    { op: "group_by", columns: ["c"], aggregate: new Map([["n", "count(*)"]]), having: "n > 1" },
    { op: "sort", by: [{ column: "-n", desc: true, type: "int64" }] },
    { op: "limit", n: 3, offset: 1 },
  ];
  assert.deepEqual(parametersOf({ steps, input: { quote: null }, output: { format: "xlsx", bom: true } }), [
    ["quote", "none"],
    ["replace", '"a:b":x:,"a:b":y:""'],
    ["filter", "a > 1"],
    ["filter", "b > 1"],
    ["derive", 't=a*b;"u,v"=1'],
    ["group_by", "c"],
    ["aggregate", "n=count(*)"],
    ["having", "n > 1"],
    ["sort", '-"-n":int64'],
    ["limit", "3"],
    ["offset", "1"],
    ["format", "xlsx"],
    ["output_bom", "true"],
  ]);
});

for (const [name, steps] of Object.entries({
  "in another order": [
    { op: "limit", n: 3 },
    { op: "filter", where: "a" },
  ],
  "with two sorts": [
    { op: "sort", by: [{ column: "a" }] },
    { op: "sort", by: [{ column: "b" }] },
  ],
  "with a join": [{ op: "join", file: "a", on: new Map([["a", "a"]]) }],
  "with a semicolon in an expression": [{ op: "derive", columns: new Map([["a", "b || ';'"]]) }],
  "that cleans some columns": [{ op: "clean", actions: ["trim"], columns: ["a"] }],
})) {
  test(`a plan ${name} is said by JSON alone`, () => assert.equal(parametersOf({ steps }), null));
}

test("conditions quote what they are made of", () => {
  assert.equal(condition("is", 'a"b', "it's"), `"a""b" = 'it''s'`);
  assert.equal(condition("more", "qty", " 10.5 "), '"qty" > 10.5');
  assert.equal(condition("more", "day", "2026-01-01"), `"day" > '2026-01-01'`);
  assert.equal(condition("contains", "a", "ÄB"), `contains(lower("a"), 'äb')`);
});

test("a sample ends with a whole record, wherever line breaks stand in quotes", () => {
  const bytes = (text) => new TextEncoder().encode(text);
  assert.equal(endOfRecords(bytes('a\n"b\nc"\n"d\n'), '"'), 'a\n"b\nc"\n'.length);
  assert.equal(endOfRecords(bytes('a\n"b\n'), ""), 5);
  assert.equal(endOfRecords(bytes("no end"), '"'), 6);
  const wide = new Uint8Array([255, 254, 97, 0, 10, 0, 98, 0, 10, 1, 99, 0]); // U+010A is no line break
  assert.equal(endOfRecords(wide, '"'), 6);
});

test("of a large file only the beginning is looked at, packed or not", async () => {
  const text = `a,b\n${"1,2\n".repeat(600_000)}`;
  const { part, isWhole } = await sampleOf(new File([text], "a.csv"));
  assert.equal(isWhole, false);
  assert.ok(part.size <= 1_000_000 && (await part.text()).endsWith("1,2\n"));
  const zipped = await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
  const random = crypto.getRandomValues(new Uint8Array(65_536));
  const padded = new File([zipped, ...Array(20).fill(random)], "a.csv.gz");
  const packed = await sampleOf(padded);
  assert.equal(packed.name, "a.csv");
  assert.equal(await packed.part.text(), await part.text());
});

test("types are those that all values fit, and zeros in front make a text", () => {
  const rows = [
    ["007", "1", "1.5", "2026-01-01", null, "1e5"],
    ["008", "-2", "3", "2026-01-02", "", ".5"],
  ];
  assert.deepEqual(
    [...guessedTypes(["a", "b", "c", "d", "e", "f"], rows).values()],
    ["text", "int64", "decimal(18,2)", "date", "text", "float64"],
  );
});

test("what was typed at a stretch is undone at once", () => {
  const history = past();
  history.keep("", "value");
  history.keep("a", "value");
  history.keep("ab", "other");
  assert.equal(history.undo("abc"), "ab");
  assert.equal(history.undo("ab"), "");
  assert.equal(history.undo(""), null);
  assert.equal(history.redo(""), "ab");
});
