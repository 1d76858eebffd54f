/** Profiles: what runs is timed and counted, no bit of it changes, and without a profiler, or without timestamps, nothing is timed. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { works, weightsOf } from "../../bench/steps.ts";
import type { Device } from "../../src/device/device.ts";
import type { ProgramRecord } from "../../src/device/profiler.ts";
import { describe, get } from "../../src/failure.ts";
import { random } from "../../src/random.ts";
import type { Leaves } from "../../src/tensor/leaves.ts";
import { exp } from "../../src/tensor/ops/elementwise.ts";
import { matmul } from "../../src/tensor/ops/matmul.ts";
import { sum } from "../../src/tensor/ops/reduce.ts";
import { peakOf } from "../../src/tensor/peak.ts";
import { profile, profileOf, profiling } from "../../src/tensor/profile.ts";
import { openSession, withSession } from "../../src/tensor/session.ts";
import { floats } from "../../src/tensor/tensor.ts";
import { left } from "../either.ts";
import { deviceTest, orThrow, runTests } from "./check.ts";

const runs = 6;

/** The losses of some steps of a small language model, and its adapters at their end. */
const trained = async (device: Device): Promise<Readonly<Record<string, Float32Array>>> => {
  const work = works["small-llama"].of(2);
  const { program, recorder } = orThrow(work.traced());
  const weights = weightsOf(work);
  const session = await get(openSession(device, program, { weights, record: ["loss"], label: "training" }));
  try {
    orThrow(session.write(work.initial(weights)));
    const inputs = work.data(random(1, "profile"));
    for (let run = 0; run < runs; run++) {
      const hypers = Object.fromEntries([...recorder.hypers].map(([name, at]) => [name, Float32Array.from(at, (schedule) => schedule(run))]));
      orThrow(session.run({ ...inputs, ...hypers }));
    }
    return { ...(await get(session.readAll(Object.keys(program.state)))), losses: await get(session.recorded("loss")) };
  } finally {
    session.release();
  }
};

deviceTest("a profile changes no bit, times every launch, and leaves nothing on the device", async (device) => {
  const before = device.ledger().liveBytes;
  const plain = await trained(device);
  const watched = profiling(device);
  assert.equal(await trained(watched.device), plain);
  const { programs, timestamps, peak, adapter } = await get(watched.profile);
  watched.release();
  assert.is(device.ledger().liveBytes, before);

  assert.is(adapter, device.adapter.line);
  const [program] = programs;
  assert.equal([programs.length, program.label, program.runs], [1, "training", runs]);
  assert.is(
    program.kernels.reduce((n, k) => n + k.launches, 0),
    program.launches,
  );
  assert.is(timestamps, device.adapter.features.has("timestamp-query"));
  if (peak === null) return;
  for (const { kernel, milliseconds, ofPeak } of program.kernels) assert.ok(milliseconds! >= 0 && (ofPeak === null || ofPeak >= 0), kernel);
  const inKernels = program.kernels.map((k) => k.milliseconds!);
  assert.equal(
    inKernels,
    [...inKernels].sort((a, b) => b - a),
  );
  assert.ok(program.milliseconds! > 0 && program.elapsed! > 0 && program.busy! > 0 && program.busy! <= 1, JSON.stringify({ ...program, kernels: [] }));
});

const product = ({ input }: Leaves) => {
  const [a, b] = [input("a", floats([33, 17])), input("b", floats([17, 9]))];
  return E.right({ outputs: { y: sum(exp(matmul(a, b))) } });
};

const launchesOf = (device: Device): Promise<number> => get(withSession(device, product)(({ launches }) => TE.right(launches)));

deviceTest("a step is profiled in one call", async (device) => {
  const { programs } = await get(profile(device, product, { runs: 2, label: "product", inputs: { a: new Float32Array(33 * 17).fill(1) } }));
  assert.equal(
    programs.map(({ label, runs, launches }) => [label, runs, launches]),
    [["product", 3, await launchesOf(device)]],
  );
  assert.is(programs[0].busy, null, "no run was left whole");
});

deviceTest("without timestamps launches, operations and bytes are counted, and nothing is timed", async (device) => {
  const features = new Set([...device.adapter.features].filter((name) => name !== "timestamp-query"));
  const found = await get(profile({ ...device, adapter: { ...device.adapter, features } }, product));
  assert.equal([found.timestamps, found.peak], [false, null]);
  const [{ milliseconds, elapsed, busy, ofPeak, launches, flops, kernels }] = found.programs;
  assert.equal([milliseconds, elapsed, busy, ofPeak, launches], [null, null, null, null, await launchesOf(device)]);
  assert.ok(flops > 2 * 33 * 17 * 9 && kernels.every((k) => k.milliseconds === null && k.bytes > 0));
});

deviceTest("what is no number of runs is refused", async (device) => {
  for (const runs of [-1, 1.5, Number.NaN, Infinity]) {
    const watched = profiling(device, { runs });
    for (const refused of [await profile(device, product, { runs })(), await watched.profile()]) {
      assert.is(describe(left(refused)), `runs: should be a whole number of at least 0, not ${runs}`);
    }
    watched.release();
  }
});

deviceTest("without a profiler a run makes no object", async (device) => {
  const session = await get(openSession(device, product));
  orThrow(session.run());
  const { created } = device.ledger();
  for (let i = 0; i < 3; i++) orThrow(session.run());
  assert.is(device.ledger().created, created);
  session.release();
});

deviceTest("a peak is measured once, and then read", async (device) => {
  const kept = new Map<string, string>();
  const cache: Device["cache"] = {
    read: (name) => async () => kept.get(name),
    write: (name, text) => async () => void kept.set(name, text),
  };
  const measured = await get(peakOf({ ...device, cache }));
  assert.ok(measured.flops > 1e8 && measured.bytes > 1e8, JSON.stringify(measured));
  assert.equal(await get(peakOf({ ...device, cache })), measured);
  const [name] = kept.keys();
  kept.set(name, '{"flops":1}');
  assert.ok((await get(peakOf({ ...device, cache }))).flops > 1e8, "what was damaged is measured again");
});

const launch = (kernel: string, shape = "1") => ({ kernel, shape, flops: 8e9, bytes: 1e9 });
const record = (rest: Partial<ProgramRecord>): ProgramRecord => ({
  label: "p",
  launches: [launch("a"), launch("b"), launch("a")],
  runs: 1,
  spans: [],
  timed: [],
  ...rest,
});
const peak = { flops: 16e12, bytes: 1e12 };

test("launches of one kernel and shape are one row; what two passes share counts for the one behind that began later", () => {
  const spans = [
    { begin: 0, end: 4 },
    { begin: 3, end: 6 },
    { begin: 7, end: 8 },
  ];
  const [{ kernels, milliseconds, busy }] = profileOf("x", true, peak, [record({ timed: [spans] })]).programs;
  assert.equal(
    kernels.map((k) => [k.kernel, k.launches, k.milliseconds, k.ofPeak]),
    [
      ["a", 2, 5, 2 / 5],
      ["b", 1, 2, 1 / 2],
    ],
  );
  assert.equal([milliseconds, busy], [7, null]);
});

test("the first run counts for launches only where there is no other", () => {
  const at = (...ends: readonly number[]) => ends.map((end, i) => ({ begin: i === 0 ? 0 : ends[i - 1], end }));
  const both = profileOf("x", true, peak, [record({ timed: [at(10, 20, 30), at(1, 2, 3), at(3, 6, 9)] })]).programs[0];
  assert.is(both.milliseconds, 6);
});

test("a device is busy from the beginnings of runs to their ends", () => {
  const spans = [0, 10, 20].map((begin) => ({ begin, end: begin + 4 }));
  const [{ milliseconds, elapsed, busy, runs: all }] = profileOf("x", true, peak, [record({ spans, runs: 3 }), record({ spans, runs: 4 })]).programs;
  assert.equal([milliseconds, elapsed, busy, all], [4, 10, 0.4, 7]);
});

test("different programs of one label are numbered in the order of their first runs", () => {
  const [small, large] = [record({ label: "training" }), record({ label: "training", launches: [launch("a")] })];
  const labels = (...records: readonly ProgramRecord[]): readonly string[] => profileOf("x", false, null, records).programs.map(({ label }) => label);
  assert.equal(labels(small, small, record({})), ["training", "p"]);
  // The one with fewer bytes comes last.
  assert.equal(labels(large, small, record({ launches: [] }), large), ["training (2 of 2)", "training (1 of 2)", "p"]);
});

test("times of launches add up to no more than their run (property)", () => {
  const steps = fc.array(fc.record({ wait: fc.integer({ min: -3, max: 5 }), take: fc.integer({ min: 0, max: 9 }) }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(steps, (all) => {
      let now = 10;
      const spans = all.map(({ wait, take }) => {
        const begin = Math.max(0, now + wait);
        now = Math.max(now, begin + take);
        return { begin, end: now };
      });
      const launches = all.map((_, i) => launch(`k${i}`));
      const [{ kernels }] = profileOf("x", true, peak, [record({ launches, timed: [spans] })]).programs;
      const total = kernels.reduce((n, k) => n + k.milliseconds!, 0);
      assert.ok(total <= now - spans[0].begin, `${total} in ${now - spans[0].begin}`);
    }),
  );
});

runTests();
