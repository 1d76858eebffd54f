/** `--precision mixed` from the flag to the result: kept in the job, taken up by resume, said beside the adapter. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { openDevice } from "../../src/device/open.ts";
import { temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium } from "./command.ts";

const { dir, remove } = temporaryFolder("precision");
const at = (...path: readonly string[]): string => join(dir, ...path);
const json = (...path: readonly string[]): any => JSON.parse(readFileSync(at(...path), "utf8"));

const device = await get(openDevice());
const mixed = device.adapter.features.has("shader-f16") ? test : test.skip;
await device.close();

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10] });
});

test.after(remove);

mixed("a run in mixed precision says so, keeps it in its job, and is resumed in it to the same bits", async () => {
  const flags = `--model ${at("model")} --data ${at("data", "red")},${at("data", "dark")} --method codyra --steps 2 --batch 4 --rank 2 --precision mixed`;
  const ended = await cambium(["run", ...flags.split(" "), "--out", at("run")]);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^adapter: .*, mixed precision\n/);
  assert.is(json("run", "job.json").precision, "mixed");
  assert.is(json("run", "result.json").options.precision, "mixed");
  assert.match(json("run", "result.json").adapter, /, mixed precision$/);
  const told = await cambium(["info", at("run")]);
  assert.match(told.stdout, /Precision +mixed/);
  const bits = readFileSync(at("run", "model", "model.safetensors"));
  rmSync(at("run", "result.json"));
  const again = await cambium(["resume", at("run")]);
  assert.is(again.code, 0, again.stderr);
  assert.match(again.stdout, /^adapter: .*, mixed precision\n/);
  assert.equal(readFileSync(at("run", "model", "model.safetensors")), bits);
});

mixed("evaluate takes the flag, and says no word of it where it is not given", async () => {
  const flags = [at("model"), "--data", at("data", "red"), "--json"];
  const [half, plain] = [await cambium(["evaluate", ...flags, "--precision", "mixed"]), await cambium(["evaluate", ...flags])];
  assert.is(half.code, 0, half.stderr);
  assert.match(JSON.parse(half.stdout).adapter, /, mixed precision$/);
  assert.not.match(JSON.parse(plain.stdout).adapter, /precision/);
});

test("a precision that is none is refused with those that there are", async () => {
  const ended = await cambium(["evaluate", at("model"), "--data", at("data", "red"), "--precision", "f16"]);
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /--precision: should be one of f32, mixed/);
});

test.run();
