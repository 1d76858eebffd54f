/**
 * Time and memory of one CoDyRA training step, and its matrix products' share of the adapter's matmul rate.
 *
 *     npm run bench:step -- [nano|icon|b16|smollm2|…] [batch] [steps]
 *
 * Weights and batch are random. Names are those of bench/steps.ts; the step is the one that `codyra` runs, or the method that the name has. Of smollm2 a batch is
 * rows of 64 tokens, of which the last 16 are answers; bench/torch_step.py times the same step in torch.
 */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { withDevice } from "../src/device/open.ts";
import type { Device } from "../src/device/device.ts";
import { describe, get, type Failure } from "../src/failure.ts";
import { openSession } from "../src/tensor/session.ts";
import { matmulFlops } from "../src/tensor/flops.ts";
import { trace } from "../src/tensor/program.ts";
import { matmul } from "../src/tensor/ops/matmul.ts";
import { floats } from "../src/tensor/tensor.ts";
import { random } from "../src/random.ts";
import { given } from "./arguments.ts";
import { stepOperands, weightsOf, works } from "./steps.ts";

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

const seconds = async (work: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** The rate of a plain square product on this adapter, in GFLOP/s: the best of some runs. */
const matmulRate = async (device: Device, n: number): Promise<number> => {
  const program = value(
    trace({ inputs: { a: floats([n, n]), b: floats([n, n]) } }, ({ inputs }) => E.right({ outputs: { c: matmul(inputs.a, inputs.b, { tb: true }) } })),
  );
  const session = await get(openSession(device, program));
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    best = Math.min(
      best,
      await seconds(async () => {
        value(session.run());
        await get(device.settled);
      }),
    );
  }
  session.release();
  return (2 * n ** 3) / best / 1e9;
};

const { name, batch, steps: count } = given({ called: "npm run bench:step -- [name] [batch] [steps]", operands: stepOperands("nano") });

const bench =
  (device: Device): TE.TaskEither<Failure, void> =>
  async () => {
    const { of, ...usual } = works[name];
    const work = of(batch ?? usual.batch);
    const { data, told } = work;
    const steps = count ?? usual.steps;
    console.log(`adapter: ${device.adapter.line}`);
    const rate = await matmulRate(device, 1024);
    const { program, recorder } = value(work.traced(device.precision));
    const weights = weightsOf(work);
    const before = device.ledger().peakBytes;
    const session = await get(openSession(device, program, { weights, record: ["loss"] }));
    value(session.write(work.initial(weights)));
    const inputs = data(random(1, "bench"));
    const times: number[] = [];
    for (let step = 0; step < steps; step++) {
      times.push(
        await seconds(async () => {
          value(
            session.run({
              ...(step === 0 ? inputs : {}),
              ...Object.fromEntries([...recorder.hypers].map(([n, at]) => [n, Float32Array.from(at, (f) => f(step))])),
            }),
          );
          await get(device.settled);
        }),
      );
    }
    const losses = await get(session.recorded("loss"));
    const median = [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
    const flops = matmulFlops(program);
    console.log(`${name}, ${told}: ${session.launches} dispatches, ${(flops / 1e9).toFixed(2)} GFLOP in matrix products`);
    console.log(`first step ${times[0].toFixed(2)} s, median ${median.toFixed(3)} s, loss ${losses[0].toFixed(4)} -> ${losses[losses.length - 1].toFixed(4)}`);
    console.log(
      `peak device bytes ${((device.ledger().peakBytes - before) / 2 ** 20).toFixed(1)} MiB (${(session.bytes / 2 ** 20).toFixed(1)} MiB of activations and state)`,
    );
    console.log(
      `achieved ${(flops / median / 1e9).toFixed(2)} GFLOP/s, matmul at 1024: ${rate.toFixed(2)} GFLOP/s, share ${((100 * flops) / median / 1e9 / rate).toFixed(0)} %`,
    );
    session.release();
    return E.right(undefined);
  };

const outcome = await withDevice({})(bench)();
if (E.isLeft(outcome)) {
  console.error(describe(outcome.left));
  process.exitCode = 1;
}
