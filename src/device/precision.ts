/** How a device keeps and multiplies numbers. */
import * as E from "fp-ts/lib/Either.js";
import type { Either } from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { Device, Precision } from "./device.ts";

/** What an adapter needs for mixed precision. */
const needed = "shader-f16";

/**
 * The same open device, whose programs run in a precision. Fails with `BadOption` where the adapter cannot do it: other numbers than those that were asked for
 * would be no help.
 *
 * ```ts
 * const precision = await withDevice({})((device) => async () => {
 *   const mixed = inPrecision("mixed", device);
 *   return { _tag: "Right", right: mixed._tag === "Right" ? mixed.right.precision : "not here" };
 * })();
 * assert.ok(precision._tag === "Right");
 * ```
 */
export const inPrecision = <D extends Device>(precision: Precision, device: D): Either<Failure, D> =>
  precision === "mixed" && !device.adapter.features.has(needed)
    ? E.left({
        _tag: "BadOption",
        option: "precision",
        detail: `mixed needs an adapter that computes with f16, and ${device.adapter.line} does not; leave it out, or take another adapter`,
      })
    : E.right({ ...device, precision });

/** The line that says on what a device runs, and how where that is not f32. */
export const lineOf = ({ adapter, precision }: Device): string => (precision === "f32" ? adapter.line : `${adapter.line}, ${precision} precision`);
