/** Sweeps as data, and as runs in their folder: here, in parts, over seeds, stopped and gone on with. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { Job } from "../../src/runs/job.ts";
import { decodeSweep, type Sweep } from "../../src/sweep/sweep.ts";
import { jobsOf } from "../../src/sweep/jobs.ts";
import { readSweep } from "../../src/sweep/readSweep.ts";
import { resumeSweep, runSweep } from "../../src/sweep/runSweep.ts";
import { pieceOf } from "../../src/sweep/work.ts";
import { left, right, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium } from "../cli/command.ts";

const { dir, remove } = temporaryFolder("sweep");
const at = (...path: readonly string[]): string => join(dir, ...path);

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10] });
});

test.after(remove);

const example: Sweep = {
  version: 1,
  base: { model: "/models/clip", source: { folders: ["/data/pets", "/data/cars", "/data/food"] } },
  methods: [{ name: "codyra", options: { kappa: 0.01 } }, { name: "keeplora" }],
  orders: [
    ["pets", "cars", "food"],
    [2, 1, 0],
  ],
  options: { rank: [4, 8] },
  seeds: [0, 7],
  out: "/runs/sweep",
};

const namesOf = (sweep: Sweep): readonly string[] => right(jobsOf(sweep)).map(({ name }) => name);

test("jobs come in a fixed order, each with a folder that says what it is", () => {
  const jobs = right(jobsOf(example));
  assert.is(jobs.length, 16);
  assert.equal(
    [0, 1, 2, 4, 8].map((i) => jobs[i].name),
    [
      "codyra-kappa=0.01-rank=4-order-1-seed-0",
      "codyra-kappa=0.01-rank=4-order-1-seed-7",
      "codyra-kappa=0.01-rank=4-order-2-seed-0",
      "codyra-kappa=0.01-rank=8-order-1-seed-0",
      "keeplora-rank=4-order-1-seed-0",
    ],
  );
  const { job } = jobs[2];
  assert.equal(job, {
    version: 1,
    model: "/models/clip",
    source: { folders: ["/data/food", "/data/cars", "/data/pets"] },
    method: { name: "codyra", options: { kappa: 0.01, rank: 4 } },
    seed: 0,
    evaluate: { templates: "single" },
    onCorrupt: "fail",
    out: "/runs/sweep/codyra-kappa=0.01-rank=4-order-2-seed-0",
  });
});

test("names hold no more than names should: others are told apart by a digest; folders may be named", () => {
  const { orders: _, ...plain } = example;
  const steps = [{ epochs: 2 }, [{ epochs: 2 }, 5, 5]];
  const names = namesOf({ ...plain, methods: [{ name: "codyra", folder: "ours" }], options: { steps, modules: [["q", "v"], "all"] }, seeds: [0] });
  assert.equal(names, [
    "ours-steps=epochs2-modules=q+v-seed-0",
    "ours-steps=epochs2-modules=all-seed-0",
    "ours-steps=epochs2+5+5-modules=q+v-seed-0",
    "ours-steps=epochs2+5+5-modules=all-seed-0",
  ]);
  const [long] = namesOf({ ...plain, methods: [{ name: "codyra", options: { steps: Array.from({ length: 40 }, (_, i) => 100 + i) } }] });
  assert.match(long, /^codyra-steps=100\+101[\d+]+-[0-9a-f]{12}$/);
  assert.equal(namesOf({ ...plain, methods: [{ name: "codyra", folder: "" }], options: {} }), ["seed-0", "seed-7"]);
});

test("over a protocol a method begins with its preset, and tasks are named as their datasets", () => {
  const source = { protocol: "x-tail", root: "/data" } as const;
  const names = right(jobsOf({ ...example, base: { ...example.base, source }, orders: undefined, options: undefined }))[0].job;
  assert.equal([names.method.options, names.facts?.hyperParameters], [{ steps: 500, batch: 64, lr: 5e-4, rank: 16, kappa: 0.01 }, "our choice"]);
  const order = Array.from({ length: 10 }, (_, i) => (i + 1) % 10);
  const { job } = right(jobsOf({ ...example, base: { ...example.base, source }, orders: [order], options: undefined }))[0];
  assert.equal(job.source, { ...source, order });
});

test("every job of every sweep is a job, in a folder of its own, and a piece of its own", () => {
  const distinct = <A>(of: fc.Arbitrary<A>, most: number) => fc.uniqueArray(of, { minLength: 1, maxLength: most });
  const sweeps = fc.record({
    methods: distinct(fc.constantFrom("codyra", "keeplora", "sequential-lora", "joint"), 4),
    ranks: distinct(fc.integer({ min: 1, max: 64 }), 3),
    rates: distinct(fc.double({ min: 1e-6, max: 1, noNaN: true }), 3),
    seeds: distinct(fc.nat(1000), 4),
    orders: distinct(fc.constantFrom("012", "021", "102", "120", "201", "210"), 3),
  });
  fc.assert(
    fc.property(sweeps, ({ methods, ranks, rates, seeds, orders }) => {
      const sweep: Sweep = {
        ...example,
        methods: methods.map((name) => ({ name })),
        options: { rank: ranks, lr: rates },
        seeds,
        orders: orders.map((order) => [...order].map(Number)),
      };
      const jobs = right(jobsOf(right(decodeSweep(JSON.parse(JSON.stringify(sweep))))));
      assert.is(jobs.length, methods.length * ranks.length * rates.length * seeds.length * orders.length);
      assert.ok(jobs.every(({ name, job }) => Job.is(job) && /^[\w.+=-]+$/.test(name) && name.length < 100 && job.out.endsWith(`/${name}`)));
      for (const text of [jobs.map(({ name }) => name), jobs.map((one) => pieceOf(one).id), jobs.map(({ job: { out: _, ...job } }) => JSON.stringify(job))])
        assert.is(new Set(text).size, jobs.length);
    }),
    { numRuns: 50 },
  );
});

test("what is wrong is named with its place, before anything runs", () => {
  const refused = (change: object): string => {
    const decoded = decodeSweep({ ...example, ...change });
    return describe(decoded._tag === "Left" ? decoded.left : left(jobsOf(decoded.right)));
  };
  const { seeds: _, ...seedless } = example;
  assert.is(describe(left(decodeSweep(seedless))), "seeds: is missing");
  assert.match(describe(left(decodeSweep("sweep"))), /^the sweep: should be /);
  for (const [change, sentence] of [
    [{ seeds: [0, -1] }, /^seeds\[1\]: should be a whole number of at least 0, not -1$/],
    [{ seeds: [] }, /^seeds: is empty$/],
    [{ seeds: [1, 1] }, /^seeds\[1\]: 1 was given before$/],
    [{ seed: 0 }, /^seed: is no field; there are version, base, methods, seeds, out, orders, options$/],
    [{ base: { ...example.base, shot: 5 } }, /^base\.shot: is no field; there are model, source, evaluate, /],
    [{ base: { model: "/m", source: { protocol: "mtil-9", root: "/d" } } }, /^base\.source\.protocol: should be .*, not "mtil-9"$/],
    [{ base: { model: "/m", source: { folders: [] } } }, /^base\.source\.folders: should be at least one folder, not \[\]$/],
    [{ methods: [{ name: "codira" }] }, /^methods\[0\]\.name: should be one of .*, not "codira"$/],
    [{ methods: [{ name: "codyra", options: { kappa: -1 } }] }, /^methods\[0\]\.options\.kappa: should be .*, not -1$/],
    [{ methods: [{ name: "codyra", options: { rank: 2 } }] }, /^methods\[0\]\.options\.rank: is among the options of the whole sweep/],
    [{ methods: [{ name: "codyra" }, { name: "codyra" }] }, /^methods\[1\]: has jobs in the same folders as one before, codyra; /],
    [{ methods: [{ name: "codyra", folder: "a/b" }] }, /^methods\[0\]\.folder: should have letters, .*, not "a\/b"$/],
    [
      { base: { ...example.base, accumulate: 2 }, methods: [{ name: "dac" }], options: {} },
      /^base\.accumulate: is not for dac: all samples of a batch vote together, so .* in 2 parts/,
    ],
    [{ options: { rank: [4, 0] } }, /^options\.rank\[1\]: should be a whole number from 1 to 4096, not 0/],
    [{ options: { kappa: [0.1] } }, /^options\.kappa\[0\]: keeplora has no such option; .*; options that not all methods have are given beside each method$/],
    [{ methods: [{ name: "keeplora" }], options: { rank: [] } }, /^options\.rank: is empty$/],
    [{ orders: [["pets", "cars"]] }, /^orders\[0\]: should have each of pets, cars, food once, .*, not \["pets","cars"\]$/],
    [{ orders: [["pets", "cars", "dogs"]] }, /^orders\[0\]: should have each of pets/],
    [
      {
        orders: [
          [0, 1, 2],
          ["pets", "cars", "food"],
        ],
      },
      /^orders\[1\]: is an order that was given before$/,
    ],
  ] as const)
    assert.match(refused(change), sentence);
});

const small = (out: string, more: Partial<Sweep> = {}): Sweep => ({
  version: 1,
  base: { model: at("model"), source: { folders: [at("data", "red"), at("data", "dark")] } },
  methods: [{ name: "codyra", options: { steps: 3, batch: 4, rank: 2 }, folder: "codyra" }],
  seeds: [0, 1],
  out: at(out),
  ...more,
});

const sha = (...path: readonly string[]): string =>
  createHash("sha256")
    .update(readFileSync(at(...path, "model", "model.safetensors")))
    .digest("hex");

const changed = (...path: readonly string[]): number => statSync(at(...path)).mtimeMs;

test("a job that fails keeps no other from running; the same sweep again runs what has not ended", async () => {
  const methods = [{ name: "codyra", options: { steps: 3, batch: 4, rank: 2, lr: 1e30 }, folder: "hot" }, ...small("failing").methods];
  const notes: string[] = [];
  const sweep = small("failing", { methods, seeds: [0] });
  const first = await get(runSweep(sweep, { note: (line) => notes.push(line) }));
  assert.equal(
    first.jobs.map(({ name, state }) => [name, state]),
    [
      ["hot-seed-0", "failed"],
      ["codyra-seed-0", "ended"],
    ],
  );
  assert.match(first.jobs[0].detail ?? "", /is not finite/);
  assert.ok(notes.some((line) => /^hot-seed-0: .*is not finite/.test(line)));
  assert.match(readFileSync(at("failing", "table.txt"), "utf8"), /^CoDyRA /m);
  assert.match(readFileSync(at("failing", "table.csv"), "utf8"), /^codyra,CoDyRA,task,/m);
  assert.match(readFileSync(at("failing", "report.html"), "utf8"), /^<!doctype html>/);
  const before = changed("failing", "codyra-seed-0", "result.json");
  const again = await cambium(["resume", at("failing")]);
  assert.is(again.code, 1, again.stderr);
  assert.match(again.stdout, /^1 of 2 jobs has ended, 1 has failed\. cambium resume .*failing runs what has not ended\.\n {2}hot-seed-0: .*is not finite/m);
  assert.is(changed("failing", "codyra-seed-0", "result.json"), before);
});

test("a sweep that is stopped goes on, to the bits of runs alone; a folder with another job is refused before anything runs", async () => {
  let tasks = 0;
  const signal = { aborted: false };
  const watch = ({ type }: { readonly type: string }): void => {
    if (type === "lesson" && ++tasks === 3) signal.aborted = true;
  };
  const stopped = await get(runSweep(small("stopped"), { watch, signal }));
  assert.ok(stopped.interrupted);
  assert.equal(
    stopped.jobs.map(({ state }) => state),
    ["ended", "open"],
  );
  assert.ok(existsSync(at("stopped", "codyra-seed-1", "job.json")));
  const ended = await get(resumeSweep(at("stopped")));
  assert.ok(!ended.interrupted && ended.jobs.every(({ state }) => state === "ended"));
  const data = `${at("data", "red")},${at("data", "dark")}`;
  const args = ["run", "--model", at("model"), "--data", data, "--method", "codyra", "--out", at("alone"), "--steps", "3", "--batch", "4", "--rank", "2"];
  const alone = await cambium([...args, "--seed", "1"]);
  assert.is(alone.code, 0, alone.stderr);
  assert.is(sha("stopped", "codyra-seed-1"), sha("alone"));
  const other = small("stopped", { base: { ...small("stopped").base, shots: 2 } });
  assert.match(describe(left(await runSweep(other)())), /codyra-seed-0: another job was run there: shots is nothing there and 2 here$/);
  writeFileSync(at("stopped", "sweep.json"), "{}");
  assert.match(describe(left(await resumeSweep(at("stopped"))())), /sweep\.json: version is missing$/);
});

test("--seeds runs once with each, in OUT/seed-N, and again nothing; --seed beside it, and a folder that is taken, are refused", async () => {
  const args = ["run", "--model", at("model"), "--data", at("data", "red"), "--method", "codyra", "--steps", "2", "--batch", "4", "--seeds", "3,5"];
  const ended = await cambium([...args, "--out", at("seeds")]);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^CoDyRA .* ± /m);
  assert.match(ended.stdout, /^2 of 2 jobs have ended\.\n\nwritten to .*seeds: table\.txt, table\.csv, report\.html, a folder for each job$/m);
  assert.equal(readdirSync(at("seeds")).sort(), ["report.html", "seed-3", "seed-5", "sweep.json", "table.csv", "table.txt"]);
  const before = changed("seeds", "seed-5", "result.json");
  const again = await cambium([...args, "--out", at("seeds"), "--json"]);
  assert.is(again.code, 0, again.stderr);
  assert.equal((JSON.parse(again.stdout) as { readonly jobs: unknown }).jobs, [
    { name: "seed-3", state: "ended" },
    { name: "seed-5", state: "ended" },
  ]);
  assert.is(changed("seeds", "seed-5", "result.json"), before);
  const both = await cambium([...args, "--out", at("both"), "--seed", "1"]);
  assert.equal([both.code, both.stderr], [1, "--seeds: and --seed exclude one another; --seeds runs once with each of several\n"]);
  const taken = await cambium([...args, "--out", at("data")]);
  assert.match(taken.stderr, /^--out: .*data is there already, and is neither an empty folder nor that of a sweep; name another\n$/);
});

test("a file has paths of its own folder; its parts run in processes of their own, and the last of them has the whole table", async () => {
  const { out: _, ...rest } = small("parts", { seeds: [0, 1, 2, 3] });
  const file = at("parts.json");
  writeFileSync(file, JSON.stringify({ ...rest, base: { model: "model", source: { folders: ["data/red", "./data/dark"] } }, out: "parts" }));
  assert.equal(await get(readSweep(file)), { ...rest, out: at("parts") });
  const list = await cambium(["sweep", file, "--list"]);
  assert.is(list.stdout, "1/4 codyra-seed-0\n2/4 codyra-seed-1\n3/4 codyra-seed-2\n4/4 codyra-seed-3\n");
  assert.ok(!existsSync(at("parts")));
  const parts = await Promise.all(["1/2", "2/2"].map((only) => cambium(["sweep", file, "--only", only])));
  for (const part of parts) assert.is(part.code, 0, part.stderr);
  assert.match(readFileSync(at("parts", "table.txt"), "utf8"), /over 4 seeds/);
  for (const [args, line] of [
    [["--only", "3/2"], /^--only: should be a part and how many there are, as 2\/8, not "3\/2"\n$/],
    [["--detach"], /^--detach: has a meaning with --redis alone\n$/],
    [["--redis", "here"], /^--redis: should be an address such as redis:\/\/HOST:6379\n$/],
  ] as const) {
    const refused = await cambium(["sweep", file, ...args]);
    assert.equal([refused.code, line.test(refused.stderr)], [1, true], refused.stderr);
  }
});

test.run();
