import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { prettyJson } from "../../src/report/json.ts";
import { decodeLog, logLine } from "../../src/report/log.ts";
import type { LogRecord } from "../../src/report/log.ts";
import { runResult } from "../../src/report/result.ts";
import { decodeRunResult, parseRunResult } from "../../src/report/resultCodec.ts";
import { lossesOf, parseAnswers } from "../../src/report/runReport.ts";
import { learned, ran, still } from "./fixture.ts";

const refusal = (u: unknown): string => {
  const e = decodeRunResult("out/result.json")(u);
  return E.isLeft(e) ? describe(e.left) : "decoded";
};

test("runResult computes the metrics and the effective rank", () => {
  const r = learned(1, 0);
  assert.is(r.transfer, 17.5);
  assert.is(r.last, 190 / 3);
  assert.is(r.forgetting, 10);
  assert.is(r.bwt, -10);
  assert.is(r.fwt, -5);
  assert.equal(r.perDataset.transfer, [null, 0, 35]);
  assert.equal(r.effectiveRank, [5 / 3, 2, 7 / 3]);
  assert.equal(still.effectiveRank, [null, null, null]);
  assert.is(still.forgetting, 0);
  assert.is(r.learned, 70);
  assert.ok(Math.abs(r.gainKept! - (100 * (25 + 65 + 40)) / (40 + 70 + 40)) < 1e-9);
  assert.equal(r.perDataset.gainKept, [62.5, (100 * 65) / 70, 100]);
  assert.equal([still.learned, still.gainKept], [null, null]);
  assert.equal(still.perDataset.learned, [null, null, null]);
});

test("a result of an older version is read: what follows from its matrix is computed, and what it does not say is not known", () => {
  const facts = { classes: [2, 3, 4], images: [10, 20, 30], chance: [50, 100 / 3, 25] };
  const probes = [{ name: "probe", classes: 4, images: 8, chance: 25, zeroShot: 50, after: [50, 40, null] }];
  const matrix = { datasets: learned(1, 0).datasets, rows: learned(1, 0).matrix };
  const r = runResult({
    ...learned(1, 0),
    ...facts,
    probes,
    matrix,
    also: { union: { zeroShot: [10, 0, 20], matrix, chance: [10, 10, 10] } },
  });
  assert.equal(parseRunResult("x")(prettyJson(r)), E.right(r));
  const { classes: _classes, images: _images, chance: _chance, probes: _probes, learned: _learned, gainKept: _gainKept, ...rest } = r;
  const { learned: _l, gainKept: _g, ...perDataset } = r.perDataset;
  const { learned: _ul, gainKept: _ug, chance: _uc, ...union } = r.also.union;
  const unknown = [null, null, null];
  assert.equal(
    decodeRunResult("x")({ ...rest, perDataset, also: { union } }),
    E.right({ ...r, classes: [], images: [], chance: unknown, probes: [], also: { union: { ...r.also.union, chance: unknown } } }),
  );
  assert.match(refusal({ ...r, images: [1, 2] }), "images has 2 values for 3 datasets");
  assert.match(refusal({ ...r, chance: [1] }), "chance has 1 values for 3 datasets");
  assert.match(refusal({ ...r, gainKept: "much" }), 'gainKept should be a finite number or null, not "much"');
  assert.match(refusal({ ...r, probes: [{ ...probes[0], after: [101] }] }), "probes.0.after.0 should be a number from 0 to 100 or null, not 101");
  assert.match(refusal({ ...r, probes: [{ ...probes[0], after: [1] }] }), "after of the probe probe has 1 values for 3 datasets");
});

test("answers are read back from their JSON; those that do not fit together are damage", () => {
  const answers = { dataset: "animals", classNames: ["ant", "bee"], ids: ["1", "2"], labels: [0, 1], learned: [0, null], last: [1, 1] };
  const read = (u: unknown): string => {
    const e = parseAnswers("out/answers.json")(JSON.stringify(u));
    return E.isLeft(e) ? describe(e.left) : "read";
  };
  assert.equal(parseAnswers("x")(prettyJson([answers])), E.right([answers]));
  assert.is(read([{ ...answers, last: [1] }]), "out/answers.json is damaged: last of animals has 1 values for 2 images");
  assert.is(read([{ ...answers, learned: [2, null] }]), "out/answers.json is damaged: animals has a class 2 where there are 2");
  assert.is(read([{ ...answers, ids: [1, 2] }]), "out/answers.json is damaged: 0.ids.0 should be string, not 1");
});

test("losses are by lesson; those of many steps are means of steps beside one another", () => {
  const step = (task: number, loss: number): LogRecord => ({ type: "step", method: "m", seed: 0, task, dataset: "d", step: 1, steps: 1, loss });
  const note: LogRecord = { type: "eval", method: "m", seed: 0, task: 1, dataset: "d", accuracy: 1, images: 1 };
  assert.equal(lossesOf([note]), []);
  assert.equal(lossesOf([note, step(1, 3), step(1, 2), note, step(3, 1)]), [[3, 2], [], [1]]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 999 }), (losses) => {
      const [found] = lossesOf(losses.map((loss) => step(1, loss)));
      assert.is(found.length, Math.min(200, losses.length));
      if (losses.length <= 200) assert.equal(found, losses);
      assert.ok(found.every((x) => x >= Math.min(...losses) && x <= Math.max(...losses)));
      assert.equal(
        lossesOf(losses.map(() => step(1, 7)))[0],
        found.map(() => 7),
      );
    }),
  );
});

test("a result is read back from its JSON as it was", () => {
  for (const r of [learned(1, 0), still]) assert.equal(parseRunResult("x")(prettyJson(r)), E.right(r));
});

test("a result says what its method is called and where it was scored; one of an older version has its options", () => {
  const r = ran("codyra", [[50]], { title: "CoDyRA", labelSpace: "seen" });
  assert.equal([r.title, r.labelSpace], ["CoDyRA", "seen"]);
  assert.equal(parseRunResult("x")(prettyJson(r)), E.right(r));
  const { title: _title, labelSpace: _labelSpace, ...old } = r;
  assert.equal(decodeRunResult("x")(old), E.right({ ...old, labelSpace: "task" }));
  const options = { labelSpace: "union" };
  assert.equal(decodeRunResult("x")({ ...old, options }), E.right({ ...old, options, labelSpace: "union" }));
  assert.match(refusal({ ...r, title: 1 }), "title should be string, not 1");
});

test("prettyJson is JSON, with the rows of a matrix on one line", () => {
  const value = {
    a: [
      [1, null],
      [2, 3],
    ],
    "b \n[": "[ x ]",
    c: {},
    d: [],
    e: undefined,
    f: [{ g: true }],
    h: NaN,
  };
  const text = prettyJson(value);
  assert.equal(JSON.parse(text), JSON.parse(JSON.stringify(value)));
  assert.ok(text.includes("    [1, null],\n    [2, 3]\n"));
});

test("a bad result is refused with the field's name", () => {
  const r = learned(1, 0);
  const { seed: _seed, ...noSeed } = r;
  assert.is(refusal(noSeed), "out/result.json is damaged: seed should be a finite number, not nothing");
  assert.match(refusal({ ...r, matrix: [[60, 0, "40"], ...r.matrix.slice(1)] }), 'matrix.0.2 should be a number from 0 to 100 or null, not "40"');
  assert.match(refusal({ ...r, zeroShot: [20, 0] }), "zeroShot has 2 values for 3 datasets");
  assert.match(refusal({ ...r, matrix: [[1, 2]] }), "matrix: row 1 has 2 values for 3 datasets");
  const { transfer, average, last, forgetting, learned: once, gainKept, chance } = r;
  const also = (more: object) => refusal({ ...r, also: { union: { zeroShot: [1, 2, 3], matrix: [], transfer, average, last, forgetting, ...more } } });
  assert.is(also({ learned: once, gainKept, chance }), "decoded");
  assert.match(also({ zeroShot: [1, 2] }), "also.union.zeroShot has 2 values for 3 datasets");
  assert.match(also({ chance: [1] }), "also.union.chance has 1 values for 3 datasets");
  assert.match(also({ matrix: [[1, 2]] }), "also.union.matrix: row 1 has 2 values for 3 datasets");
  assert.match(also({ last: 101 }), "also.union.last should be a number from 0 to 100 or null, not 101");
  for (const name of Object.keys(r.perDataset))
    assert.match(refusal({ ...r, perDataset: { ...r.perDataset, [name]: [1] } }), `perDataset.${name} has 1 values`);
  for (const name of ["transfer", "average", "last", "learned"]) assert.match(refusal({ ...r, [name]: -1 }), `${name} should be a number from 0 to 100`);
  for (const name of ["forgetting", "bwt", "fwt"]) {
    assert.match(refusal({ ...r, [name]: -101 }), `${name} should be a number from -100 to 100 or null, not -101`);
    assert.match(refusal({ ...r, perDataset: { ...r.perDataset, [name]: [1, 200, 1] } }), `perDataset.${name}.1 should be a number from -100 to 100`);
  }
  assert.is(refusal({ ...r, gainKept: -250, perDataset: { ...r.perDataset, other: null } }), "decoded");
  assert.match(refusal({ ...r, trainableParameters: 1.5 }), "trainableParameters should be a whole number");
  assert.match(refusal(null), "it should be");
  assert.match(refusal([]), "should be");
  assert.ok(E.isLeft(parseRunResult("x")("{")));
});

test("log lines are read back, and only a cut-off last line is forgiven", () => {
  const head = { method: "codyra", seed: 1, task: 1, dataset: "animals" };
  const records: readonly LogRecord[] = [
    { type: "step", ...head, step: 1, steps: 20, loss: 3.25 },
    { type: "eval", ...head, accuracy: 0, images: 40 },
    { type: "task", ...head, effectiveRank: null, mergeError: 1e-7, seconds: 3 },
  ];
  const text = records.map(logLine).join("");
  assert.equal(decodeLog("log")(text), E.right(records));
  assert.equal(decodeLog("log")(`${text}{"type":"st`), E.right(records));
  const bad = decodeLog("runs/log.jsonl")(`${logLine(records[0])}{"type":"step"}\n${logLine(records[1])}`);
  assert.ok(E.isLeft(bad) && describe(bad.left).startsWith("runs/log.jsonl is damaged: line 2"));
});

test.run();
