/** The kernels by name: their text for given constants, and their pipelines on a device. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { wgsl } from "../../wgsl/generated.ts";
import type { Device } from "../device/device.ts";
import type { Failure } from "../failure.ts";
import { specialise, type Constants } from "./template.ts";
import type { GPUComputePipeline } from "../platform/webgpu.ts";

/** The name of a kernel: a file of `wgsl/` without its suffix. */
export type Kernel = keyof typeof wgsl;

/** Texts by kernel and constants: a program has few of them and many launches, and filling a large one in takes a while. */
const texts = new Map<string, E.Either<Failure, string>>();

/** The text of a kernel with its constants filled in. Fails with `KernelInvalid` where there is no such kernel, or where a constant is missing. */
export const kernelText = (kernel: Kernel, constants: Constants): E.Either<Failure, string> => {
  const key = `${kernel} ${JSON.stringify(constants)}`;
  const cached = texts.get(key);
  if (cached !== undefined) return cached;
  const text = E.tryCatch(
    () => {
      if (!(kernel in wgsl)) throw new Error("there is no such kernel");
      return specialise(wgsl[kernel], constants);
    },
    (error): Failure => ({ _tag: "KernelInvalid", kernel, detail: String((error as Error).message) }),
  );
  texts.set(key, text);
  return text;
};

/** The pipeline of a kernel with its constants, compiled once for a device. Fails with `KernelInvalid`. */
export const kernelPipeline = (device: Device, kernel: Kernel, constants: Constants): TE.TaskEither<Failure, GPUComputePipeline> =>
  TE.chain((code: string) => device.pipeline(kernel, code))(TE.fromEither(kernelText(kernel, constants)));
