/** One walk over a task's batches that sums tensors on the device: mean gradients, statistics of features. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Tensors } from "../formats/hostTensor.ts";
import type { Leaves } from "../tensor/leaves.ts";
import { add } from "../tensor/ops/elementwise.ts";
import type { HostRecord } from "../tensor/replay.ts";
import { withSession } from "../tensor/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ahead, bytesOf, pace } from "./ahead.ts";
import { withOption } from "./limits.ts";
import type { Runtime } from "./runtime.ts";

/** What a pass computes of a batch. */
export interface PassOptions {
  readonly weights: Tensors;
  /** Batches by number; each gives all inputs that `of` asks for. */
  readonly at: (batch: number) => TE.TaskEither<Failure, HostRecord>;
  readonly batches: number;
  /** The tensors to be summed, by name. */
  readonly of: (leaves: Leaves) => Readonly<Record<string, Tensor>>;
  /** What is read at the end, from the sums. Default: the sums. */
  readonly read?: (sums: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;
}

const prefix = "read ";

/** Sums over batches, read back at the end. Fails with `Interrupted` on request, and with what a sample or the device says. */
export const sumOver =
  ({ weights, at, batches, of, read = (sums) => sums }: PassOptions) =>
  ({ device, signal }: Runtime): TE.TaskEither<Failure, Readonly<Record<string, Float32Array>>> => {
    const step = (leaves: Leaves) => {
      const sums = Object.fromEntries(Object.entries(of(leaves)).map(([name, t]) => [name, add(leaves.state(name, t.shape), t)]));
      return E.right({ state: sums, outputs: Object.fromEntries(Object.entries(read(sums)).map(([name, t]) => [prefix + name, t])) });
    };
    const walk = withSession(device, step, { weights, label: "sums over a task" })((session) =>
      pipe(
        async (): Promise<E.Either<Failure, void>> => {
          const [source, paced] = [ahead(at, 0, batches, bytesOf), pace(device)];
          for (let i = 0; i < batches; i++) {
            if (signal?.aborted) return E.left({ _tag: "Interrupted" });
            const ran = pipe(await source.next(), E.chain(session.run));
            if (E.isLeft(ran)) return ran;
            source.more();
            const kept = await paced();
            if (E.isLeft(kept)) return kept;
          }
          return E.right(undefined);
        },
        TE.chain(() => session.readAll(Object.keys(session.program.outputs))),
        TE.map((values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name.slice(prefix.length), value]))),
      ),
    );
    return pipe(walk, TE.mapLeft(withOption(weights)));
  };
