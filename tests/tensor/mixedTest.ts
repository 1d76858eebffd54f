/** Tests in mixed precision. */
import type { Device } from "../../src/device/device.ts";
import { inPrecision } from "../../src/device/precision.ts";
import { right } from "../either.ts";
import { hasF16 } from "../fixtures/shaderF16.ts";
import { deviceTestWith } from "./check.ts";

type Body = (device: Device, mixed: Device) => Promise<void>;

/** A test on the device of its file, as it is and in mixed precision; skipped where the adapter does not compute in that. */
export const mixedTest = (name: string, body: Body): void =>
  deviceTestWith(hasF16, "shader-f16")(name, (device) => body(device, right(inPrecision("mixed", device))));

/** A device whose products of f16 are computed by units, which round operands to f16; lanes do their work where the adapter has none. */
const withUnits = (device: Device): Device => {
  const { adapter } = device;
  const matrix = adapter.matrix ?? { m: 16, n: 16, k: 16, lanes: 32, emulated: true };
  return { ...device, adapter: { ...adapter, matrix, key: `${adapter.key}-units` } };
};

/** A test in mixed precision, and again with units: what an adapter without units computes in f32 has the range of f16 there. */
export const mixedTests = (name: string, body: Body): void => {
  mixedTest(name, body);
  mixedTest(`${name} (on units)`, (device, mixed) => body(device, withUnits(mixed)));
};

/** A factor of a loss of about 1 whose gradients overflow at the first scales, and at the later ones do not: in f32, or as operands in f16 where there are units. */
export const overflowing = ({ adapter }: Device): number => (adapter.matrix === undefined ? 1e36 : 2 ** 10);
