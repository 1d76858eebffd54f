/** One computation on plain arrays: what a test of a loss or of a stage needs. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../device/device.ts";
import type { Failure } from "../failure.ts";
import type { HostTensor } from "../formats/hostTensor.ts";
import { withSession } from "./session.ts";
import { floats, type Tensor } from "./tensor.ts";

/**
 * Traces a function of tensors, runs it once on values, and reads what it gives. Fails as {@link withSession} does.
 *
 * ```ts
 * const x = { shape: [3], data: Float32Array.of(1, 2, 3) };
 * const { y } = await get(withDevice({})((device) => tensor.compute(device, { x }, ({ x }) =>
 *   ({ _tag: "Right", right: { y: tensor.sum(tensor.square(x)) } }))));
 * assert.deepEqual([...y], [14]);
 * ```
 */
export const compute = <N extends string, M extends string>(
  device: Device,
  values: Readonly<Record<N, HostTensor>>,
  of: (tensors: Readonly<Record<N, Tensor>>) => E.Either<Failure, Readonly<Record<M, Tensor>>>,
): TE.TaskEither<Failure, Readonly<Record<M, Float32Array>>> => {
  const given = Object.entries<HostTensor>(values);
  return withSession(device, ({ input }) => {
    const tensors = Object.fromEntries(given.map(([name, { shape }]) => [name, input(name, floats(shape))]));
    return pipe(
      of(tensors as Readonly<Record<N, Tensor>>),
      E.map((outputs) => ({ outputs })),
    );
  })((session) =>
    pipe(
      TE.fromEither(session.run(Object.fromEntries(given.map(([name, { data }]) => [name, data])))),
      TE.chain(() => session.readAll(Object.keys(session.program.outputs))),
      TE.map((read) => read as Readonly<Record<M, Float32Array>>),
    ),
  );
};
