/** What a person would say: every way in which a gain can end, one method and many, probes, and seeds that cannot tell methods apart. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { comparisons } from "../../src/report/comparison.ts";
import type { RunResult } from "../../src/report/result.ts";
import { summarise } from "../../src/report/summary.ts";
import { ran } from "./fixture.ts";

const said = (results: readonly RunResult[]): string => comparisons(summarise(results))[0].sentence;

/** One task is enough to gain, and a second to lose: from 20 % on both. */
const run = (name: string, learned: number, last: number, more = {}): RunResult =>
  ran(
    name,
    [
      [learned, 20],
      [last, learned],
    ],
    more,
  );
const twice = (name: string, learned: number, last: number, apart = 0, more = {}): readonly RunResult[] =>
  [-apart, apart].map((shift, seed) => run(name, learned, last + shift, { seed, ...more }));

const codyra = { title: "CoDyRA" };
const lora = { title: "sequential LoRA" };
const probe = (zeroShot: number | null, last: number, images = 800) => ({
  probes: [{ name: "birds", classes: 200, images, chance: 0.5, zeroShot, after: [last, last] }],
});

test("two methods and what is left outside of the tasks", () => {
  assert.is(
    said([run("sequential-lora", 60, 20, { ...lora, ...probe(50, 30) }), run("codyra", 40, 35, { ...codyra, ...probe(50, 49) })]),
    "CoDyRA keeps 88 % of the 20.0 points it gained on this stream with the task given, sequential LoRA 50 % of 40.0; " +
      "outside of the tasks the model keeps 98 % and 60 % of what it knew. One seed does not say how much of this is luck.",
  );
});

test("one method alone; without a probe, or with one that the model never knew, nothing is said of it", () => {
  const alone = "CoDyRA keeps 88 % of the 20.0 points it gained on this stream with the task given";
  assert.is(said([run("codyra", 40, 35, codyra)]), `${alone}.`);
  assert.is(said([run("codyra", 40, 35, { ...codyra, ...probe(50, 25) })]), `${alone}; outside of the tasks the model keeps 50 % of what it knew.`);
  for (const guessed of [probe(null, 1), probe(0, 1), probe(0.9, 1), probe(50, 40, 0)])
    assert.is(said([run("codyra", 40, 35, { ...codyra, ...guessed })]), `${alone}.`);
});

test("whatever became of a gain", () => {
  const end = (learned: number, last: number) => said([run("codyra", learned, last, codyra)]).replace("CoDyRA ", "");
  assert.is(end(20, 20), "gains nothing on this stream with the task given.");
  assert.is(end(15, 15), "gains nothing on this stream with the task given and ends 5.0 points below zero-shot.");
  assert.is(end(15, 30), "gains nothing on this stream with the task given.");
  assert.is(end(40, 0), "loses all of the 20.0 points it gained on this stream with the task given.");
  assert.is(end(30, 0), "loses all of the 10.0 points it gained on this stream with the task given and 5.0 more.");
  assert.is(end(40, 40), "keeps 100 % of the 20.0 points it gained on this stream with the task given.");
  assert.is(end(40, 50), "keeps all of the 20.0 points it gained on this stream with the task given and adds 5.0.");
  assert.is(
    said([
      ran("a", [
        [null, 20],
        [null, 40],
      ]),
    ]),
    "",
    "what was not measured is not told",
  );
});

test("a second method has a verb of its own where the first has another", () => {
  const fall = run("sequential-lora", 30, 0, lora);
  const both =
    "CoDyRA keeps 88 % of the 20.0 points it gained on this stream with the task given, sequential LoRA loses all of the 10.0 points it gained and 5.0 more.";
  assert.is(said([fall, run("codyra", 40, 35, codyra)]), `${both} One seed does not say how much of this is luck.`);
  assert.match(
    said([run("a", 30, 0), run("sequential-lora", 24, 20)]),
    "a loses all of the 10.0 points it gained on this stream with the task given and 5.0 more, sequential-lora keeps 50 % of the 4.0 points it gained.",
  );
});

test("of seeds the means, and methods that they do not tell apart are alike", () => {
  const first = "Over 2 seeds, a keeps 88 % of the 20.0 points it gained on this stream with the task given, b 75 % of 20.0.";
  assert.is(said([...twice("a", 40, 35, 1), ...twice("b", 40, 30, 1)]), first);
  assert.is(said([...twice("a", 40, 35, 4), ...twice("b", 40, 30, 4)]), `${first} Alike in the share they keep: a and b.`);
  const three = [...twice("a", 40, 35, 4), ...twice("b", 40, 30, 4), ...twice("c", 40, 34, 4)];
  assert.match(said(three), / Alike in the share they keep: a, c and b\.$/);
  const two = [...twice("a", 40, 35, 4), ...twice("b", 40, 30, 4), ...twice("c", 40, 2, 1)];
  assert.match(said(two), / Alike in the share they keep: a and b\.$/);
  const known = [...twice("a", 40, 35, 1, probe(50, 40)), ...twice("b", 40, 30, 1, probe(50, 40))];
  assert.is(said(known), `${first.slice(0, -1)}; outside of the tasks the model keeps 80 % and 80 % of what it knew. Alike outside of the tasks: a and b.`);
  // One of the seeds gained nothing, so there is no mean share.
  assert.is(
    said([run("a", 20, 20, { seed: 1 }), run("a", 22, 21, { seed: 2 })]),
    "Over 2 seeds, a keeps 0.8 of the 1.0 points it gained on this stream with the task given.",
  );
});

test("of many methods the one that ends highest and the baseline are named; that it leads is said only where the seeds show it", () => {
  const others = (apart: number) => [
    ...twice("sequential-lora", 70, 25, apart),
    ...twice("a", 40, 25, apart),
    ...twice("b", 40, 38, apart),
    ...twice("c", 40, 30, apart),
  ];
  assert.match(said(others(1)), /^sequential-lora ends highest of 4 methods\. Over 2 seeds, b keeps 95 % .*, sequential-lora 55 % of 50\.0\.$/);
  assert.match(
    said(others(15)),
    /^Of 4 methods over 2 seeds, b keeps 95 % .*, sequential-lora 55 % of 50\.0\. Alike in the share they keep: b and sequential-lora\.$/,
  );
  const single = ["a", "b", "c", "d"].map((name, i) => run(name, 40, 30 + i));
  assert.match(said(single), /^Of 4 methods, d keeps .*, c 80 % of 20\.0\. One seed /);
});

test("of many methods that gain nothing it says how many they are, and which one ends highest", () => {
  const poor = ["a", "b", "c", "d", "e", "f"].map((name, i) => run(name, 15, 10 + i));
  assert.is(
    said([run("sequential-lora", 10, 5), ...poor]),
    "None of 7 methods gains anything on this stream with the task given; the highest at the end is f, 5.0 points below zero-shot.",
  );
  assert.match(said([...poor, run("sequential-lora", 30, 0)]), /^Of 7 methods, f gains nothing .* sequential-lora loses all of the 10\.0 points/);
  assert.is(
    said([...poor, run("g", 30, 0), run("sequential-lora", 10, 5)]),
    "7 of 8 methods gain nothing on this stream with the task given; the highest at the end is f, 5.0 points below zero-shot.",
  );
  assert.match(said([...poor.slice(1), run("h", 20, 20)]), /; the highest at the end is h, as high as zero-shot\.$/);
});

test("it says nothing where nothing was learned, and never what no number is", () => {
  assert.is(said([ran("zero-shot", [[20]], { trainableParameters: 0, zeroShot: [20] })]), "");
  const accuracy = fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { freq: 8 });
  const row = fc.tuple(accuracy, accuracy);
  const of = fc.record({
    rows: fc.tuple(row, row),
    zeroShot: row,
    method: fc.constantFrom("a", "b", "c", "d", "sequential-lora"),
    seed: fc.nat(3),
    known: row,
  });
  fc.assert(
    fc.property(fc.array(of, { minLength: 1, maxLength: 8 }), (runs) => {
      const results = runs.map(({ rows, zeroShot, method, seed, known }) =>
        ran(method, rows, { zeroShot, seed, probes: [{ name: "p", classes: 2, images: 9, chance: 50, zeroShot: known[0], after: known }] }),
      );
      const text = said(results);
      assert.not.match(text, /NaN|undefined|null|Infinity|\u2013|\u2212| {2}| \.|^[a-z].*\. [a-z]/);
      assert.ok(text === "" || text.endsWith("."));
    }),
  );
});

test.run();
