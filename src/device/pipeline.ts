/**
 * Compiles WGSL text to a compute pipeline, and says which line was wrong when it cannot.
 */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { GPUComputePipeline, GPUDevice } from "../platform/webgpu.ts";

const invalid = (kernel: string, detail: string): Failure => ({ _tag: "KernelInvalid", kernel, detail });

/** Dawn's messages end in a context of several lines; the first says it. */
const sentence = (message: string): string => message.trim().split("\n")[0];

/** A compute pipeline with layout `auto` and entry point `main`. Fails with `KernelInvalid`, which quotes the line. */
export const compile =
  (gpu: GPUDevice, name: string, code: string): TaskEither<Failure, GPUComputePipeline> =>
  async () => {
    try {
      gpu.pushErrorScope("validation");
      const module = gpu.createShaderModule({ label: name, code });
      const refused = await gpu.popErrorScope();
      if (refused !== null) {
        const { messages } = await module.getCompilationInfo();
        const first = messages.find((m) => m.type === "error");
        return E.left(
          first === undefined
            ? invalid(name, sentence(refused.message))
            : invalid(name, `line ${first.lineNum}: ${first.message}: ${(code.split("\n")[first.lineNum - 1] ?? "").trim()}`),
        );
      }
      return E.right(await gpu.createComputePipelineAsync({ label: name, layout: "auto", compute: { module, entryPoint: "main" } }));
    } catch (reason) {
      return E.left(invalid(name, sentence(reason instanceof Error ? reason.message : String(reason))));
    }
  };
