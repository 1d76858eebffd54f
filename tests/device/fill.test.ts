import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { withDevice } from "../../src/device/open.ts";
import { kernelPipeline } from "../../src/kernels/kernel.ts";
import { bufferUsage, mapMode } from "../../src/device/usage.ts";
import type { Device } from "../../src/device/device.ts";
import { right } from "../either.ts";

/** Fills `count` numbers with `value` on the device and reads them back. */
const fill = async (device: Device, count: number, value: number): Promise<Float32Array> => {
  const { gpu } = device;
  const pipeline = await get(kernelPipeline(device, "fill", {}));
  const dims = right(device.buffer("dims", 8, bufferUsage.uniform));
  const out = right(device.buffer("out", count * 4));
  const read = gpu.createBuffer({ size: out.size, usage: bufferUsage.mapRead | bufferUsage.copyDst });
  const words = new DataView(new ArrayBuffer(8));
  words.setUint32(0, count, true);
  words.setFloat32(4, value, true);
  gpu.queue.writeBuffer(dims, 0, words.buffer);
  const group = gpu.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: { buffer: dims } },
      { binding: 1, resource: { buffer: out } },
    ],
  });
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  const groups = Math.ceil(count / 64);
  const wide = Math.min(groups, 65535);
  pass.dispatchWorkgroups(wide, Math.ceil(groups / wide));
  pass.end();
  encoder.copyBufferToBuffer(out, 0, read, 0, out.size);
  gpu.queue.submit([encoder.finish()]);
  await read.mapAsync(mapMode.read);
  const result = new Float32Array(read.getMappedRange().slice(0));
  read.destroy();
  device.release(dims);
  device.release(out);
  return result;
};

test("fill writes every element up to count, and none past it", async () => {
  await get(
    withDevice({})((device) => async () => {
      for (const count of [1, 63, 64, 65, 257]) {
        const result = await fill(device, count, 1.5);
        assert.ok(
          result.subarray(0, count).every((x) => x === 1.5),
          `count ${count}`,
        );
        assert.ok(
          result.subarray(count).every((x) => x === 0),
          `past count ${count}`,
        );
      }
      return E.right(undefined);
    }),
  );
});

test.run();
