/** One walk over a task's batches that sums tensors on the device: mean gradients, statistics of features. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { HostTensor, Tensors } from "../formats/hostTensor.ts";
import { bind, type HostRecord } from "../tensor/executable.ts";
import { trace } from "../tensor/program.ts";
import { add } from "../tensor/ops/elementwise.ts";
import { leaf, floats, type Spec, type Tensor } from "../tensor/tensor.ts";
import type { Runtime } from "./runtime.ts";

/** What a pass computes of a batch. */
export interface PassOptions {
  readonly weights: Tensors;
  /** Inputs that `of` is given; it may ask for others by leaves of its own. */
  readonly inputs?: Readonly<Record<string, Spec>>;
  /** Batches by number; each gives all inputs. */
  readonly at: (batch: number) => TE.TaskEither<Failure, HostRecord>;
  readonly batches: number;
  /** The tensors to be summed, by name. `constant` brings tensors along. */
  readonly of: (inputs: Readonly<Record<string, Tensor>>, constant: (name: string, value: HostTensor) => Tensor) => Readonly<Record<string, Tensor>>;
  /** What is read at the end, from the sums. Default: the sums. */
  readonly read?: (sums: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;
}

/** Sums over batches, read back at the end. Fails with `Interrupted` on request, and with what a sample or the device says. */
export const sumOver =
  ({ weights, inputs, at, batches, of, read = (sums) => sums }: PassOptions) =>
  (runtime: Runtime): TE.TaskEither<Failure, Readonly<Record<string, Float32Array>>> =>
  async () => {
    const constants = new Map<string, { readonly value: HostTensor; readonly tensor: Tensor }>();
    const constant = (name: string, value: HostTensor): Tensor => {
      const known = constants.get(name) ?? { value, tensor: leaf("frozen", name, floats(value.shape)) };
      constants.set(name, known);
      return known.tensor;
    };
    const program = trace({ inputs }, (args) => {
      const sums = Object.fromEntries(Object.entries(of(args.inputs, constant)).map(([name, t]) => [name, add(leaf("state", name, floats(t.shape)), t)]));
      return E.right({ state: sums, outputs: Object.fromEntries(Object.entries(read(sums)).map(([name, t]) => [`read ${name}`, t])) });
    });
    if (E.isLeft(program)) return program;
    const used = new Set(program.right.leaves.filter((l) => l.role === "input").map((l) => l.name));
    const made = await bind(runtime.device, program.right, [...weights, ...[...constants].map(([name, { value }]) => [name, value] as const)])();
    if (E.isLeft(made)) return made;
    const exe = made.right;
    try {
      for (let i = 0; i < batches; i++) {
        if (runtime.signal?.aborted) return E.left({ _tag: "Interrupted" });
        const batch = await at(i)();
        if (E.isLeft(batch)) return batch;
        const ran = exe.run(Object.fromEntries(Object.entries(batch.right).filter(([name]) => used.has(name))));
        if (E.isLeft(ran)) return ran;
      }
      const values: Record<string, Float32Array> = {};
      for (const name of Object.keys(program.right.outputs)) {
        const value = await exe.read(name)();
        if (E.isLeft(value)) return value;
        values[name.slice("read ".length)] = value.right;
      }
      return E.right(values);
    } finally {
      exe.release();
    }
  };
