/** A device with what WebGPU guarantees and nothing more: no optional feature, eight storage buffers a stage, 16 KiB and 256 threads for a workgroup. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { imageCache } from "../../src/data/imageCache.ts";
import type { ClassTask } from "../../src/data/task.ts";
import { withDevice, type DeviceOptions } from "../../src/device/open.ts";
import { get } from "../../src/failure.ts";
import { methods } from "../../src/methods/table.ts";
import { learner } from "../../src/model/learner.ts";
import { platform } from "../../src/platform/default.ts";
import { runMethod } from "../../src/runs/run.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";

/** Asks an adapter for nothing. */
const plain: DeviceOptions["platform"] = { ...platform, openGpu: (request) => platform.openGpu({ ...request, descriptor: () => ({}) }) };

const squares = (red: number): ClassTask["train"] =>
  TE.right(
    [red, 30].map((shade, label) => ({
      id: `${shade}`,
      label,
      image: { kind: "pixels" as const, image: { width: 16, height: 16, data: new Uint8Array(768).map((_, i) => (i % 3 === 0 ? shade : (i * label) % 60)) } },
    })),
  );

const tasks = [240, 150].map(
  (red): ClassTask => ({ name: `shade ${red}`, classNames: [`bright ${red}`, "dark"], templates: ["a {c} square."], train: squares(red), test: squares(red) }),
);

const near = (x: number, y: number, name: string): void => {
  if (Math.abs(x - y) > 1e-5 * Math.max(1, Math.abs(x))) assert.unreachable(`${name}: ${x} and ${y}`);
};

const clip = await tinyClip();

/** What a method with short lessons makes of a tiny CLIP. */
const learned = (name: "codyra" | "glad", options: DeviceOptions) =>
  get(
    withDevice(options)((device) =>
      pipe(
        runMethod(methods[name]({ steps: 2, batch: 2 }), learner(clip), { tasks, labelSpace: "task" })({
          device,
          seed: 1,
          images: imageCache(8),
          emit: () => undefined,
        }),
        TE.map(({ learner: { model }, result }) => ({ model, result, device })),
      ),
    ),
  );

for (const name of ["codyra", "glad"] as const)
  test(`${name} learns there what it learns with all that an adapter has`, async () => {
    const { model, result, device } = await learned(name, { platform: plain });
    assert.equal(
      [...device.adapter.features].filter((feature) => feature !== "core-features-and-limits"),
      [],
    );
    assert.is((device.gpu.limits as { readonly maxStorageBuffersPerShaderStage?: number }).maxStorageBuffersPerShaderStage, 8);
    assert.is(device.limits.maxComputeWorkgroupStorageSize, 16384);
    const usual = await learned(name, {});
    assert.equal(result.matrix, usual.result.matrix);
    for (const [key, { data }] of usual.model.weights) data.forEach((x, i) => near(x, model.weights.get(key)!.data[i], key));
  });

test.run();
