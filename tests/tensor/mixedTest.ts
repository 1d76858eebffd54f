/** Tests in mixed precision. */
import type { Device } from "../../src/device/device.ts";
import { inPrecision } from "../../src/device/precision.ts";
import { right } from "../either.ts";
import { hasF16 } from "../fixtures/shaderF16.ts";
import { deviceTestWith } from "./check.ts";

/** A test on the device of its file, as it is and in mixed precision; skipped where the adapter does not compute in that. */
export const mixedTest = (name: string, body: (device: Device, mixed: Device) => Promise<void>): void =>
  deviceTestWith(hasF16, "shader-f16")(name, (device) => body(device, right(inPrecision("mixed", device))));
