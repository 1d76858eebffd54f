/** What `exit.test.ts` runs in processes of their own: `argv[2]` says how a program ends. */
import process from "node:process";
import { runInNewContext } from "node:vm";
import * as E from "fp-ts/lib/Either.js";
import { openDevice, withDevice } from "../../src/device/open.ts";
import { kernelPipeline } from "../../src/kernels/kernel.ts";
import { bufferUsage, mapMode } from "../../src/device/usage.ts";
import type { Device } from "../../src/device/device.ts";
import { get } from "../../src/failure.ts";

const opened = () => get(openDevice());

/** Work that needs Dawn's event loop. */
const work = async (device: Device): Promise<void> => {
  await get(kernelPipeline(device, "fill", {}));
  const buffer = device.gpu.createBuffer({ size: 16, usage: bufferUsage.mapRead | bufferUsage.copyDst });
  await buffer.mapAsync(mapMode.read);
  buffer.unmap();
  await device.settled();
};

const endings: Readonly<Record<string, () => Promise<void>>> = {
  closed: async () => {
    const device = await opened();
    await work(device);
    await device.close();
  },
  "not closed": async () => work(await opened()),
  destroyed: async () => {
    const device = await opened();
    device.gpu.destroy();
    await device.settled();
  },
  "left open by a throw": async () => {
    await work(await opened());
    throw new Error("a defect");
  },
  "process.exit with work under way": async () => {
    const device = await opened();
    void work(device);
    process.exit(3);
  },
  "a throw in withDevice": async () => {
    await withDevice({})(() => async () => {
      throw new Error("a defect");
    })();
  },
  "a missing adapter": async () => {
    process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = "/nonexistent/icd.json";
    const device = await openDevice({ adapter: "gpu" })();
    if (E.isRight(device)) throw new Error("found one");
  },
  // Only the GPUDevice is kept here; the object that owns Dawn's instance must outlive every collection.
  collected: async () => {
    const { setFlagsFromString } = await import("node:v8");
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { gpu } = await opened();
    for (let i = 0; i < 20; i++) {
      collect();
      const buffer = gpu.createBuffer({ size: 2 ** 20, usage: bufferUsage.mapRead | bufferUsage.copyDst });
      await buffer.mapAsync(mapMode.read);
      buffer.destroy();
    }
  },
};

await endings[process.argv[2]]();
console.log("done");
