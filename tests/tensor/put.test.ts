/** Rows put into a cache that stays on the device: of one program, and of two that share it. */
import * as E from "fp-ts/lib/Either.js";
import * as assert from "uvu/assert";
import { boundsOf } from "../../src/kernels/bounds.ts";
import { get, type Failure } from "../../src/failure.ts";
import { leafBook, type Leaves } from "../../src/tensor/leaves.ts";
import { put } from "../../src/tensor/ops/put.ts";
import { sumRows } from "../../src/tensor/ops/reduce.ts";
import { plan } from "../../src/tensor/plan.ts";
import { trace, type Results } from "../../src/tensor/program.ts";
import { withSession } from "../../src/tensor/session.ts";
import { floats, indices, reshape } from "../../src/tensor/tensor.ts";
import { deviceTest, failureOf, numbers, orThrow, runTests } from "./check.ts";

const [b, capacity, width] = [2, 7, 3];
const elements = b * capacity * width;

/** Puts n rows of each batch into the cache; its column sums are read after that. */
const putting =
  (n: number) =>
  ({ state, input }: Leaves): E.Either<Failure, Results> => {
    const cache = put(state("cache", [b, capacity, width]), input("x", floats([b, n, width])), input("at", indices([1])));
    return E.right({ state: { cache }, outputs: { sums: sumRows(reshape(cache, [b * capacity, width])) } });
  };

/** The same on the host. */
const putInto = (cache: Float32Array, x: Float32Array, n: number, at: number): void => {
  for (let row = 0; row < b; row += 1) cache.set(x.subarray(row * n * width, (row + 1) * n * width), (row * capacity + at) * width);
};

const rowsOf = (n: number, seed: number): Float32Array => Float32Array.from(numbers([b, n, width], seed).data);

/** Held against a cache and its sums on the host. */
const holds = (cache: Float32Array, read: Readonly<Record<string, Float32Array>>): void => {
  assert.equal(read.cache, cache);
  read.sums.forEach((sum, column) => {
    const want = cache.reduce((total, v, i) => (i % width === column ? total + v : total), 0);
    assert.ok(Math.abs(sum - want) < 1e-5, `column ${column}`);
  });
};

deviceTest("a cache keeps the rows of earlier runs", (device) =>
  get(
    withSession(
      device,
      putting(2),
    )((session) => async () => {
      const cache = new Float32Array(elements);
      for (const [seed, at] of [
        [1, 0],
        [2, 4],
        [3, 3],
      ]) {
        orThrow(session.run({ x: rowsOf(2, seed), at: Uint32Array.of(at) }));
        putInto(cache, rowsOf(2, seed), 2, at);
      }
      holds(cache, await get(session.readAll(["cache", "sums"])));
      return E.right(undefined);
    }),
  ),
);

deviceTest("two programs share the states of one of them", async (device) => {
  const { liveBytes } = device.ledger();
  const cache = new Float32Array(elements);
  await get(
    withSession(
      device,
      putting(1),
    )((one) =>
      withSession(device, putting(4), { states: one.states })((four) => async () => {
        orThrow(four.run({ x: rowsOf(4, 1), at: Uint32Array.of(0) }));
        putInto(cache, rowsOf(4, 1), 4, 0);
        for (const at of [4, 5]) {
          orThrow(one.run({ x: rowsOf(1, at), at: Uint32Array.of(at) }));
          putInto(cache, rowsOf(1, at), 1, at);
        }
        holds(cache, await get(one.readAll(["cache", "sums"])));
        assert.equal(await get(four.read("cache")), cache);
        return E.right(undefined);
      }),
    ),
  );
  assert.is(device.ledger().liveBytes, liveBytes);
});

deviceTest("a state that is shared and too small is refused", (device) => {
  const large = ({ state, input }: Leaves): E.Either<Failure, Results> =>
    E.right({ state: { cache: put(state("cache", [1, 9, 11]), input("x", floats([1, 1, 11])), input("at", indices([1]))) } });
  return get(
    withSession(
      device,
      putting(1),
    )(({ states }) => async () => {
      const failure = failureOf(await withSession(device, large, { states })(() => async () => E.right(undefined))());
      assert.equal(failure, { _tag: "BadTensor", path: "states", tensor: "cache", detail: "has 256 bytes, where 396 are expected" });
      return E.right(undefined);
    }),
  );
});

deviceTest("a step writes its rows and copies no cache, also where the cache is larger than a binding", async (device) => {
  const step = ({ state, input }: Leaves): E.Either<Failure, Results> =>
    E.right({ state: { cache: put(state("cache", [2, 100, width]), input("x", floats([2, 1, width])), input("at", indices([1]))) } });
  const program = orThrow(trace({}, () => step(leafBook())));
  const kernels = (maxBinding: number): readonly string[] =>
    plan(program, { ...boundsOf(device), maxBinding, matmul: () => assert.unreachable() as never }).launches.map(({ launch }) => launch.kernel);
  assert.equal(kernels(2 ** 20), ["put"]);
  assert.equal(kernels(128 * width), ["put", "put"]);
});

runTests();
