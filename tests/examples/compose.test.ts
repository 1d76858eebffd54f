/** The composed method: what it says of itself, and the example at a size that takes seconds. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { composed } from "../../examples/compose-your-own.ts";
import { manifest } from "../../src/stages/stage.ts";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { runFile } from "../runtime.ts";

const source = fileURLToPath(new URL("../../examples/compose-your-own.ts", import.meta.url));
const command = existsSync(source) ? source : source.replace(/ts$/, "js");

const { dir, remove } = temporaryFolder("compose");

test.after(remove);

test("the method says which parts of which papers it is made of", () => {
  const [scan] = manifest(composed({ rank: 8 })).parts!;
  assert.equal(
    scan.parts!.map(({ name }) => name),
    ["project", "encode", "project", "adapt", "project", "merge", "project", "evaluate"],
  );
  const said = JSON.stringify(scan);
  for (const part of ["principalWeights", "residualGradient", "largestGates(4)", "softThreshold", "past", "selected", "featureBasis"]) {
    assert.ok(said.includes(part), part);
  }
});

test("one method, one table, one report", async () => {
  const [model, out] = [join(dir, "model"), join(dir, "out")];
  await writeTinyClip(model);
  const ended = await runFile(command, ["--model", model, "--out", out, "--tasks", "2", "--steps", "2", "--batch", "4", "--rank", "3"]);
  assert.is(ended.code, 0, ended.output);
  assert.match(ended.output, /^adapter: /m);
  assert.match(
    ended.output,
    /\nMethod +Learned +(Gain kept +)?Transfer +Average +Last +Forgetting .*Trainable +Kept +Time\n.*\nchance .*\nzero-shot .*\ncomposed /,
  );
  assert.equal(readdirSync(out), ["report.html"]);
  assert.match(readFileSync(join(out, "report.html"), "utf8"), /composed/);
});

test("a flag that is wrong is told in one line", async () => {
  const ended = await runFile(command, ["--rank", "0"]);
  assert.is(ended.code, 1);
  assert.match(ended.output, /^--rank: should be a whole number from 1 to 4096, not "0"\n$/);
});

test.run();
