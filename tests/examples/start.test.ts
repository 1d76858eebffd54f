/** The default example at a size that takes seconds. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { paced } from "../../examples/run/pace.ts";
import { worlds } from "../../examples/run/world.ts";
import { methods, type MethodName } from "../../src/methods/table.ts";
import { parseRunResult } from "../../src/report/resultCodec.ts";
import { right, temporaryFolder } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { runFile } from "../runtime.ts";

const source = fileURLToPath(new URL("../../examples/start.ts", import.meta.url));
const command = existsSync(source) ? source : source.replace(/ts$/, "js");

const { dir, remove } = temporaryFolder("start");

test.after(remove);

test("a method goes as far in few steps as its defaults do: whole models are fine-tuned at low rates", () => {
  for (const name of ["sequential-lora", "joint", "codyra", "replay", "glad", "color", "moram", "sd-lora"] as const) assert.is(paced(name, 60), 4e-3, name);
  for (const name of ["lwf", "zscl", "wise-ft"] as const) assert.ok(Math.abs(paced(name, 1000) - 1e-5) < 5e-7, name);
  assert.is(paced("lwf", 30), paced("lwf", 3), "fewer than 30 steps have the rate of 30");
  assert.is(paced("zero-shot", 45), 0);
  assert.is(paced("lora-ttt", 45), 0);
  for (const name of Object.keys(methods) as MethodName[]) assert.is(paced(name, 45) > 0, "lr" in methods[name].declaration.options, name);
});

test("four methods, what will happen and how long it takes, one table, one report", async () => {
  const [model, out] = [join(dir, "model"), join(dir, "out")];
  await writeTinyClip(model);
  const ended = await runFile(command, ["--model", model, "--out", out, "--tasks", "2", "--steps", "2", "--batch", "4"]);
  assert.is(ended.code, 0, ended.output);
  assert.match(ended.output, /^adapter: /m);
  assert.match(
    ended.output,
    /learns 2 tasks of icons with 52 classes one after another, 2 steps of 4 pictures each.*: zero-shot, sequential-lora, codyra, keeplora\+\+, each from the same start/,
  );
  assert.match(ended.output, /^Learning rates: 8e-3 of sequential-lora, codyra; 4\.2e-2 of keeplora\+\+\.$/m);
  assert.match(ended.output, /^That takes about \d/m);
  assert.match(ended.output, /\nMethod +Learned +(Gain kept +)?Transfer +Average +Last +Forgetting .*Trainable +Kept +Time/);
  assert.match(
    ended.output,
    /\nchance .*\n {2}union .*\nzero-shot .*\n {2}union .*\nsequential LoRA .*\n {2}union .*\nCoDyRA .*\n {2}union .*\nKeepLoRA\+\+ .*\n {2}union .*\n/,
  );
  assert.match(ended.output, /\nMethod .* other things /);
  assert.match(ended.output, /\nCurves, matrices, and the pictures that were lost: .*report\.html\n/);
  assert.is(worlds["icon-questions"].example, "question");
  assert.equal(readdirSync(out).sort(), ["codyra.json", "keeplora++.json", "report.html", "sequential-lora.json", "zero-shot.json"]);
  const read = (name: string) => right(parseRunResult(name)(readFileSync(join(out, `${name}.json`), "utf8")));
  const [zero, ...trained] = ["zero-shot", "sequential-lora", "codyra", "keeplora++"].map(read);
  assert.equal(zero.datasets, ["animals", "food"]);
  assert.is(zero.trainableParameters, 0);
  for (const result of trained) {
    assert.equal(result.zeroShot, zero.zeroShot);
    assert.is(result.matrix.length, 2);
    assert.ok(result.trainableParameters > 0);
    assert.equal(
      result.probes.map(({ name, images, after }) => [name, images, after.length]),
      [["other things", 200, 2]],
    );
  }
  const page = readFileSync(join(out, "report.html"), "utf8");
  for (const name of ["zero-shot", "sequential LoRA", "CoDyRA", "KeepLoRA++"]) assert.ok(page.includes(name));
  assert.not.match(page, /<script|https?:\/\//);
});

test("several seeds are means and deviations; a smaller stream has fewer classes; what is not trained runs once", async () => {
  const [model, out] = [join(dir, "model-of-seeds"), join(dir, "seeds")];
  await writeTinyClip(model);
  const small = ["--tasks", "1", "--classes", "5", "--steps", "1", "--batch", "4", "--towers", "vision"];
  const ended = await runFile(command, ["--model", model, "--out", out, ...small, "--seed", "3,5", "--methods", "zero-shot,joint,sequential-lora"]);
  assert.is(ended.code, 0, ended.output);
  assert.match(ended.output, /learns 1 task of icons with 5 classes.*, 1 step of 4 pictures.*adapters in its vision tower.*with 2 seeds/);
  const names = ["joint-3.json", "joint-5.json", "report.html", "sequential-lora-3.json", "sequential-lora-5.json", "zero-shot-3.json"];
  assert.equal(readdirSync(out).sort(), names);
  assert.is(right(parseRunResult("joint")(readFileSync(join(out, "joint-5.json"), "utf8"))).classes[0], 5);
  assert.match(ended.output, /2 seeds/);
});

test("a model that is not there is told in one line", async () => {
  const ended = await runFile(command, ["--model", join(dir, "nowhere"), "--out", join(dir, "other")]);
  assert.is(ended.code, 1);
  assert.match(ended.output, /^Cannot read .*nowhere.*config\.json: no such file or directory\n$/);
});

test.run();
