import { test } from "uvu";
import * as assert from "uvu/assert";
import { bytes, count, duration, escapeHtml, fixed, signed } from "../../src/report/format.ts";
import { inEverySpace, inSpace } from "../../src/report/spaces.ts";
import type { RunResult } from "../../src/report/result.ts";
import { decodeRunResult } from "../../src/report/resultCodec.ts";
import { spread, summarise } from "../../src/report/summary.ts";
import { textTable } from "../../src/report/table.ts";
import { right } from "../either.ts";
import { learned, ran, still } from "./fixture.ts";

test("format", () => {
  assert.equal([1.25, -0.04, -3, null].map(fixed(1)), ["1.3", "0.0", "\u22123.0", "\u2013"]);
  assert.equal([2, -2, 0.04, -0.04, null].map(signed), ["+2.0", "\u22122.0", "0.0", "0.0", "\u2013"]);
  assert.equal([0, 999, 1000, 4425984].map(count), ["0", "999", "1,000", "4,425,984"]);
  assert.equal([0, 1023, 1024, 123456, 2 ** 20, 5.5 * 2 ** 30, 2 ** 45].map(bytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "120.6 KiB",
    "1.0 MiB",
    "5.5 GiB",
    "32768.0 GiB",
  ]);
  assert.equal([0.04, 9.96, 59.6, 185, 7620].map(duration), ["0.0 s", "10 s", "1 min 00 s", "3 min 05 s", "2 h 07 min"]);
  assert.is(escapeHtml(`<a href="x">'&`), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
});

test("spread is the sample standard deviation", () => {
  assert.equal(spread([1, 2, 3]), { mean: 2, std: 1 });
  assert.equal(spread([5]), { mean: 5, std: null });
  assert.equal(spread([5, null]), { mean: null, std: null });
  assert.equal(spread([]), { mean: null, std: null });
});

test("summarise joins seeds, and keeps options and their order apart", () => {
  const seeds = summarise([still, learned(1, 0), learned(2, 10)]);
  assert.equal(
    seeds.map((s) => s.label),
    ["zero-shot", "codyra"],
  );
  assert.is(seeds[1].runs.length, 2);
  assert.is(seeds[1].matrix[0][0], 65);
  assert.is(seeds[1].metrics.forgetting.mean, 12.5);
  assert.is(seeds[1].metrics.transfer.std, 0);
  const options = summarise([learned(1, 0, { steps: 20, rank: 4 }), learned(1, 0, { rank: 4, steps: 200 }), learned(2, 0, { rank: 4, steps: 20 })]);
  assert.equal(
    options.map((s) => s.label),
    ["codyra steps=20", "codyra steps=200"],
  );
  assert.equal(
    options.map((s) => s.runs.length),
    [2, 1],
  );
});

test("examples that are kept for replay are counted beside bytes", () => {
  const kept = (more: object) => textTable([ran("replay", [[50]], more)], 200);
  assert.match(kept({ examplesKept: 40 }), / 40 pictures /);
  assert.match(kept({ examplesKept: 12, bytesKept: 2048, labelSpace: "own" }), / 2\.0 KiB, 12 questions /);
  assert.match(kept({ examplesKept: 1 }), / 1 picture /);
  assert.match(kept({}), / 0 B /);
  const whole = ran("replay", [[50]], { examplesKept: 40 });
  assert.equal(right(decodeRunResult("x")(JSON.parse(JSON.stringify(whole)))), whole);
});

test("another label space beside tells no runs apart, and a reference is called by its last name", () => {
  const of = (seed: number, options: Readonly<Record<string, unknown>>) => ran("zscl", [[50 + seed]], { seed, options });
  const labels = (...runs: readonly RunResult[]) => summarise(runs).map((s) => `${s.label}: ${s.runs.length}`);
  assert.equal(labels(of(1, { also: ["union"] }), of(2, {})), ["zscl: 2"]);
  assert.equal(labels(of(1, { reference: "/data/imagenet" }), of(1, {})), ["zscl reference=imagenet: 1", "zscl reference=own pictures: 1"]);
  assert.equal(labels(of(1, { reference: "/a/x" }), of(1, { reference: "/b/x" }), of(1, {})), [
    "zscl reference=/a/x: 1",
    "zscl reference=/b/x: 1",
    "zscl reference=own pictures: 1",
  ]);
});

test("runs that were scored elsewhere or on other probes are no seeds of each other, and the same seed twice is no deviation", () => {
  const named = (name: string, last: number) => ({ ...probe(40, [last]), name });
  const of = (seed: number, more = {}) => ran("codyra", [[50 + seed]], { seed, options: { seed }, ...more });
  const labels = (...runs: readonly RunResult[]) => summarise(runs).map((s) => `${s.label}: ${s.runs.length}`);
  assert.equal(labels(of(1), of(2, { labelSpace: "union" }), of(3)), ["codyra labelSpace=task: 2", "codyra labelSpace=union: 1"]);
  assert.equal(labels(of(1), of(2, { probes: [named("birds", 30)] })), ["codyra probes=none: 1", "codyra probes=birds: 1"]);
  const [both, more] = summarise([of(1, { probes: [named("birds", 30), named("cars", 10)] }), of(2, { probes: [named("cars", 20), named("birds", 40)] })]);
  assert.is(more, undefined);
  assert.equal(
    both.probes.map(({ name, last }) => [name, last.mean]),
    [
      ["birds", 35],
      ["cars", 15],
    ],
  );
  const [twice] = summarise([of(1), ran("codyra", [[90]], { options: { seed: 1 } })]);
  assert.equal([twice.runs.length, twice.metrics.last], [1, { mean: 51, std: null }]);
  assert.equal(summarise([of(1), of(2), of(1)])[0].metrics.last, spread([51, 52]));
});

const probe = (zeroShot: number, after: readonly number[]) => ({ name: "birds", classes: 10, images: 100, chance: 10, zeroShot, after });

test("probes, what was learned and what is kept are means over the seeds; a method is called as people write it", () => {
  const of = (seed: number, kept: number, last: number) => {
    const more = { title: "CoDyRA", seed, bytesKept: kept, probes: [probe(40, [30, last])] };
    return ran(
      "codyra",
      [
        [60, 20],
        [40, 80],
      ],
      more,
    );
  };
  const [s] = summarise([of(1, 10, 20), of(2, 30, 40)]);
  assert.is(s.label, "CoDyRA");
  assert.equal(s.metrics.learned, { mean: 70, std: 0 });
  assert.equal(s.metrics.gainKept, { mean: 80, std: 0 });
  assert.is(s.bytesKept.mean, 20);
  assert.equal(
    summarise([
      of(1, 10, 20),
      ran(
        "codyra",
        [
          [20, 20],
          [20, 20],
        ],
        { title: "CoDyRA", seed: 2, probes: [probe(40, [30, 20])] },
      ),
    ])[0].metrics.gainKept,
    { mean: null, std: null },
  );
  const { last, kept, ...rest } = s.probes[0];
  assert.equal(rest, probe(40, [30, 30]));
  assert.equal([last.mean, kept.mean], [30, 75]);
  assert.ok(Math.abs(kept.std! - 2.5 * last.std!) < 1e-9);
});

test("an entry in another label space has the metrics of that space, and nothing where a run was not scored there", () => {
  const also = {
    union: {
      zeroShot: [10, 10],
      matrix: {
        datasets: ["task 1", "task 2"],
        rows: [
          [30, 10],
          [20, 50],
        ],
      },
      chance: [5, 5],
    },
  };
  const both = ran(
    "codyra",
    [
      [60, 20],
      [40, 80],
    ],
    { also },
  );
  const [s] = summarise([both]);
  const union = inSpace(s, "union")!;
  assert.equal([union.label, union.labelSpace, union.zeroShot, union.chance], ["codyra, union", "union", [10, 10], [5, 5]]);
  assert.equal([union.metrics.learned.mean, union.metrics.last.mean, union.metrics.forgetting.mean, union.metrics.bwt.mean], [40, 35, 10, -10]);
  assert.equal(union.perDataset.learned, [30, 50]);
  assert.equal(
    inEverySpace(s).map(({ labelSpace }) => labelSpace),
    ["task", "union"],
  );
  for (const space of ["seen", "task", "toString"]) assert.is(inSpace(s, space), undefined);
  const [some] = summarise([both, { ...both, seed: 2, also: {} }]);
  assert.is(some.runs.length, 2);
  assert.is(inSpace(some, "union"), undefined);
});

test("textTable is aligned, and says below what a person would say", () => {
  assert.is(
    textTable([still, learned(1, 0)]),
    [
      "Method     Learned  Gain kept  Transfer  Average  Last  Forgetting  Trainable     Kept        Time",
      "\u2500".repeat(98),
      "zero-shot        \u2013          \u2013      20.0     20.0  20.0         0.0          \u2013        \u2013       2.0 s",
      "codyra        70.0       86.7      17.5     48.9  63.3        10.0  4,425,984  1.0 KiB  1 min 15 s",
      "",
      "codyra keeps 87 % of the 50.0 points it gained on this stream with the task given.",
    ].join("\n"),
  );
});

test("textTable of several seeds shows mean and spread below each other", () => {
  const lines = textTable([still, learned(1, 0), learned(2, 10)]).split("\n");
  assert.match(lines[3], "12.5 \u00b1 3.5");
  assert.is(lines[2].indexOf("20.0"), lines[3].indexOf("17.5"));
  assert.equal(lines.slice(5), [
    "Mean \u00b1 sample standard deviation over 2 seeds.",
    "Over 2 seeds, codyra keeps 84 % of the 51.7 points it gained on this stream with the task given.",
  ]);
});

/** A run that fills every column, in two label spaces. */
const full = (method: string, seed: number, shift: number) => {
  const rows = [
    [60 + shift + seed, 20],
    [40, 80 + seed],
  ];
  const also = { union: { zeroShot: [10, 10], matrix: { datasets: ["task 1", "task 2"], rows }, chance: [5, 5] } };
  return ran(method, rows, { seed, also, chance: [10, 10], probes: [{ ...probe(40, [30, 30 + seed]), name: "held-out drawings of birds" }], bytesKept: 12345 });
};

test("what was measured stands above what it cost where the lines would be too long; no line is, and other label spaces stand below the run's own", () => {
  const results = ["codyra", "keeplora++", "sequential-lora"].flatMap((method, i) => [full(method, 1, 3 * i), full(method, 2, 3 * i)]);
  const [measured, costs, said] = textTable(results).split("\n\n");
  assert.match(
    measured,
    /^ +held-out\n +drawings of\nMethod .* Forgetting +birds\n\u2500+\nchance .*\n {2}union .*\nzero-shot .*\n {2}union .*\ncodyra .*\n {2}union .*\nkeep/,
  );
  assert.match(costs, /^Method +Trainable +Kept +Time\n\u2500+\ncodyra .*\nkeeplora\+\+ .*\nsequential-lora .*$/);
  assert.match(said, /^Mean .*\nOver 2 seeds, /);
  for (const columns of [120, 80, 40]) {
    const lines = textTable(results, columns).split("\n");
    for (const line of lines) assert.ok([...line].length <= columns, line);
    for (const word of ["Learned", "Gain kept", "birds", "Kept"]) assert.ok(lines.some((line) => line.includes(word)));
  }
  for (const [columns, as] of [
    [1, 40],
    [-Infinity, 40],
    [80.5, 80],
    [NaN, 120],
    [Infinity, 5000],
    [1e300, 5000],
  ])
    assert.is(textTable(results, columns), textTable(results, as), `${columns}`);
  const wide = textTable([...results, { ...full("keeplora", 1, 0), title: "a long name ".repeat(20) }], Infinity);
  assert.is(wide.split("\n\n")[1].split("\n").length, 2);
  assert.is(textTable([full("codyra", 1, 0)]).split("\n\n").length, 2);
});

test("long names take several lines, and names from outside cannot change the terminal", () => {
  const long = ran("codyra", [[50]], { title: "\u001b[2J a method\nof a very long name, longer than any", zeroShot: [20] });
  const text = textTable([long]);
  assert.not.match(text, /[\u001b]/);
  assert.match(text, /^\\u001b\[2J a method\\u000aof a +50\.0.*\n {2}very long name, longer than\n {2}any\n\n/m);
});

test("runs of different streams do not stand in one table", () => {
  const text = textTable([
    ran("codyra", [[50]], { zeroShot: [20] }),
    ran("codyra", [
      [60, 20],
      [40, 80],
    ]),
  ]);
  assert.match(text, /^task 1:\n\nMethod [\s\S]*\n\ntask 1 \u2192 task 2:\n\nMethod /);
});

test("no results give a table without rows", () => {
  assert.is(textTable([]).split("\n").length, 2);
});

test.run();
