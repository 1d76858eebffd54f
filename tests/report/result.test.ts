import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { prettyJson } from "../../src/report/json.ts";
import { decodeLog, logLine } from "../../src/report/log.ts";
import type { LogRecord } from "../../src/report/log.ts";
import { decodeRunResult, parseRunResult } from "../../src/report/result.ts";
import { learned, still } from "./fixture.ts";

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
});

test("a result is read back from its JSON as it was", () => {
  for (const r of [learned(1, 0), still]) assert.equal(parseRunResult("x")(prettyJson(r)), E.right(r));
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
