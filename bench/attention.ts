/**
 * Attention, forward and with all its gradients: scores, softmax and values one by one, against one operation; and its kernels in tiles of every height.
 *
 *     npm run bench:attention -- [rounds] [batch]
 *
 * The shapes are those of CLIP ViT-B/16's towers. Ways are measured in turns; a figure is the least over the rounds. What it says of heights is what the plans
 * of src/kernels/attention.ts guess.
 */
import * as E from "fp-ts/lib/Either.js";
import { flag, whole } from "../src/cli/flags.ts";
import type { Device } from "../src/device/device.ts";
import { withDevice } from "../src/device/open.ts";
import { ownedOn } from "../src/device/owned.ts";
import { describe, get, type Failure } from "../src/failure.ts";
import { attentionPlans, attentionTypeConstants, type AttentionKernel, type AttentionShape } from "../src/kernels/attention.ts";
import { boundsOf } from "../src/kernels/bounds.ts";
import { launchCost } from "../src/kernels/cost.ts";
import { encode, makeDispatches, type Dispatch } from "../src/kernels/dispatch.ts";
import { gradient } from "../src/tensor/gradient.ts";
import { flashAttention } from "../src/tensor/ops/attention.ts";
import { mul } from "../src/tensor/ops/elementwise.ts";
import { attentionScores, attentionValues } from "../src/tensor/ops/matmul.ts";
import { sum } from "../src/tensor/ops/reduce.ts";
import { softmax } from "../src/tensor/ops/softmax.ts";
import { openSession, type Session } from "../src/tensor/session.ts";
import { floats, type Tensor } from "../src/tensor/tensor.ts";
import { given } from "./arguments.ts";

const { rounds, batch } = given({
  called: "npm run bench:attention -- [rounds] [batch]",
  operands: { rounds: flag(whole(1), "N", "measurements of which the least counts", 8), batch: flag(whole(1, 65536), "N", "sequences of a batch", 64) },
});

const shapes = [
  { shape: { batch, heads: 12, share: 1, queries: 197, keys: 197, width: 64 }, causal: false },
  { shape: { batch, heads: 8, share: 1, queries: 77, keys: 77, width: 64 }, causal: true },
];

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

type Way = (q: Tensor, k: Tensor, v: Tensor, heads: number, causal: boolean) => { readonly y: Tensor; readonly map?: Tensor };

/** One by one, the map is a result too: no pass then makes one operation of it. */
const ways: Readonly<Record<string, Way>> = {
  "one by one": (q, k, v, heads, causal) => {
    const p = softmax(attentionScores(q, k, heads, 0.125), { causal });
    return { y: attentionValues(p, v, heads), map: p };
  },
  "one operation": (q, k, v, heads, causal) => ({ y: flashAttention(q, k, v, { heads, causal }) }),
};

const open = async (device: Device, way: Way, { batch: b, queries, heads, width }: AttentionShape, causal: boolean, back: boolean): Promise<Session> => {
  const spec = floats([b, queries, heads * width]);
  const names = ["q", "k", "v", "w"];
  const session = await get(
    openSession(device, ({ input }) => {
      const [q, k, v, w] = names.map((name) => input(name, spec));
      const outputs = { ...way(q, k, v, heads, causal) };
      if (!back) return E.right({ outputs });
      return E.right({ outputs: { ...outputs, ...Object.fromEntries(gradient(sum(mul(outputs.y, w)), [q, k, v]).map((g, i) => [names[i], g])) } });
    }),
  );
  const numbers = (seed: number): Float32Array => Float32Array.from({ length: b * queries * heads * width }, (_, i) => (((i + 1) * seed) % 1009) / 504.5 - 1);
  value(session.run(Object.fromEntries(names.map((name, i) => [name, numbers(7919 + i)]))));
  return session;
};

/** The least milliseconds of a submission, over the rounds. */
const timed = async (device: Device, submit: () => void): Promise<number> => {
  let least = Infinity;
  for (let i = 0; i <= rounds; i++) {
    await get(device.settled);
    const start = performance.now();
    submit();
    await get(device.settled);
    if (i > 0) least = Math.min(least, performance.now() - start);
  }
  return least;
};

const submitted = (device: Device, dispatches: readonly Dispatch[]): void => {
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass, dispatches);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
};

/** A kernel on zeros, in tiles of every height, the best guess first. */
const heights = async (device: Device, kernel: AttentionKernel, shape: AttentionShape, CAUSAL: boolean): Promise<void> => {
  const owned = ownedOn(device);
  const elements = shape.batch * shape.heads * shape.queries * shape.width;
  const bindings = Array.from({ length: kernel === "attention-grad-queries" ? 8 : 7 }, (_, i) =>
    kernel === "attention" && (i === 3 || i === 4) ? undefined : { buffer: value(owned.buffer("operand", 4 * elements)) },
  );
  // Every query sees all keys.
  const facts = Uint32Array.from({ length: 4 * shape.batch * shape.heads * shape.queries }, (_, i) => (i % 4 === 3 ? shape.keys : 0));
  if (kernel !== "attention") device.gpu.queue.writeBuffer(bindings[4]!.buffer, 0, facts);
  for (const { constants, grid } of attentionPlans(boundsOf(device), shape, kernel)) {
    const launch = { kernel, constants: { ...constants, ...attentionTypeConstants({}, true), CAUSAL }, dims: { ...shape, scale: 0.125 }, grid };
    const dispatches = value(await makeDispatches(device, [{ launch, bindings }], owned));
    const ms = await timed(device, () => submitted(device, dispatches));
    const { flops } = launchCost(launch, []);
    console.log(`  ${kernel}, ${constants.ROWS} rows a thread: ${ms.toFixed(2)} ms, ${(flops / ms / 1e9).toFixed(2)} TFLOP/s`);
  }
  owned.release();
};

await get(
  withDevice({})((device) => async () => {
    console.log(device.adapter.line);
    for (const { shape, causal } of shapes) {
      console.log(`${shape.batch} x ${shape.heads} heads of ${shape.queries} tokens, ${shape.width} wide${causal ? ", causal" : ""}`);
      for (const back of [false, true]) {
        for (const [name, way] of Object.entries(ways)) {
          const session = await open(device, way, shape, causal, back);
          const ms = await timed(device, () => value(session.run()));
          console.log(
            `  ${back ? "forward and gradients" : "forward"}, ${name}: ${ms.toFixed(2)} ms, ${session.launches} launches, ${(session.bytes / 2 ** 20).toFixed(0)} MiB`,
          );
          session.release();
        }
      }
      for (const kernel of ["attention", "attention-grad-queries", "attention-grad-keys"] as const) await heights(device, kernel, shape, causal);
    }
    return E.right(undefined);
  }),
);
