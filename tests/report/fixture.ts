/** Small results with round numbers, for the tests of the report. */
import * as assert from "uvu/assert";
import { constantMatrix, matrixFromRows } from "../../src/report/metrics.ts";
import { runResult } from "../../src/report/result.ts";
import type { RunFacts, RunResult } from "../../src/report/result.ts";
import { right } from "../either.ts";

export const datasets: readonly string[] = ["animals", "food <b>&", "flags"];
export const zeroShot: readonly number[] = [20, 0, 40];

/** A run of a method that learns; its first accuracy is 60 + `shift`. */
export const learned = (seed: number, shift: number, options: Readonly<Record<string, unknown>> = { steps: 20 }): RunResult =>
  runResult({
    method: "codyra",
    options: { ...options, seed, out: `runs/${seed}` },
    seed,
    adapter: "an adapter",
    zeroShot,
    matrix: right(
      matrixFromRows(datasets, [
        [60 + shift, 0, 40],
        [50, 70, 30],
        [45, 65, 80],
      ]),
    ),
    trainableParameters: 4425984,
    bytesKept: 1024,
    ranks: [1, 2, 3].map((task) => ({
      "vision_model.encoder.layers.0.self_attn.q_proj": task,
      "vision_model.encoder.layers.0.mlp.fc1": 4,
      "text_model.encoder.layers.1.mlp.fc2": 0,
    })),
    seconds: 75,
  });

/** The model that never learns. */
export const still: RunResult = runResult({
  method: "zero-shot",
  options: {},
  seed: 1,
  adapter: "an adapter",
  zeroShot,
  matrix: right(constantMatrix(datasets, zeroShot)),
  trainableParameters: 0,
  bytesKept: 0,
  ranks: [],
  seconds: 2,
});

/** A run with these rows over as many tasks; unless `more` says otherwise of a method that trains, from 20 % on every task. */
export const ran = (method: string, rows: RunResult["matrix"], more: Partial<RunFacts> = {}): RunResult => {
  const names = rows.map((_, i) => `task ${i + 1}`);
  const all = {
    method,
    options: {},
    seed: 1,
    adapter: "an adapter",
    trainableParameters: 1000,
    bytesKept: 0,
    ranks: [],
    seconds: 60,
    zeroShot: names.map(() => 20),
  };
  return runResult({ ...all, matrix: right(matrixFromRows(names, rows)), ...more });
};

/** Fails on a tag that is closed without being open; returns the tags left open. */
export const openTags = (html: string): readonly string[] => {
  const open: string[] = [];
  const body = html.replace(/<style>[\s\S]*?<\/style>/g, "").replace(/<!doctype html>/, "");
  for (const [, close, name, end] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*?(\/?)>/g)) {
    if (close === "/") assert.is(open.pop(), name);
    else if (end !== "/" && !["meta", "wbr"].includes(name)) open.push(name);
  }
  return open;
};
