import { existsSync, readFileSync, readdirSync } from "node:fs";
import process from "node:process";
import { runInNewContext } from "node:vm";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { withDevice } from "../../src/device/open.ts";
import { wrapDevice } from "../../src/device/wrap.ts";
import type { GPUDevice } from "../../src/platform/webgpu.ts";

const collector = async (): Promise<() => void> => {
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
};

/** What a process holds of the system. */
const held = (): { readonly threads: number; readonly files: number } => ({
  threads: Number(/Threads:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]),
  files: readdirSync("/proc/self/fd").length,
});

(existsSync("/proc/self/status") ? test : test.skip)("devices that come and go leave no threads and no files behind", async () => {
  const use = async (): Promise<void> => assert.ok(E.isRight(await withDevice({})(() => TE.right(undefined))()));
  await use();
  const before = held();
  for (let i = 0; i < 10; i++) await use();
  const after = held();
  assert.ok(after.threads <= before.threads + 2, `${before.threads} threads became ${after.threads}`);
  assert.ok(after.files <= before.files + 2, `${before.files} files became ${after.files}`);
});

/** A device that does nothing; `lose` ends it. */
const idle = () => {
  let lose = (_: { readonly message: string; readonly reason: string }): void => undefined;
  const lost = new Promise<{ readonly message: string; readonly reason: string }>((resolve) => {
    lose = resolve;
  });
  let answer = (): Promise<void> => Promise.resolve();
  const gpu = {
    lost,
    features: new Set<string>(),
    limits: {},
    adapterInfo: { vendor: "", architecture: "", device: "", description: "idle", isFallbackAdapter: true },
    addEventListener: () => undefined,
    queue: { onSubmittedWorkDone: () => answer() },
  } as unknown as GPUDevice;
  return { gpu, lose, answerWith: (next: () => Promise<void>) => (answer = next) };
};

test("waiting for a device keeps nothing", async () => {
  const collect = await collector();
  const device = wrapDevice(idle().gpu);
  const heap = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return process.memoryUsage().heapUsed;
  };
  const waits = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i++) assert.ok(E.isRight(await device.settled()));
  };
  await waits(5000);
  const before = await heap();
  await waits(20000);
  const bytes = ((await heap()) - before) / 20000;
  assert.ok(bytes < 40, `${bytes.toFixed(0)} bytes a wait`);
});

test("a wait ends when the device is lost, also where the queue never answers", async () => {
  const { gpu, lose, answerWith } = idle();
  const device = wrapDevice(gpu);
  answerWith(() => new Promise(() => undefined));
  const waiting = device.settled();
  lose({ message: "unplugged", reason: "unknown" });
  const ended = await waiting;
  assert.ok(E.isLeft(ended) && ended.left._tag === "DeviceLost" && ended.left.reason === "unplugged");
});

test("a wait that is refused is a lost device", async () => {
  const { gpu, answerWith } = idle();
  answerWith(() => Promise.reject(new Error("gone")));
  const ended = await wrapDevice(gpu).settled();
  assert.ok(E.isLeft(ended) && ended.left._tag === "DeviceLost" && ended.left.reason === "gone");
});

test.run();
