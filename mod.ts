export * from "./src/failure.ts";
export * from "./src/stream/task.ts";
export type { Adapter, Device, Kernel, Ledger } from "./src/device/device.ts";
export { openDevice, rungs, withDevice } from "./src/device/open.ts";
export type { DeviceOptions, OpenDevice, Rung } from "./src/device/open.ts";
