/** What a run writes down of its test pictures: those that it has answered, together when their task is kept. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { decodePredictions, predictionLine, type PredictionRecord } from "../../src/report/predictions.ts";
import type { RunResult } from "../../src/report/result.ts";
import { parseAnswers } from "../../src/report/runReport.ts";
import type { Job } from "../../src/runs/job.ts";
import { predictionsTo } from "../../src/runs/predictions.ts";
import { summary } from "../../src/runs/outcome.ts";
import { runJob } from "../../src/runs/runJob.ts";
import { right, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("predictions");
test.after(remove);
const at = (...path: readonly string[]): string => join(dir, ...path);

const job = (out: string, more: Partial<Job> = {}): Job => ({
  version: 1,
  model: at("model"),
  source: { folders: [at("data", "red"), at("data", "dark")] },
  method: { name: "codyra", options: { steps: 3, batch: 4, rank: 2 } },
  labelSpace: "union",
  probes: [at("data", "grey")],
  seed: 0,
  evaluate: { templates: "single", also: ["task"] },
  onCorrupt: "fail",
  out: at(out),
  predictions: true,
  ...more,
});

const linesOf = (out: string): readonly PredictionRecord[] => right(decodePredictions("predictions.jsonl")(readFileSync(at(out, "predictions.jsonl"), "utf8")));

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10], grey: [100, 200] });
});

test("a run writes a line a picture after every task, with the answers that its result counts", async () => {
  const outcome = await get(runJob(job("run")));
  const { result } = outcome;
  assert.match(summary(outcome, "run"), "log.jsonl, predictions.jsonl, report.html");
  const lines = linesOf("run");
  assert.is(lines.length, 3 * 3 * 4);
  assert.equal(
    [...new Set(lines.map(({ after, task }) => `${after} ${task}`))],
    [0, 1, 2].flatMap((after) => ["red", "dark", "grey"].map((task) => `${after} ${task}`)),
  );
  const share = (after: number, task: string): number => {
    const own = lines.filter((line) => line.after === after && line.task === task);
    return (100 * own.filter(({ label, top: [first] }) => first.label === label).length) / own.length;
  };
  const rows = ({ zeroShot, matrix }: RunResult) => [zeroShot, ...matrix];
  assert.equal(
    [0, 1, 2].map((after) => ["red", "dark"].map((task) => share(after, task))),
    rows(result),
  );
  assert.equal(
    [0, 1, 2].map((after) => share(after, "grey")),
    [result.probes[0].zeroShot, ...result.probes[0].after],
  );
  // Both tasks have ants and bees: of one name there is one entry, and the shares of two are the whole.
  for (const { top, score, label } of lines) {
    assert.equal(top.map((one) => one.label).sort(), ["ant", "bee"]);
    assert.ok(Math.abs(top[0].score + top[1].score - 1) < 1e-6 && top[0].score >= top[1].score);
    assert.is(score, top.find((one) => one.label === label)!.score);
  }
  const [red] = right(parseAnswers("answers.json")(readFileSync(at("run", "answers.json"), "utf8")));
  assert.equal(
    lines.filter(({ after, task }) => after === 2 && task === "red").map(({ sample, top: [{ label }] }) => [sample, label]),
    red.ids.map((id, i) => [id, red.classNames[red.last[i]!]]),
  );
});

test("a method that learns nothing has predictions, too; and without being asked nothing is written", async () => {
  await get(runJob(job("still", { method: { name: "zero-shot", options: {} } })));
  assert.equal([...new Set(linesOf("still").map(({ after }) => after))], [0]);
  await get(runJob(job("plain", { method: { name: "zero-shot", options: {} }, predictions: false })));
  assert.not.ok(existsSync(at("plain", "predictions.jsonl")));
});

test("lines wait until their task is kept", () => {
  let written = "";
  const file = { write: (text: string) => E.right(void (written += text)), size: () => written.length, close: async () => undefined };
  const { event, flush, size } = predictionsTo(file);
  const predictions = [{ sample: "a", label: "ant", score: 1, top: [{ label: "ant", score: 1 }] }];
  event({ type: "predictions", dataset: "red", predictions });
  assert.is(written, "");
  right(flush());
  event({ type: "task", task: "red", position: 0, learned: 1 });
  event({ type: "predictions", dataset: "red", predictions });
  assert.is(size(), written.length);
  assert.is(written.split("\n").length, 2);
  right(flush());
  right(flush());
  assert.equal(
    right(decodePredictions("")(written)).map(({ after }) => after),
    [0, 1],
  );
});

test("a line is read as it was written", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true }).map((x) => Number(x.toPrecision(7)) + 0);
  const text = fc.string({ unit: "binary" });
  const record = fc.record(
    {
      after: fc.nat(),
      task: text,
      sample: text,
      label: text,
      score: share,
      top: fc.array(fc.record({ label: text, score: share }, { noNullPrototype: true })),
    },
    { requiredKeys: ["task", "sample", "label", "score", "top"], noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(record), (records) => {
      const lines = records.map(predictionLine).join("");
      assert.equal(right(decodePredictions("p")(lines)), records as readonly PredictionRecord[]);
      assert.equal(right(decodePredictions("p")(lines.slice(0, -5))), records.slice(0, -1) as readonly PredictionRecord[]);
    }),
  );
  assert.is(decodePredictions("p")('{"task":"a"}\n{}\n')._tag, "Left");
});

test.run();
