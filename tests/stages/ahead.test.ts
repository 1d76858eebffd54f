/** Batches ahead of the device, and steps ahead of what is read of them: what is learned and told does not depend on when anything is ready. */
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { makeReadback } from "../../src/device/readback.ts";
import { get, type Failure } from "../../src/failure.ts";
import { codyra } from "../../src/methods/codyra.ts";
import { learner } from "../../src/model/learner.ts";
import { runMethod } from "../../src/runs/run.ts";
import { ahead, pace, reads } from "../../src/training/ahead.ts";
import type { Event } from "../../src/training/runtime.ts";
import { left, right } from "../either.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

test("batches come in their order whatever each of them takes, and one that fails fails in its place", async () => {
  const failure: Failure = { _tag: "Interrupted" };
  const asked: number[] = [];
  const at = (i: number) => async (): Promise<E.Either<Failure, number>> => {
    asked.push(i);
    await new Promise((resolve) => setTimeout(resolve, (7 * i) % 5));
    return i === 8 ? E.left(failure) : E.right(i);
  };
  const { next, more } = ahead(at, 2, 10, () => 1);
  for (let i = 2; i < 8; i++) {
    assert.is(right(await next()), i);
    assert.ok(asked.length <= i - 2 + 4, "no more than four are begun before they are needed");
    more();
  }
  assert.is(left(await next()), failure);
  assert.is(right(await next()), 9);
  assert.equal(asked, [2, 3, 4, 5, 6, 7, 8, 9]);
});

test("large batches are prepared one ahead", async () => {
  const asked: number[] = [];
  const { next, more } = ahead(
    (i) => async () => E.right(asked.push(i)),
    0,
    9,
    () => 2 ** 28 + 1,
  );
  await next();
  more();
  await next();
  more();
  assert.equal(asked, [0, 1, 2]);
});

/** After how many runs each of some reads is due, where a run takes so many milliseconds. */
const between = (kind: "cpu" | "gpu", milliseconds: number): readonly number[] => {
  let time = 0;
  const { due, done } = reads({ adapter: { kind } } as unknown as Device, () => time);
  return Array.from({ length: 3 }, () => {
    let runs = 0;
    do {
      runs++;
      time += milliseconds;
    } while (!due());
    done();
    return runs;
  });
};

test("slow steps of a CPU adapter are read one by one, fast ones and those of a GPU ten at a time", () => {
  assert.equal(between("cpu", 700), [1, 1, 1]);
  assert.equal(between("cpu", 120), [1, 4, 4]);
  assert.equal(between("cpu", 2), [1, 10, 10]);
  assert.equal(between("gpu", 700), [10, 10, 10]);
});

test("a GPU has a bounded number of runs before it; a CPU adapter is not asked", async () => {
  const ends: (() => void)[] = [];
  const settled = () => new Promise<E.Either<Failure, void>>((resolve) => ends.push(() => resolve(E.right(undefined))));
  const deviceOf = (kind: "cpu" | "gpu") => ({ adapter: { kind }, settled }) as unknown as Device;
  const onGpu = pace(deviceOf("gpu"));
  for (let i = 0; i < 3; i++) right(await onGpu());
  let waited = false;
  const fourth = onGpu().then(() => (waited = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.not(waited);
  ends[0]();
  await fourth;
  right(await pace(deviceOf("cpu"))());
  assert.is(ends.length, 4);
});

deviceTest("reads that wait at the same time give what was there when they began", async (device) => {
  const buffer = right(device.buffer("numbers", 16));
  const readback = makeReadback(device);
  const reads = [1, 2, 3].map((value) => {
    device.gpu.queue.writeBuffer(buffer, 0, Float32Array.of(value, value, value, value));
    return readback.read(buffer, 0, 16)();
  });
  assert.equal(
    (await Promise.all(reads)).map((read) => [...right(read)][0]),
    [1, 2, 3],
  );
  const before = device.ledger().created;
  right(await readback.read(buffer, 0, 8)());
  assert.is(device.ledger().created, before, "a staging buffer that is free is used again");
  readback.release();
  device.release(buffer);
});

deviceTest("steps that are queued for a GPU learn and tell the same bits as those that are waited for", async (device) => {
  const model = await tinyClip();
  const stream = { tasks: [patternTask("warm", ["red", "orange"], 1)], labelSpace: "task" as const };
  const method = codyra({ steps: 23, batch: 4, rank: 2, lr: 1e-2, cropScale: 0.8 });
  const run = async (later: "cpu" | "gpu") => {
    const told: string[] = [];
    // Programs are those of this adapter; only the loop over the steps takes it for another.
    let kind = device.adapter.kind;
    const adapter = {
      ...device.adapter,
      get kind() {
        return kind;
      },
    };
    const emit = (event: Event): void => {
      if (event.type === "memory") kind = later;
      if (event.type === "evaluating") kind = device.adapter.kind;
      if (event.type === "step") told.push(JSON.stringify([event.position, event.step, event.losses]));
    };
    const { learner: after } = await get(runMethod(method, learner(model), stream)({ ...runtimeOf({ ...device, adapter }), emit }));
    return { told, weights: after.model.weights };
  };
  const [waited, queued] = [await run("cpu"), await run("gpu")];
  assert.is(waited.told.length, 23);
  assert.equal(queued.told, waited.told);
  for (const [name, { data }] of waited.weights) assert.equal(queued.weights.get(name)!.data, data, name);
});

runTests();
