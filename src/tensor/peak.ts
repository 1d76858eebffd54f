/** What an adapter can do at best, as far as we reach it: measured once, and kept in the cache of the device. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Device } from "../device/device.ts";
import { ownedOn } from "../device/owned.ts";
import type { Failure } from "../failure.ts";
import type { Leaves } from "./leaves.ts";
import { matmul } from "./ops/matmul.ts";
import { widen } from "./ops/widen.ts";
import { withSession } from "./session.ts";

/** The best rates that were measured on an adapter. */
export interface Peak {
  /** Floating-point operations a second, of a square product. */
  readonly flops: number;
  /** Bytes read and written a second, of a copy. */
  readonly bytes: number;
}

const Kept = t.type({ flops: t.number, bytes: t.number });

/** What is measured with: large enough that starting it does not count, small enough that software adapters take a moment. */
const sizes = { gpu: { side: 4096, bytes: 2 ** 28 }, cpu: { side: 1024, bytes: 2 ** 25 } } as const;

/** Submissions that follow one another in a measurement, and measurements: the best counts. */
const [submissions, rounds] = [4, 4];

/** The least milliseconds that a submission took, over some rounds behind a first one that does not count. */
const leastTime =
  (device: Device, submit: () => E.Either<Failure, void>): TE.TaskEither<Failure, number> =>
  async () => {
    let least = Infinity;
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      for (let i = 0; i < submissions; i++) {
        const submitted = submit();
        if (E.isLeft(submitted)) return submitted;
      }
      const done = await device.settled();
      if (E.isLeft(done)) return done;
      if (round > 0) least = Math.min(least, (performance.now() - start) / submissions);
    }
    return E.right(least);
  };

/** The rate of a square product: of factors in f16 where the device keeps weights so. */
const flopsOf = (device: Device, side: number): TE.TaskEither<Failure, number> => {
  // Numbers, and not zeros, which cost a GPU less power and so run faster.
  const data = Float32Array.from({ length: side ** 2 }, (_, i) => ((i * 7919) % 1009) / 504.5 - 1);
  const half = device.precision === "mixed";
  const weights = ["a", "b"].map((name) => [name, { shape: [side, side], data }] as const);
  const step = ({ frozen }: Leaves) => {
    const [a, b] = weights.map(([name, { shape }]) => (half ? widen(frozen(name, shape, "f16")) : frozen(name, shape)));
    return E.right({ outputs: { c: matmul(a, b, { tb: true }) } });
  };
  return withSession(device, step, { weights })((session) =>
    pipe(
      leastTime(device, session.run),
      TE.map((ms) => (2000 * side ** 3) / ms),
    ),
  );
};

const copyRate =
  (device: Device, bytes: number): TE.TaskEither<Failure, number> =>
  async () => {
    const owned = ownedOn(device);
    try {
      const [from, to] = [owned.buffer("peak", bytes), owned.buffer("peak", bytes)];
      if (E.isLeft(from)) return from;
      if (E.isLeft(to)) return to;
      const least = await leastTime(device, () => {
        const encoder = device.gpu.createCommandEncoder();
        encoder.copyBufferToBuffer(from.right, 0, to.right, 0, bytes);
        device.gpu.queue.submit([encoder.finish()]);
        return E.right(undefined);
      })();
      return E.map((ms: number) => (2000 * bytes) / ms)(least);
    } finally {
      owned.release();
    }
  };

/**
 * The rates of an adapter, in the precision of the device: kept from before, or measured, which takes some seconds on a software adapter. Fails with what the
 * device fails with.
 *
 * ```ts
 * const peak = await get(withDevice({})(tensor.peakOf));
 * assert.ok(peak.flops > 0 && peak.bytes > 0);
 * ```
 */
export const peakOf = (device: Device): TE.TaskEither<Failure, Peak> => {
  const name = `peak-${device.adapter.key}${device.precision === "mixed" ? "-mixed" : ""}.json`;
  const { side, bytes } = sizes[device.adapter.kind];
  const measured = pipe(
    TE.Do,
    TE.bind("flops", () => flopsOf(device, side)),
    TE.bind("bytes", () => copyRate(device, Math.min(bytes, device.limits.maxBufferSize))),
    TE.chainFirst((peak) => TE.fromTask<void, Failure>(device.cache.write(name, `${JSON.stringify(peak)}\n`))),
  );
  return async () => {
    try {
      const kept = Kept.decode(JSON.parse((await device.cache.read(name)()) ?? ""));
      if (E.isRight(kept)) return kept;
    } catch {
      // What cannot be read is measured again.
    }
    return measured();
  };
};
