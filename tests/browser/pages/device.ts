/** The device that the browser's platform opens, and its cache. */
import * as E from "fp-ts/lib/Either.js";
import { openDevice } from "../../../src/device/open.ts";
import { describe } from "../../../src/failure.ts";
import type { Rung } from "../../../src/platform/platform.ts";
import { web } from "../../../src/platform/web/web.ts";

/** The device that the browser offers, or the sentence that says why there is none, where `navigator.gpu` is as it is, missing, or without an adapter. */
export const device = async (gpu: "as it is" | "absent" | "without adapter" = "as it is", adapter?: Rung): Promise<object | string> => {
  if (gpu !== "as it is") Object.defineProperty(navigator, "gpu", { value: gpu === "absent" ? undefined : { requestAdapter: async () => null } });
  const opened = await openDevice({ platform: web, adapter })();
  if (E.isLeft(opened)) return describe(opened.left);
  const { adapter: described, gpu: device, close } = opened.right;
  const { maxStorageBufferBindingSize: bytes, maxStorageBuffersPerShaderStage: buffers } = (device as unknown as GPUDevice).limits;
  await close();
  return { ...described, bytes, buffers };
};

/** What the cache has under a name after it was written. */
export const cached = async (name: string, text: string): Promise<readonly (string | undefined)[]> => {
  const before = await web.cache.read(name)();
  await web.cache.write(name, text)();
  return [before, await web.cache.read(name)()];
};
