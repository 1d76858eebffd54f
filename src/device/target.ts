/** What lowering depends on, for a device. */
import type { Device } from "./device.ts";
import type { Bounds } from "./launch.ts";
import { matmulVariants, type MatmulPlan, type MatmulShape } from "./matmul.ts";

/** What lowering may depend on: the adapter, its largest binding, and the choice of matmul. */
export interface Target extends Bounds {
  readonly matmul: (shape: MatmulShape) => MatmulPlan;
}

/** The target that a device is. */
export const target = (device: Device): Target => ({
  adapter: device.adapter,
  maxBinding: Math.floor(device.limits.maxStorageBufferBindingSize / 4),
  matmul: (shape) => matmulVariants(device.adapter, shape)[0],
});
