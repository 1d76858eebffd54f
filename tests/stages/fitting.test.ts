/** A step that a device refuses names the options with which it would fit, and nothing of it stays on the device. */
import * as E from "fp-ts/lib/Either.js";
import * as assert from "uvu/assert";
import type { Stream } from "../../src/data/task.ts";
import type { Device } from "../../src/device/device.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { codyra } from "../../src/methods/codyra.ts";
import { dac } from "../../src/methods/dac.ts";
import { sequentialLora } from "../../src/methods/baselines.ts";
import { learner } from "../../src/model/learner.ts";
import type { GPUDevice } from "../../src/platform/webgpu.ts";
import { runMethod } from "../../src/runs/run.ts";
import { watch } from "../../src/runs/watch.ts";
import type { Method } from "../../src/stages/learn.ts";
import { withFitting, type Fitting } from "../../src/training/fitting.ts";
import { exp } from "../../src/tensor/ops/elementwise.ts";
import { floats } from "../../src/tensor/tensor.ts";
import type { Event } from "../../src/training/runtime.ts";
import { left } from "../either.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests, traced } from "../tensor/check.ts";
import { mixedTest } from "../tensor/mixedTest.ts";

const options = { steps: 1, batch: 64, rank: 2, lr: 1e-3 };

/** The sentence of a run on a device that fails, behind which nothing is left. */
const sentence = async (device: Device, method: Method): Promise<string> => {
  const stream: Stream = { tasks: [patternTask("warm", ["red", "orange"], 1)], labelSpace: "task" };
  const before = device.ledger().liveBytes;
  const failure = left(await runMethod(method, learner(await tinyClip()), stream)(runtimeOf(device))());
  assert.is(device.ledger().liveBytes, before);
  return describe(failure);
};

/** The device, with buffers of at most so many bytes. */
const withBuffers = (device: Device, limit: number): Device => ({
  ...device,
  buffer: (label, bytes, usage) => {
    const failure: Failure = { _tag: "OverLimit", what: label, bytes, limit, limitName: "maxBufferSize", adapter: device.adapter.line };
    return bytes > limit ? E.left(failure) : device.buffer(label, bytes, usage);
  },
});

/** The device, which has no memory for what is made in one go, where that is called so by the test. */
const withoutMemory = (device: Device, refuses: (bytes: number) => boolean): Device => {
  const started: number[] = [];
  const gpu = new Proxy(device.gpu, {
    get: (target, key: keyof GPUDevice) => {
      const value = target[key];
      if (typeof value !== "function") return value;
      const own = value.bind(target) as (...args: readonly unknown[]) => unknown;
      if (key === "pushErrorScope")
        return (filter: string) => {
          started.push(filter === "out-of-memory" ? device.ledger().liveBytes : Infinity);
          own(filter);
        };
      if (key !== "popErrorScope") return own;
      return async () => {
        const bytes = device.ledger().liveBytes - started.pop()!;
        const error = await own();
        return refuses(bytes) ? { message: "out of memory" } : error;
      };
    },
  });
  return { ...device, gpu };
};

deviceTest("of a buffer that is too large, parts and batches that fit are named, with the bytes that they need", async (device) => {
  // Also where the loss compares the images of a batch: on all towers, and on one.
  for (const method of [codyra({ ...options, towers: ["text"] }), codyra(options), sequentialLora(options)]) {
    assert.match(
      await sentence(withBuffers(device, 150_000), method),
      /^input pixels needs 0\.2 MiB, and .* allows 0\.1 MiB \(maxBufferSize\); a step would fit with --accumulate 2 \([\d.]+ [KM]iB\), or with --batch 32 \([\d.]+ [KM]iB\); else lower batch, or use another adapter\.$/,
    );
  }
  // What the samples of a batch decide together has no parts.
  const voting = dac({ ...options, active: 1 });
  assert.match(await sentence(withBuffers(device, 150_000), voting), /; a step would fit with --batch 32 \([\d.]+ [KM]iB\); else lower batch/);
});

deviceTest("memory that a device has not is noticed before anything runs", async (device) => {
  const said = await sentence(
    withoutMemory(device, (bytes) => bytes > 300_000),
    codyra({ ...options, towers: ["text"] }),
  );
  assert.match(said, /^A program needs [\d.]+ MiB, and .* has not so much beside the [\d.]+ MiB that are in use; a step would fit with /);
  assert.match(said, /--accumulate \d+ \(.*--batch \d+ \(/);
});

mixedTest("every choice is traced for the precision of its device: in mixed precision the scale of the loss needs memory, too", async (device, mixed) => {
  const failure: Failure = { _tag: "OverLimit", what: "A program", bytes: 2 ** 20, limit: 2 ** 20, limitName: "memory", adapter: "", option: "batch" };
  const askedOf = (on: Device): readonly string[] => {
    const asked: string[] = [];
    const trace: Fitting["trace"] = ({ precision, recompute }) => {
      asked.push([precision, ...(recompute === undefined ? [] : [recompute])].join(" "));
      return E.right(traced({ inputs: { x: floats([4]) } }, ({ inputs: { x } }) => ({ outputs: { y: exp(x) } })));
    };
    withFitting(failure, { device: on, batches: { shape: { images: 4, texts: 2, length: 3, previous: 0 } }, accumulate: 1, trace });
    return asked;
  };
  assert.equal(askedOf(device), ["f32 blocks", "f32", "mixed", "f32"]);
  assert.ok(
    askedOf(mixed).every((precision) => precision.startsWith("mixed")),
    `${askedOf(mixed)}`,
  );
});

deviceTest("before its first step a training tells how many bytes its steps need; who watches is told once where tasks need the same", async (device) => {
  const events: Event[] = [];
  const lines: string[] = [];
  const progress = { start: () => ({ update: () => undefined, done: () => undefined, stop: () => undefined }), line: (line: string) => void lines.push(line) };
  // On a busy machine kernels take longer to compile than a person waits without a word.
  const watcher = watch(progress, { patience: 1e9 });
  const stream: Stream = { tasks: [patternTask("warm", ["red", "orange"], 1), patternTask("cold", ["blue", "green"], 2)], labelSpace: "task" };
  const emit = (event: Event): void => {
    events.push(event);
    watcher.event(event);
  };
  await get(runMethod(sequentialLora({ ...options, batch: 4 }), learner(await tinyClip()), stream)({ ...runtimeOf(device), emit }));
  const told = events.filter(({ type }) => ["training", "memory", "step"].includes(type));
  assert.equal(
    told.map(({ type }) => type),
    ["training", "memory", "step", "training", "memory", "step"],
  );
  const [, memory] = told;
  assert.ok(memory.type === "memory" && memory.weights > 4 * 1114 * 16 && memory.rest > 0);
  assert.is(lines.length, 1);
  assert.match(lines[0], /^a step needs [\d.]+ KiB on the device, [\d.]+ KiB of it for weights$/);
});

runTests();
