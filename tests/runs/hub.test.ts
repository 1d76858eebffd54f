/** Runs over models and data that a hub has: which commits they were is written down, and a run goes on with them, also without the hub. */
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { nodeHub } from "../../src/platform/node/hub.ts";
import type { Job } from "../../src/runs/job.ts";
import { locate } from "../../src/runs/locate.ts";
import { resume, runJob, type JobOptions } from "../../src/runs/runJob.ts";
import { cambium } from "../cli/command.ts";
import { left, png, shard, tar, temporaryFolder, write } from "../fixtures/datasets.ts";
import { hubServer, type HubRepository } from "../fixtures/hubServer.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const { dir, remove } = temporaryFolder("runs-hub");
const at = (...path: readonly string[]): string => join(dir, ...path);

const [old, now] = ["a", "b"].map((digit) => digit.repeat(40));

/** The files of a folder, and one that nobody needs. */
const filesIn = (folder: string): Record<string, Uint8Array> =>
  Object.fromEntries([...readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))] as const), ["pytorch_model.bin", new Uint8Array(9)]]);

/** A WebDataset of some classes with two training pictures and one test picture of each, and a split that nobody needs. */
const shards = async (classes: number, first = 0): Promise<Record<string, Uint8Array | string>> => ({
  "classnames.txt": Array.from({ length: classes }, (_, c) => `thing ${c}\n`).join(""),
  "train/nshards.txt": "1",
  "train/0.tar": await tar(await shard(first, 2 * classes, classes)),
  "test/nshards.txt": "1",
  "test/0.tar": await tar(await shard(0, classes, classes)),
  "extra/0.tar": "none",
});

await writeTinyClip(at("tiny"));
const tiny = filesIn(at("tiny"));
const dataset = async (name: string, classes: number): Promise<HubRepository> => ({
  kind: "dataset",
  name,
  commits: { [old]: await shards(classes), [now]: await shards(classes, 60) },
  refs: { main: old },
});
/** The files of a golden Parquet dataset. */
const parquet = (name: string, below = ""): Record<string, Uint8Array> =>
  Object.fromEntries(
    readdirSync(join("tests", "fixtures", "parquet", name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name: file }) => [join(parentPath, file), readFileSync(join(parentPath, file))] as const)
      .map(([path, bytes]) => [below + path.split(`${join("parquet", name)}/`)[1], bytes]),
  );

const red = { ...(await dataset("org/red", 2)), refs: { main: old } as Record<string, string> };
const hub = await hubServer([
  { kind: "model", name: "org/tiny", commits: { [old]: tiny }, refs: { main: old } },
  { kind: "model", name: "org/torch", commits: { [old]: { "config.json": "{}", "pytorch_model.bin": "", "tf_model.h5": "" } }, refs: { main: old } },
  red,
  await dataset("clip-benchmark/wds_blue", 3),
  await dataset("clip-benchmark/wds_vtab-cifar100", 100),
  { kind: "dataset", name: "org/animals", commits: { [old]: { ...parquet("labels"), ...parquet("readme", "small/") } }, refs: { main: old } },
  { kind: "dataset", name: "org/zipped", commits: { [old]: { "all.zip": "" } }, refs: { main: old } },
]);

test.after(async () => {
  await hub.close();
  remove();
});

const environment = (more: Record<string, string> = {}) => ({ HF_ENDPOINT: hub.endpoint, HF_HOME: at("home"), ...more });
const options = (more: Record<string, string> = {}, rest: JobOptions = {}): JobOptions => ({
  hub: nodeHub({ environment: environment(more), pauses: [] }),
  ...rest,
});

const job = (out: string, more: Partial<Job> = {}): Job => ({
  version: 1,
  model: "org/tiny",
  source: { folders: ["org/red", "wds_blue"] },
  method: { name: "sequential-lora", options: { steps: 2, batch: 2, rank: 1 } },
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  out: at(out),
  ...more,
});

const read = (...path: readonly string[]): Record<string, unknown> => JSON.parse(readFileSync(at(...path), "utf8"));

deviceTest("a run writes down the commits of what it was given by name, and names its tasks after the repositories", async () => {
  await get(runJob(job("run"), options()));
  const pinned = [`org/red@${old}`, `clip-benchmark/wds_blue@${old}`];
  assert.equal([read("run", "job.json").model, read("run", "job.json").source], [`org/tiny@${old}`, { folders: pinned }]);
  const result = read("run", "result.json");
  assert.equal(result.datasets, ["red", "wds_blue"]);
  assert.equal([(result.options as { model: string }).model, (result.options as { data: string[] }).data], [`org/tiny@${old}`, pinned]);
  assert.ok(readFileSync(at("run", "report.html"), "utf8").includes(`org/tiny@${old}`));
  assert.not.ok(
    hub.came.some(({ path }) => /\.bin$|extra/.test(path)),
    "files that nobody reads were downloaded",
  );
});

/** The bits of what a run has learned. */
const learned = (out: string): string => readFileSync(at(out, "model", "model.safetensors"), "base64");

deviceTest("a run that was stopped goes on with the same files, without the hub and though the repository has others by now", async () => {
  const stop = new AbortController();
  const watch: JobOptions["watch"] = (event) => void (event.type === "lesson" && stop.abort());
  const stopped = await get(runJob(job("stopped"), options({}, { watch, signal: stop.signal })));
  assert.ok(stopped.interrupted);
  red.refs.main = now;
  hub.came.length = 0;
  await get(resume(at("stopped"), options({ HF_HUB_OFFLINE: "1" })));
  assert.equal(hub.came, []);
  assert.is(learned("stopped"), learned("run"));
  await get(runJob(job("anew"), options()));
  assert.is.not(learned("anew"), learned("run"));
  await get(runJob(job("pinned", { source: { folders: [`org/red@${old}`, "wds_blue@main"] } }), options()));
  assert.is(learned("pinned"), learned("run"));
  red.refs.main = old;
});

deviceTest("a run behind that one finds what that one began with", async () => {
  await get(runJob(job("behind", { model: at("run"), source: { folders: ["org/red"] } }), options({ HF_HUB_OFFLINE: "1" })));
  assert.equal(read("behind", "result.json").datasets, ["red", "wds_blue", "red-2"]);
});

deviceTest("of a probe, and of what is scored alone, no training pictures are downloaded", async () => {
  hub.came.length = 0;
  const scored = { method: { name: "zero-shot", options: {} }, source: { folders: ["org/red"] }, probes: ["wds_blue"] };
  const elsewhere = { HF_HUB_CACHE: at("elsewhere") };
  await get(runJob(job("scored", scored), options(elsewhere)));
  assert.equal(
    hub.came.filter(({ path }) => path.includes("/resolve/") && path.includes("/datasets/")).map(({ path }) => path.split(`${old}/`)[1]),
    ["classnames.txt", "test/nshards.txt", "test/0.tar", "classnames.txt", "test/nshards.txt", "test/0.tar"],
  );
  assert.equal(read("scored", "job.json").probes, [`clip-benchmark/wds_blue@${old}`]);
});

deviceTest("Parquet files are downloaded and learned; a configuration is named behind its repository", async () => {
  const source = { folders: ["org/animals", "org/animals/small"] };
  const misspelt = job("misspelt", { source, onCorrupt: "skip", columns: { label: "kind" } });
  assert.match(describe(left(await runJob(misspelt, options())())), /it has no column kind .*: it has image \(files\), label \(numbers\)$/);
  await get(runJob(job("small", { source: { folders: ["org/animals/small"] }, columns: { label: "kind" } }), options()));
  assert.equal([read("small", "result.json").datasets, read("small", "result.json").classes], [["animals-small"], [2]]);
  await get(runJob(job("parquet", { source, onCorrupt: "skip" }), options()));
  assert.equal(read("parquet", "job.json").source, { folders: [`org/animals@${old}`, `org/animals/small@${old}`] });
  const { datasets, classes, skipped } = read("parquet", "result.json");
  assert.equal([datasets, classes, skipped], [["animals", "animals-small"], [3, 3], 2]);
  await get(resume(at("parquet"), options({ HF_HUB_OFFLINE: "1" })));
});

deviceTest("a preset without a root takes the published datasets", async () => {
  const preset = { source: { protocol: "cifar100-10" as const }, method: { name: "zero-shot", options: {} }, evalLimit: 10 };
  await get(runJob(job("preset", preset), options()));
  const datasets = { cifar100: `clip-benchmark/wds_vtab-cifar100@${old}` };
  assert.equal(read("preset", "job.json").source, { ...preset.source, datasets });
  assert.is((read("preset", "result.json").datasets as unknown[]).length, 10);
  await get(resume(at("preset"), options({ HF_HUB_OFFLINE: "1" })));
});

test("a path that is there wins; what is neither says what was tried", async () => {
  mkdirSync(at("here", "org", "red"), { recursive: true });
  const here = { ...options(), at: (path: string) => join(dir, "here", path) };
  assert.equal(await get(locate("dataset", "org/red", here)), { folder: at("here", "org", "red"), name: at("here", "org", "red"), title: "red" });
  assert.is((await get(locate("dataset", "org/red@main", here))).name, `org/red@${old}`);
  const neither = describe(left(await locate("model", "data/clip", here)()));
  const tried = `Cannot read data/clip: no such file or directory; as a repository of the hub: ${hub.endpoint} has no such model`;
  assert.is(neither.slice(0, tried.length), tried);
  for (const path of ["./org/none", "../red", "/org/none", "pets", "org/red/../none", "org/red@../x"])
    assert.match(describe(left(await locate("dataset", path, here)())), /: no such file or directory$/);
});

test("a repository that holds nothing which is read says what it has, and where else to look", async () => {
  const said = async (kind: "model" | "dataset", name: string) => describe(left(await locate(kind, name, options())()));
  assert.match(await said("model", "org/torch"), /: it has no model\.safetensors, but pytorch_model\.bin, tf_model\.h5; a pull request to it may have/);
  assert.match(
    await said("dataset", "org/zipped"),
    /: it has neither shards of WebDataset .* nor Parquet files; its revision refs\/convert\/parquet may have some$/,
  );
});

deviceTest("the command takes names, shows how far a download is, and a folder that is called like a repository wins", async () => {
  write(at("stand", "org", "red"), {
    "train/ant/0.png": await png(1, 1, 16, 16),
    "test/ant/0.png": await png(1, 1, 16, 16),
    "train/bee/0.png": await png(99, 1, 16, 16),
    "test/bee/0.png": await png(99, 1, 16, 16),
  });
  const flags = ["--model", "org/tiny", "--data", "org/red,wds_blue", "--method", "zero-shot", "--out", "out"];
  const env = { ...process.env, ...environment({ HF_HOME: at("third") }), npm_package_name: "" };
  const ended = await cambium(["run", ...flags], undefined, { cwd: at("stand"), env });
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /download org\/tiny: \d+\.\d KiB in .*, \d files\n/);
  assert.match(ended.stderr, /download clip-benchmark\/wds_blue: \d+\.\d KiB in .*, 3 files\n/);
  assert.equal(read("stand", "out", "job.json").source, { folders: [at("stand", "org", "red"), `clip-benchmark/wds_blue@${old}`] });
  assert.not.ok(existsSync(at("third", "hub", "datasets--org--red")));
});

runTests();
