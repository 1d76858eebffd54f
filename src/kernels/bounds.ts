/** What a device sets bounds to. */
import type { Adapter, Device, Precision } from "../device/device.ts";

/** Bytes of workgroup memory that WebGPU guarantees. */
export const guaranteedWorkgroupBytes = 16384;

/** What grids and windows depend on. */
export interface Bounds {
  readonly adapter: Adapter;
  /** Elements of four bytes in the largest storage binding. */
  readonly maxBinding: number;
  /** Bytes of memory that the threads of a workgroup may share. Default {@link guaranteedWorkgroupBytes}. */
  readonly workgroupBytes?: number;
  /** What passes keep to: `mixed` lets them keep values in f16. */
  readonly precision: Precision;
}

/** What windows depend on. */
export type BindingBound = Pick<Bounds, "maxBinding">;

/** The bounds of a device. */
export const boundsOf = ({ adapter, limits, precision }: Device): Bounds => ({
  adapter,
  maxBinding: Math.floor(limits.maxStorageBufferBindingSize / 4),
  workgroupBytes: limits.maxComputeWorkgroupStorageSize,
  precision,
});
