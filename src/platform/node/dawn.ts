/** A device from Dawn, Google's WebGPU, through the npm package `webgpu`. */
import { delimiter } from "node:path";
import process from "node:process";
import { create } from "webgpu";
import { firstLine } from "../failures.ts";
import type { GpuRequest, OpenGpu } from "../platform.ts";
import type { GPU, GPUAdapterInfo } from "../webgpu.ts";
import { vulkanLoads } from "./library.ts";
import { waitingFor } from "./wait.ts";

/**
 * One instance of Dawn for every choice of drivers, which all its devices share: an instance has threads, files and memory of its own, and they come back
 * only when V8 collects it, which nothing makes it do.
 */
const instances = new Map<string, GPU>();

/**
 * The instances of all devices that are open. Dawn's instance dies with the object that `create()` returned and the process with it, and a variable is not
 * enough: V8 drops it after its last use.
 */
const alive = new Set<{ readonly dawn: GPU }>();

/** The environment's variables that name Vulkan drivers. */
export const driverVariables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] as const;

/** Runs with the Vulkan loader pointed at these drivers, or at the user's own choice, and leaves the environment as it was. */
const withDrivers = async <A>(drivers: readonly string[], use: () => Promise<A>): Promise<A> => {
  const before = driverVariables.map((name) => [name, process.env[name]] as const);
  if (drivers.length > 0) for (const name of driverVariables) process.env[name] = drivers.join(delimiter);
  try {
    return await use();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
};

/** Subgroup matrices are behind `allow_unsafe_apis`, f16 on NVIDIA is behind a toggle of its own; timestamps would be rounded to 0.1 ms, as in web pages. */
const toggles = ["enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia", "disable-dawn-features=timestamp_quantization"];

/** What Dawn's silence is called. */
export const noAdapter = "Dawn finds no adapter";

/** What is asked of Dawn. */
export interface DawnRequest extends Pick<GpuRequest, "descriptor"> {
  /** Descriptions of Vulkan drivers (files); none for those that the system has. */
  readonly drivers?: readonly string[];
  /** Why an adapter will not do; undefined where it will. */
  readonly refuse?: (info: GPUAdapterInfo) => string | undefined;
}

/** What the instances of Dawn differ in: the drivers that the environment names when they first look, which they do once. */
const driversNow = (): string => JSON.stringify(driverVariables.map((name) => process.env[name]));

/** One attempt. An instance without an adapter, or one that has lost a device, is not asked again. */
const attempt = async ({ descriptor, refuse }: DawnRequest, experimental: boolean): Promise<OpenGpu | string> => {
  const drivers = driversNow();
  const dawn: GPU = instances.get(drivers) ?? create(toggles);
  const forget = (): void => {
    if (instances.get(drivers) === dawn) instances.delete(drivers);
  };
  const use = { dawn };
  alive.add(use);
  instances.set(drivers, dawn);
  let opened = false;
  try {
    const adapter = await dawn.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) {
      forget();
      return noAdapter;
    }
    const { info } = adapter;
    const refusal = refuse?.(info);
    if (refusal !== undefined) return refusal;
    const gpu = await adapter.requestDevice(descriptor(adapter, experimental));
    opened = true;
    gpu.lost.then(({ reason }) => {
      if (reason !== "destroyed") forget();
    });
    return { gpu, info, wait: waitingFor(info), release: () => void alive.delete(use) };
  } finally {
    if (!opened) alive.delete(use);
  }
};

/** A device of the first adapter that Dawn offers, without experimental features where it cannot be had with them; a string says why there is none. */
export const openDawn = (request: DawnRequest): Promise<OpenGpu | string> =>
  withDrivers(request.drivers ?? [], async () => {
    if (!vulkanLoads()) return "this machine has no libvulkan.so.1";
    return attempt(request, true).catch(() => attempt(request, false).catch(firstLine));
  });
