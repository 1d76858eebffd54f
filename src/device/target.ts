/** What lowering depends on, for a device. */
import type { Device } from "./device.ts";
import type { Target } from "./launch.ts";
import { matmulVariants } from "./matmul.ts";

export const target = (device: Device): Target => ({
  adapter: device.adapter,
  maxBinding: Math.floor(device.limits.maxStorageBufferBindingSize / 4),
  matmul: (shape) => matmulVariants(device.adapter, shape)[0],
});
