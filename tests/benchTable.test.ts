/** The table of `npm run bench:gpu`: what is better than its goal has met it, and a part that failed is a line. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { markdown, met } from "../bench/gpuTable.ts";

const row = { part: "f32", what: "step", measured: "10 ms" };

test("goals are bounds of ratios", () => {
  assert.equal(
    [met(row), met({ ...row, ratio: 2 }), met({ ...row, ratio: 1.1, goal: { most: 1.1 } }), met({ ...row, ratio: 1.2, goal: { most: 1.1 } })],
    [undefined, undefined, true, false],
  );
  assert.equal([met({ ...row, ratio: 1.5, goal: { least: 1.5 } }), met({ ...row, ratio: 1.4, goal: { least: 1.5 } })], [true, false]);
});

test("rows are lines of a table, whatever they say", () => {
  const text = markdown([
    { ...row, beside: "torch 8 ms", ratio: 1.25, goal: { most: 1.1 } },
    { part: "mixed", what: "failed", measured: "a | b\nc" },
  ]);
  assert.equal(text.split("\n").slice(2), ["| f32 | step | 10 ms | torch 8 ms | 1.25 | at most 1.1 | **no** |", "| mixed | failed | a \\| b c |  |  |  |  |"]);
});

test.run();
