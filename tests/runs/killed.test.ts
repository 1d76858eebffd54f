/**
 * Runs that are killed at random moments, half of them while files are written, and go on: after each the folder is readable, and at the end it is that of a
 * run that nobody disturbed, without anything left over. `CAMBIUM_KILLS=100` kills as often; by default a few times.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { platform } from "../../src/platform/default.ts";
import { random } from "../../src/random.ts";
import { parseRunResult } from "../../src/report/resultCodec.ts";
import { parseAnswers } from "../../src/report/runReport.ts";
import { readLearner } from "../../src/runs/checkpoint.ts";
import { newest, readTraining } from "../../src/runs/runFolder.ts";
import { readJob } from "../../src/runs/runOf.ts";
import { right, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { start, type Ended } from "../cli/command.ts";

const kills = Number(process.env.CAMBIUM_KILLS ?? 4);
/** Longer than what is left of a run takes. */
const longest = 3_000;

const { dir, remove } = temporaryFolder("killed");
const at = (...path: readonly string[]): string => join(dir, ...path);

/** Starts the command; `kill` is called with what ends it at once. */
const started = (args: readonly string[], kill: (now: () => void, ended: () => boolean) => void = () => undefined): Promise<Ended> => {
  const { ended, child } = start(args);
  let over = false;
  kill(
    () => over || process.kill(child.pid as number, "SIGKILL"),
    () => over,
  );
  return ended.finally(() => (over = true));
};

const run = (out: string): readonly string[] => [
  "run",
  ...["--model", at("model"), "--data", ["red", "dark", "blue"].map((name) => at("data", name)).join(",")],
  ...["--probe", at("data", "grey"), "--label-space", "union"],
  ...["--method", "keeplora", "--out", at(out), "--steps", "12", "--batch", "4", "--rank", "2", "--checkpoint-steps", "2", "--predictions", "--save-adapters"],
];

/** Names that a write gives to what is not whole yet. */
const unfinished = (folder: string): readonly string[] =>
  [folder, join(folder, "adapters")].flatMap((one) => (existsSync(one) ? readdirSync(one).filter(platform.files.unfinished) : []));

/** Kills at a random moment, or as soon after it as a file is being written. */
const atRandom =
  (folder: string, after: number, writing: boolean) =>
  async (now: () => void, ended: () => boolean): Promise<void> => {
    await setTimeout(after);
    while (writing && !ended() && unfinished(folder).length === 0) await new Promise(setImmediate);
    now();
  };

/** The bits of a run's learner and of its answers, and its result but for the time. */
const bitsOf = (folder: string): unknown => {
  const bytes = ["model.safetensors", "learner.safetensors", "learner.json"].map((name) => readFileSync(join(folder, "model", name)).toString("base64"));
  const { seconds, ...result } = JSON.parse(readFileSync(join(folder, "result.json"), "utf8")) as Record<string, unknown>;
  const log = readFileSync(join(folder, "log.jsonl"), "utf8").replace(/"seconds":[^,}]+/g, "");
  const [answers, predictions] = ["answers.json", "predictions.jsonl"].map((name) => readFileSync(join(folder, name), "utf8"));
  const adapters = readdirSync(join(folder, "adapters")).map((name) => [
    name,
    ...readdirSync(join(folder, "adapters", name)).map((file) => readFileSync(join(folder, "adapters", name, file)).toString("base64")),
  ]);
  return { bytes, result, answers, predictions, adapters, log, timed: typeof seconds };
};

/** What a run keeps can be read, whenever it was killed. */
const readable = async (folder: string): Promise<void> => {
  if (!existsSync(join(folder, "job.json"))) return;
  const last = await get(newest(await get(readJob(folder, platform.files)), platform.files));
  if (last !== undefined) await get(readLearner(last.folder));
  await get(readTraining(folder, platform.files));
};

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10], blue: [120, 180], grey: [100, 200] });
});

test.after(remove);

// Windows has no signals to send.
(process.platform === "win32" ? test.skip : test)(`${kills} kills change no bit and leave nothing behind`, async () => {
  assert.is((await started(run("undisturbed"))).code, 0);
  const wanted = bitsOf(at("undisturbed"));
  const names = readdirSync(at("undisturbed")).sort();
  const { probes } = right(parseRunResult("result.json")(readFileSync(at("undisturbed", "result.json"), "utf8")));
  assert.equal(
    probes.map(({ name, images, after }) => [name, images, after.length]),
    [["grey", 4, 3]],
  );
  assert.ok(right(parseAnswers("answers.json")(readFileSync(at("undisturbed", "answers.json"), "utf8"))).every(({ ids }) => ids.length === 4));
  const { uniform } = random(process.env.CAMBIUM_KILLS === undefined ? 1 : Date.now(), "kills", 0);
  let [killed, runs] = [0, 0];
  while (killed < kills) {
    const out = `disturbed-${runs++}`;
    for (let ended = false; !ended; ) {
      // A run that was killed before it wrote down its job begins again.
      const args = existsSync(at(out, "job.json")) ? ["resume", at(out)] : run(out);
      const kill = killed < kills ? atRandom(at(out), uniform() * longest, killed % 2 === 1) : undefined;
      const { code, stderr } = await started(args, kill);
      ended = code !== null && code < 128;
      if (ended) assert.is(code, 0, stderr);
      else killed++;
      await readable(at(out));
    }
    assert.equal(readdirSync(at(out)).sort(), names);
    assert.equal(bitsOf(at(out)), wanted);
  }
});

test.run();
