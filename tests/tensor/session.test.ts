/** Sessions: a step that is traced, bound, run, read and released in one place. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { fromF16, toF16 } from "../../src/formats/half.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { leafBook, type Leaves } from "../../src/tensor/leaves.ts";
import { add, sub } from "../../src/tensor/ops/elementwise.ts";
import { matmul } from "../../src/tensor/ops/matmul.ts";
import { mean } from "../../src/tensor/ops/reduce.ts";
import { widen } from "../../src/tensor/ops/widen.ts";
import { trace, type Results } from "../../src/tensor/program.ts";
import { resident } from "../../src/device/resident.ts";
import { openSession, withSession, type Session, type SessionOptions } from "../../src/tensor/session.ts";
import { floats, indices, size, type Shape } from "../../src/tensor/tensor.ts";
import { deviceTest, failureOf, numbers, orThrow, runTests, sameBits } from "./check.ts";

const hostTensor = (shape: Shape, seed: number): HostTensor => ({ shape, data: Float32Array.from(numbers(shape, seed).data) });

const [rows, width] = [7, 5];
const [weight, shift] = [hostTensor([width, width], 1), hostTensor([width], 2)];
const weights: readonly (readonly [string, HostTensor])[] = [
  ["weight", weight],
  ["unused", hostTensor([999], 3)],
];
const inputOf = (run: number): Float32Array => hostTensor([rows, width], 10 + run).data;

/** y = x W + shift; their running sum in a state, and their mean. */
const step = ({ frozen, constant, state, input }: Leaves): E.Either<Failure, Results> => {
  const y = add(matmul(input("x", floats([rows, width])), frozen("weight", [width, width])), constant("shift", shift));
  return E.right({ state: { total: add(state("total", [rows, width]), y) }, outputs: { y, mean: mean(y) } });
};

type Values = Readonly<Record<string, Float32Array>>;

/** Four runs of a session of {@link step}. */
const fourRuns = (session: Session): TE.TaskEither<Failure, Values> => {
  orThrow(session.write({ total: new Float32Array(rows * width).fill(0.25) }));
  for (let run = 0; run < 4; run += 1) orThrow(session.run({ x: inputOf(run) }));
  return session.readAll(["y", "mean", "total"]);
};

/** Asserts that as much lives on the device behind `body` as before it. */
const leavesNothing = async (device: Device, body: () => Promise<void>): Promise<void> => {
  const { liveBytes } = device.ledger();
  await body();
  assert.is(device.ledger().liveBytes, liveBytes);
};

deviceTest("a session computes what its step says, from weights, constants, state and inputs", (device) =>
  leavesNothing(device, async () => {
    const { y, mean, total } = await get(withSession(device, step, { weights })(fourRuns));
    const want = (i: number, run: number): number => {
      const [row, column] = [Math.floor(i / width), i % width];
      return Array.from({ length: width }, (_, k) => inputOf(run)[row * width + k] * weight.data[k * width + column]).reduce(
        (a, b) => a + b,
        shift.data[column],
      );
    };
    y.forEach((v, i) => assert.ok(Math.abs(v - want(i, 3)) < 1e-6, `element ${i}`));
    assert.ok(Math.abs(mean[0] - y.reduce((a, b) => a + b) / y.length) < 1e-6);
    total.forEach((v, i) => assert.ok(Math.abs(v - [0, 1, 2, 3].reduce((sum, run) => sum + want(i, run), 0.25)) < 1e-5, `element ${i} of the state`));
  }),
);

deviceTest("every session of a step gives the same bits: traced anew, traced before, on resident weights that stay", (device) =>
  leavesNothing(device, async () => {
    const book = leafBook();
    const program = orThrow(trace({}, () => step(book)));
    const uploaded = orThrow(resident(device, weights));
    const sessions: readonly (readonly [Parameters<typeof openSession>[1], SessionOptions])[] = [
      [step, { weights }],
      [step, { weights }],
      [step, { weights: uploaded }],
      [program, { weights: [...weights, ...book.constants] }],
    ];
    const results: Values[] = [];
    for (const [what, options] of sessions) {
      const { liveBytes } = device.ledger();
      results.push(await get(withSession(device, what, options)(fourRuns)));
      assert.is(device.ledger().liveBytes, liveBytes);
    }
    for (const other of results) for (const name of Object.keys(other)) sameBits(other[name], results[0][name], name);
    uploaded.release();
  }),
);

deviceTest("asking twice gives one tensor; names that the step does not read are passed over", async (device) => {
  const twice = ({ frozen, state, input }: Leaves): E.Either<Failure, Results> => {
    assert.is(input("x", floats([2])), input("x", floats([2])));
    assert.is(frozen("w", [2]), frozen("w", [2]));
    assert.is(state("s", [2]), state("s", [2]));
    input("asked for, and not used", floats([3]));
    return E.right({ state: { s: add(state("s", [2]), input("x", floats([2]))) } });
  };
  const s = await get(
    withSession(device, twice, { weights: [["w", hostTensor([2], 1)]] })((session) => {
      assert.equal(session.program.leaves.map(({ name }) => name).sort(), ["s", "x"]);
      orThrow(session.write({ s: Float32Array.of(1, 2), other: Float32Array.of(1) }));
      orThrow(session.run({ x: Float32Array.of(10, 20), labels: Uint32Array.of(1), "asked for, and not used": Float32Array.of(1) }));
      return session.read("s");
    }),
  );
  assert.equal([...s], [11, 22]);
});

deviceTest("a weight is stored as its step asks: f16 takes half of the bytes", async (device) => {
  const halved = ({ frozen }: Leaves): E.Either<Failure, Results> => E.right({ outputs: { y: widen(frozen("w", [1001], "f16")) } });
  const w = hostTensor([1001], 7);
  const { liveBytes } = device.ledger();
  const y = await get(
    withSession(device, halved, { weights: [["w", w]] })((session) => {
      assert.ok(device.ledger().liveBytes - liveBytes - session.bytes < 2 * 1001 + 256);
      orThrow(session.run());
      return session.read("y");
    }),
  );
  sameBits(
    y,
    w.data.map((value) => fromF16(toF16(value))),
    "values rounded to f16",
  );
});

deviceTest("recorded numbers of every run", async (device) => {
  const count = ({ state, input }: Leaves): E.Either<Failure, Results> => {
    const n = state("n", [1]);
    return E.right({ state: { n: sub(n, input("one", floats([1]))) }, outputs: { n } });
  };
  const values = await get(
    withSession(device, count, { record: ["n"] })((session) => {
      for (let i = 0; i < 3; i += 1) orThrow(session.run({ one: Float32Array.of(-1) }));
      return session.recorded("n");
    }),
  );
  assert.equal([...values], [0, 1, 2]);
});

const says = (failure: Failure, ...words: readonly string[]): void =>
  words.forEach((word) => assert.ok(describe(failure).includes(word), `"${describe(failure)}" does not say ${word}`));

deviceTest("what cannot be opened is said, and nothing stays", (device) =>
  leavesNothing(device, async () => {
    const failed = async (...args: Parameters<typeof openSession>): Promise<Failure> => failureOf(await openSession(...args)());
    says(await failed(device, step), "weight", "is missing");
    says(await failed(device, step, { weights, record: ["y"] }), "y", "one number");
    says(await failed(device, step, { weights, record: ["nothing"] }), "nothing");
    says(await failed(device, () => E.left({ _tag: "Interrupted" })), "Stopped");
    const mismatched = ({ input }: Leaves): E.Either<Failure, Results> => E.right({ outputs: { y: add(input("x", floats([3])), input("b", floats([2]))) } });
    assert.is((await failed(device, mismatched))._tag, "ShapeMismatch");
    const changing = ({ input }: Leaves): E.Either<Failure, Results> => E.right({ outputs: { y: add(input("x", floats([3])), input("x", floats([1]))) } });
    says(await failed(device, changing), "x", "f32[3]", "f32[1]");
    const huge = ({ state, input }: Leaves): E.Either<Failure, Results> => {
      return E.right({ outputs: { y: add(state("huge", [2 ** 40]), input("x", floats([1]))) } });
    };
    // Which of its limits an adapter reaches first depends on the adapter; one whose buffers have none has no such memory.
    const limit = (await failed(device, huge)) as Failure & { readonly _tag: "OverLimit" };
    assert.is(limit._tag, "OverLimit");
    assert.ok(["maxBufferSize", "maxStorageBufferBindingSize", "memory"].includes(limit.limitName), limit.limitName);
  }),
);

deviceTest("a session is released when its use fails, and when it throws", (device) =>
  leavesNothing(device, async () => {
    const interrupted: Failure = { _tag: "Interrupted" };
    assert.is(failureOf(await withSession(device, step, { weights })(() => TE.left(interrupted))()), interrupted);
    const wrong = withSession(device, step, { weights })((session) => TE.fromEither(session.run({ x: new Float32Array(1) })));
    says(failureOf(await wrong()), "x", String(rows * width));
    says(failureOf(await withSession(device, step, { weights })((session) => session.readAll(["y", "z"]))()), "z", "neither");
    try {
      await withSession(device, step, { weights })(() => {
        throw new Error("a defect");
      })();
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /a defect/);
    }
  }),
);

test("leaves know the values of their constants", () => {
  const book = leafBook();
  assert.is(book.constant("shift", shift), book.frozen("shift", [width]));
  assert.equal([...book.constants], [["shift", shift]]);
  assert.is(book.input("ids", indices([3])).dtype, "u32");
  assert.is(size(book.state("s", [4, 2]).shape), 8);
});

runTests();
