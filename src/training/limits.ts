/** What does not fit on a device, and the option of a method that a person can lower. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../device/device.ts";
import type { Failure } from "../failure.ts";
import type { Tensors } from "../formats/hostTensor.ts";
import type { Adapter } from "../model/adapters/adapter.ts";
import type { Network } from "../model/network.ts";
import { weightsOfProgram } from "../tensor/session.ts";

type Options = Pick<Adapter<any>, "options">;

/** Whether an adapter, or one within it, has a rank. */
const hasRank = (options: unknown): boolean => typeof options === "object" && options !== null && ("rank" in options || Object.values(options).some(hasRank));

/** The option that sets the size of an adapter's groups. */
const rankOf = ({ options }: Options): { readonly option?: string } => (hasRank(options) ? { option: "rank" } : {});

/**
 * A failure of what runs on batches, with the option that sets the size of what does not fit: `rank` for the state of an adapter, and `batch` for inputs and
 * for what is computed of them. Weights and other states depend on no option.
 */
export const withOption =
  (weights: Tensors, adapter?: Options) =>
  (failure: Failure): Failure => {
    if (failure._tag !== "OverLimit" || failure.option !== undefined || failure.what === weightsOfProgram || weights.has(failure.what)) return failure;
    if (failure.what.startsWith("state ")) return adapter === undefined ? failure : { ...failure, ...rankOf(adapter) };
    return { ...failure, option: "batch" };
  };

/** Whether a device can hold so many numbers of f32 in one buffer; `what` and `option` are for the failure, which is `OverLimit`. */
export const fits = ({ limits, adapter }: Device, what: string, numbers: number, option?: string): E.Either<Failure, void> => {
  const [bytes, limit] = [4 * numbers, limits.maxBufferSize];
  if (bytes <= limit) return E.right(undefined);
  return E.left({ _tag: "OverLimit", what, bytes, limit, limitName: "maxBufferSize", adapter: adapter.line, ...(option === undefined ? {} : { option }) });
};

/** Whether a device can hold every group of an adapter; to be asked before any of them is made. Fails with `OverLimit`, which names the rank. */
export const adapterFits = (device: Device, net: Network, adapter: Adapter<any>): E.Either<Failure, void> => {
  for (const [name, { length }] of Object.entries(adapter.layouts(net))) {
    const fit = fits(device, `state ${name}`, length, rankOf(adapter).option);
    if (E.isLeft(fit)) return fit;
  }
  return E.right(undefined);
};
