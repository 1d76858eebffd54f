/** `--recompute blocks` from the flag to the job, and that it changes nothing of what is learned. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium } from "./command.ts";

const { dir, remove } = temporaryFolder("recompute");
const at = (...path: readonly string[]): string => join(dir, ...path);

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10] });
});

test.after(remove);

test("a run with blocks that are computed again keeps that in its job, and learns what one without does", async () => {
  const flags = `--model ${at("model")} --data ${at("data", "red")} --method codyra --steps 2 --batch 4 --rank 2`.split(" ");
  const bits = (run: string): Buffer => readFileSync(at(run, "model", "model.safetensors"));
  for (const [run, more] of [
    ["plain", []],
    ["blocks", ["--recompute", "blocks"]],
  ] as const) {
    const ended = await cambium(["run", ...flags, ...more, "--out", at(run)]);
    assert.is(ended.code, 0, ended.stderr);
  }
  assert.is(JSON.parse(readFileSync(at("blocks", "job.json"), "utf8")).recompute, "blocks");
  assert.is(JSON.parse(readFileSync(at("blocks", "result.json"), "utf8")).options.recompute, "blocks");
  assert.equal(bits("blocks"), bits("plain"));
  rmSync(at("blocks", "result.json"));
  const again = await cambium(["resume", at("blocks")]);
  assert.is(again.code, 0, again.stderr);
  assert.equal(bits("blocks"), bits("plain"));
});

test("what cannot be recomputed is refused with what can", async () => {
  const ended = await cambium(["run", "--model", at("model"), "--data", at("data", "red"), "--method", "codyra", "--out", at("none"), "--recompute", "all"]);
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /--recompute: should be .*blocks/);
});

test.run();
