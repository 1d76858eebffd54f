/** `cambium predict` and `cambium evaluate` as their users meet them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodePredictions } from "../../src/report/predictions.ts";
import type { Evaluation } from "../../src/report/evaluation.ts";
import type { Classified } from "../../src/stages/predict.ts";
import { png, right, temporaryFolder, writeWebDataset, write, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium } from "./command.ts";

const { dir, remove } = temporaryFolder("afterwards");
test.after(remove);
const at = (...path: readonly string[]): string => join(dir, ...path);
const here = { cwd: dir };

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10] });
  write(at("photos"), { "b.png": await png(9, 9), "a.png": await png(200, 9), "more/c.png": await png(90, 90), "notes.txt": "none", ".hidden.png": "x" });
  await writeWebDataset(at("shards"));
  write(dir, { "labels.txt": "ant\nbee, small\n\ncat\n", "bad.png": "no picture" });
});

test("a line a picture, with the likeliest labels; a folder stands for its pictures", async () => {
  const ended = await cambium(["predict", "model", "photos/b.png", "photos/", "--labels", "ant, bee,cat", "--top", "2"], undefined, here);
  assert.is(ended.code, 0, ended.stderr);
  const lines = ended.stdout.trimEnd().split("\n");
  assert.equal(
    lines.map((line) => line.split("  ")[0]),
    ["photos/b.png", "photos/a.png", "photos/more/c.png"],
  );
  for (const line of lines) assert.match(line, / {2}(ant|bee|cat) \d+\.\d %, (ant|bee|cat) \d+\.\d %$/);
  assert.match(ended.stderr, /^adapter: /m);
});

test("labels of a file may hold commas; --json is one value", async () => {
  const ended = await cambium(["predict", "model", "photos", "--labels-file", "labels.txt", "--json", "--quiet"], undefined, here);
  assert.is(ended.code, 0, ended.stderr);
  const answers = JSON.parse(ended.stdout) as readonly Classified[];
  assert.is(answers.length, 3);
  assert.equal(answers[0].labels.map(({ label }) => label).sort(), ["ant", "bee, small", "cat"]);
  assert.ok(Math.abs(answers[0].labels.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-9);
  assert.not.match(ended.stderr, "adapter");
});

test("what is wrong is said in one line", async () => {
  const wrong = async (...args: readonly string[]): Promise<string> => {
    const ended = await cambium(["predict", ...args], undefined, here);
    assert.equal([ended.code, ended.stdout], [1, ""]);
    return ended.stderr;
  };
  assert.match(await wrong("model", "--labels", "ant"), /needs a model and at least one picture/);
  assert.match(await wrong("model", "photos", "--labels", "ant", "--labels-file", "labels.txt"), "give one of them");
  for (const [operand, said] of [
    ["gone.png", /^Cannot read .*gone\.png: no such file or directory\n$/],
    ["model", /^Cannot read .*model: no file in it has the name of a picture\n$/],
    ["shards", /^Cannot read shards: it is a dataset; cambium evaluate model --data shards scores a model on it\n$/],
  ] as const)
    assert.match(await wrong("model", operand, "--labels", "ant"), said);
  assert.match(await wrong("model", "photos", "--labels", "ant,ant"), /^(Warning: .*\n|adapter: .*\n)*--labels: "ant" and "ant" are one name/);
  assert.match(await wrong("model", "bad.png", "--labels", "ant"), /bad\.png cannot be decoded: it is no picture/);
  assert.match(await wrong("model", "bad.png", "--labels", "ant", "--on-corrupt", "skip"), /skipped .*bad\.png(.*\n)*.*none of the pictures could be read/);
});

test("a model is scored on datasets, a run is scored as it was, and asked without labels it knows its classes", async () => {
  const table = await cambium(["evaluate", "model", "--data", "data/red,data/dark", "--label-space", "union,task"], undefined, here);
  assert.is(table.code, 0, table.stderr);
  assert.match(
    table.stdout,
    /Dataset +Accuracy among all classes +Chance +Accuracy among own classes +Chance +Classes +Pictures\n\u2500+\nred .*\ndark .*\nmean /,
  );
  const ran = await cambium(
    ["run", "--model", "model", "--data", "data/red,data/dark", "--method", "codyra", "--out", "run", "--steps", "1", "--batch", "4", "--rank", "2"],
    undefined,
    here,
  );
  assert.is(ran.code, 0, ran.stderr);
  const { matrix } = JSON.parse(readFileSync(at("run", "result.json"), "utf8")) as { readonly matrix: readonly (readonly number[])[] };
  const again = await cambium(["evaluate", "run", "--data", "data/red,data/dark", "--predictions", "told.jsonl", "--json"], undefined, here);
  assert.is(again.code, 0, again.stderr);
  const { datasets, model } = JSON.parse(again.stdout) as Evaluation & { readonly model: string };
  assert.equal(
    datasets.map(({ accuracy }) => accuracy.task),
    matrix[1],
  );
  assert.match(model, /run[/\\]model$/);
  const told = right(decodePredictions("told.jsonl")(readFileSync(at("told.jsonl"), "utf8")));
  assert.equal([told.length, told[0].task, told[0].after], [8, "red", undefined]);
  const asked = await cambium(["predict", "run", "photos/a.png", "--json"], undefined, here);
  const [{ labels }] = JSON.parse(asked.stdout) as readonly Classified[];
  assert.equal(labels.map(({ label }) => label).sort(), ["ant", "bee"]);
});

test("what cannot be evaluated is told", async () => {
  const wrong = async (...args: readonly string[]): Promise<string> => (await cambium(["evaluate", ...args], undefined, here)).stderr;
  assert.match(await wrong("model", "--data", "data/red", "--label-space", "seen"), "one of task, union");
});

test.run();
