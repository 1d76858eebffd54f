/** `--profile`: a table below the outcome, a file beside it, JSON, and the bits of a run that nobody has watched. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Profile } from "../../src/tensor/profile.ts";
import { temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium, type Ended } from "./command.ts";

const { dir, remove } = temporaryFolder("profile");
const at = (...path: readonly string[]): string => join(dir, ...path);
const run = (out: string, ...more: readonly string[]): Promise<Ended> => {
  const flags = `--model ${at("model")} --data ${at("data", "red")},${at("data", "dark")} --method codyra --steps 6 --batch 4 --rank 2`;
  return cambium(["run", ...flags.split(" "), "--out", at(out), ...more]);
};

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10] });
});

test.after(remove);

test("a run that is profiled ends with the same bits, a table and a file", async () => {
  const [plain, watched] = [await run("plain"), await run("watched", "--profile")];
  assert.is(watched.code, 0, watched.stderr);
  const bits = (out: string): Buffer => readFileSync(at(out, "model", "model.safetensors"));
  assert.equal(bits("watched"), bits("plain"));
  assert.not.ok(existsSync(at("plain", "profile.json")));
  assert.not.match(plain.stdout, /Profile on/);

  const { programs, adapter } = JSON.parse(readFileSync(at("watched", "profile.json"), "utf8")) as Profile;
  const training = programs.find(({ label }) => label === "training");
  assert.is(training?.runs, 12, "both tasks' steps are one program");
  assert.ok(watched.stdout.includes(`Profile on ${adapter}`));
  assert.match(watched.stdout, new RegExp(`\\ntraining: 12 runs of ${training?.launches} launches`));
});

test("an evaluation that is profiled has it in its JSON, too", async () => {
  const ended = await cambium(["evaluate", at("model"), "--data", at("data", "red"), "--json", "--profile"]);
  assert.is(ended.code, 0, ended.stderr);
  const { profile, datasets } = JSON.parse(ended.stdout) as { readonly profile: Profile; readonly datasets: readonly unknown[] };
  assert.is(datasets.length, 1);
  assert.ok(profile.programs.some(({ label }) => label === "imageEmbeds"));
});

test("a profile of several seeds is refused", async () => {
  const ended = await run("seeds", "--profile", "--seeds", "0,1");
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /--profile: and --seeds exclude one another/);
});

test.run();
