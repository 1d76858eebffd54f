/**
 * What an adapter is, in words for people and in the few facts that kernels depend on.
 */
import type { Adapter, MatrixUnit } from "./device.ts";
import type { GPUAdapter, GPUAdapterInfo, GPUDeviceDescriptor, GPUSupportedLimits } from "../platform/webgpu.ts";

/** Limits asked for at the adapter's own value: the defaults are for browsers, and weights outgrow them. */
const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** Features used where offered; every kernel has a path without them. */
const wantedFeatures: readonly string[] = ["subgroups", "shader-f16", "timestamp-query", "chromium-experimental-subgroup-matrix"];

/** The device descriptor for an adapter: its own limits, and of the optional features those it offers (without experimental ones on request). */
export const descriptorOf = (adapter: GPUAdapter, experimental: boolean): GPUDeviceDescriptor => ({
  requiredLimits: Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]])),
  requiredFeatures: wantedFeatures.filter((f) => adapter.features.has(f) && (experimental || !f.includes("experimental"))),
});

/** Sizes of matrices that the kernels are written for, the best first. */
const matrixSizes = ["16x16x16", "16x8x16", "16x8x8", "8x8x8"];

/**
 * The matrices of f16 with sums in f32 that subgroups multiply: the best configuration alone, so that all products give the same bits. Subgroups must have one
 * size, which Apple's have, whatever Dawn says of them.
 */
const matrixUnit = (info: GPUAdapterInfo, has: ReadonlySet<string>): MatrixUnit | undefined => {
  if (!has.has("chromium-experimental-subgroup-matrix") || !has.has("shader-f16") || !has.has("subgroups")) return undefined;
  const lanes = info.vendor === "apple" ? 32 : info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMaxSize : undefined;
  if (lanes === undefined) return undefined;
  const halves = [...(info.subgroupMatrixConfigs ?? [])].filter((c) => c.componentType === "f16" && c.resultComponentType === "f32");
  const [best] = matrixSizes.flatMap((size) => halves.filter(({ M, N, K }) => `${M}x${N}x${K}` === size));
  return best && { m: best.M, n: best.N, k: best.K, lanes };
};

/** Describes an adapter; `features` are those that its device was given. */
export const describeAdapter = (info: GPUAdapterInfo, features: Iterable<string>): Adapter => {
  const has = new Set(features);
  const kind = info.isFallbackAdapter ? "cpu" : "gpu";
  const name = [info.description, info.device, `${info.vendor} ${info.architecture}`.trim()].find((s) => s !== "") ?? "unnamed adapter";
  const device = info.device === "" || info.description.includes(info.device) ? "" : `${info.device}: `;
  const matrix = matrixUnit(info, has);
  const parts = info.description === "" ? [info.vendor, info.architecture, info.device] : [info.device, info.description];
  return {
    line: kind === "cpu" ? `${name} (software, on the CPU)` : `${device}${name} (${info.vendor} GPU)`,
    key: parts
      .join("-")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, ""),
    kind,
    features: has,
    subgroupSize: has.has("subgroups") && info.subgroupMinSize === info.subgroupMaxSize ? (info.subgroupMinSize ?? 0) : 0,
    ...(matrix === undefined ? {} : { matrix }),
  };
};
