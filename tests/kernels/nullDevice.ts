/**
 * A device that runs nothing: Dawn's null backend. It has features that no adapter of a machine without a GPU has, and Tint checks a text there as anywhere.
 * Its subgroups are of 4 to 128 lanes, so a workgroup with subgroup matrices must have a multiple of 128 threads along x; it has 256 threads and 16 KiB.
 */
import { create } from "webgpu";
import { descriptorOf } from "../../src/device/adapter.ts";
import type { OpenDevice } from "../../src/device/device.ts";
import { wrapDevice } from "../../src/device/wrap.ts";
import type { GPU } from "../../src/platform/webgpu.ts";

/** What `create` returned must stay referenced as long as its devices live. */
const instances = new Set<GPU>();

/** Opens a device of the null backend, with all features that kernels know. */
export const openNull = async (): Promise<OpenDevice> => {
  const dawn: GPU = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
  instances.add(dawn);
  const adapter = await dawn.requestAdapter({});
  if (adapter === null) throw new Error("Dawn has no null backend");
  const { info } = adapter;
  return wrapDevice(await adapter.requestDevice(descriptorOf(adapter, true)), { info, release: () => void instances.delete(dawn) });
};
