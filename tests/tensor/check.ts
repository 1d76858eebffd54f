/**
 * Runs traced functions on the device of a test file, and holds them and their gradients against float64 references.
 *
 * A gradient is checked by a directional derivative: the reference's central difference along one random direction for every input.
 */
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import type { OpenDevice } from "../../src/device/device.ts";
import { openDevice } from "../../src/device/open.ts";
import { describe, get } from "../../src/failure.ts";
import { right as orThrow } from "../either.ts";
import { random } from "../../src/random.ts";
import { instantiate, type Executable, type HostData } from "../../src/tensor/executable.ts";
import { gradient } from "../../src/tensor/gradient.ts";
import { mul } from "../../src/tensor/ops/elementwise.ts";
import { sum } from "../../src/tensor/ops/reduce.ts";
import { trace, type Arguments, type Program, type Results, type Signature, type Tensors } from "../../src/tensor/program.ts";
import type { Resident } from "../../src/device/resident.ts";
import { reshape, size, type Shape, type Spec, type Tensor } from "../../src/tensor/tensor.ts";

export { left as failureOf, right as orThrow } from "../either.ts";
import { sameBytes } from "../bytes.ts";

let opened: OpenDevice | undefined;

/** A test on the device of its file, which is opened for the first one. */
export const deviceTest = (name: string, body: (device: Device) => Promise<void>): void => {
  test(name, async () => {
    const device = (opened ??= await get(openDevice()));
    try {
      await body(device);
      const failure = device.failure();
      if (failure !== undefined) throw new Error(describe(failure));
    } finally {
      // A device that failed fails for ever; the tests that follow get another.
      if (device.failure() !== undefined) {
        await device.close();
        opened = undefined;
      }
    }
  });
};

/** A test on the device of its file where what it needs is there, else a skipped one that says what is missing. */
export const deviceTestWith = (there: boolean, missing: string): typeof deviceTest =>
  there ? deviceTest : (name) => void test.skip(`${name} (without ${missing})`);

/** Runs the tests of a file, and closes its device. */
export const runTests = (): void => {
  test.after(() => opened?.close());
  test.run();
};

/** The device with the kernels that adapters of that kind get: workgroup memory on GPUs, none on CPU adapters. Either runs everywhere. */
export const withKernelsOf = (kind: "cpu" | "gpu", device: Device): Device => ({ ...device, adapter: { ...device.adapter, kind } });

/** A tensor of numbers that a test feeds in. */
export interface Value {
  readonly shape: Shape;
  readonly data: HostData;
}

/** Uniform f32 numbers in [low, high), the same ones for the same arguments. */
export const numbers = (shape: Shape, seed: number, low = -1, high = 1): Value => {
  const draw = random(seed, "test numbers", ...shape);
  return { shape, data: Float32Array.from({ length: size(shape) }, () => low + (high - low) * draw.uniform()) };
};

/** Whole numbers below `end`. */
export const wholes = (shape: Shape, seed: number, end: number): Value => {
  const draw = random(seed, "test wholes", ...shape);
  return { shape, data: Uint32Array.from({ length: size(shape) }, () => draw.integer(end)) };
};

const specOf = ({ shape, data }: Value): Spec => ({ shape, dtype: data instanceof Uint32Array ? "u32" : "f32" });
export const specsOf = (values: Readonly<Record<string, Value>>): Readonly<Record<string, Spec>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, specOf(value)]));
const dataOf = (values: Readonly<Record<string, Value>>): Readonly<Record<string, HostData>> =>
  Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, data]));

/** A program from a step that cannot fail otherwise than by its shapes. */
export const traced = (signature: Signature, step: (args: Arguments) => Results): Program => orThrow(trace(signature, (args) => E.right(step(args))));

/** Instantiates a program, uses it, and releases it whatever happens. */
export const using = async <A>(
  device: Device,
  program: Program,
  use: (exe: Executable) => Promise<A>,
  weights?: Resident,
  record: readonly string[] = [],
): Promise<A> => {
  const exe = await get(instantiate(device, program, weights, record));
  try {
    return await use(exe);
  } finally {
    exe.release();
  }
};

/** Reads outputs by name. */
export const readAll = async (exe: Executable, names: Iterable<string>): Promise<Readonly<Record<string, Float32Array>>> => {
  const values: Record<string, Float32Array> = {};
  for (const name of names) values[name] = await get(exe.read(name));
  return values;
};

/** Evaluates a function of inputs once: its outputs by name. */
export const evaluate = (
  device: Device,
  inputs: Readonly<Record<string, Value>>,
  f: (inputs: Tensors) => Tensors,
  weights?: Resident,
): Promise<Readonly<Record<string, Float32Array>>> => {
  const program = traced({ inputs: specsOf(inputs) }, ({ inputs: tensors }) => ({ outputs: f(tensors) }));
  return using(
    device,
    program,
    async (exe) => {
      orThrow(exe.run(dataOf(inputs)));
      return readAll(exe, Object.keys(program.outputs));
    },
    weights,
  );
};

/** ‖a - b‖ / ‖b‖. */
export const relativeError = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  assert.is(a.length, b.length, "lengths");
  let [off, norm] = [0, 0];
  for (let i = 0; i < b.length; i += 1) {
    off += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return norm === 0 ? Math.sqrt(off) : Math.sqrt(off / norm);
};

/** The largest difference of two arrays. */
export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  assert.is(a.length, b.length, "lengths");
  let most = 0;
  for (let i = 0; i < b.length; i += 1) most = Math.max(most, Number.isNaN(a[i] - b[i]) ? Infinity : Math.abs(a[i] - b[i]));
  return most;
};

/** Asserts equal bits. */
export const sameBits = (a: Float32Array, b: Float32Array, what: string): void => {
  const bytes = (x: Float32Array): Uint8Array => new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  assert.ok(sameBytes(bytes(a), bytes(b)), `${what}: other bits`);
};

/** Inputs of a reference, in float64. */
export type Doubles = Readonly<Record<string, Float64Array>>;

export interface OpCase {
  readonly inputs: Readonly<Record<string, Value>>;
  readonly op: (inputs: Tensors) => Tensor;
  /** The same in float64, flat. */
  readonly reference: (inputs: Doubles) => ArrayLike<number>;
  /** Inputs to differentiate with respect to; default: all of f32. */
  readonly wrt?: readonly string[];
  /** Largest difference, relative to the largest value of the reference. Default 2e-6. */
  readonly tolerance?: number;
  /** The size of what is rounded on the way, where that is larger than the values. */
  readonly magnitude?: number;
  /** Of directional derivatives, relative to the root of the sum of their squared terms. Default 2e-5. */
  readonly slopeTolerance?: number;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let s = 0;
  for (let i = 0; i < a.length; i += 1) s += a[i] * b[i];
  return s;
};

/** Checks values, a second run's bits, and the gradient of every input, with the kernels of CPU adapters and with those of GPUs. */
export const checkOp = async (device: Device, name: string, one: OpCase): Promise<void> => {
  for (const kind of ["cpu", "gpu"] as const) await checkOn(withKernelsOf(kind, device), `${name} (${kind})`, one);
};

const checkOn = async (
  device: Device,
  name: string,
  { inputs, op, reference, wrt, tolerance = 2e-6, magnitude = 1e-30, slopeTolerance = 2e-5 }: OpCase,
): Promise<void> => {
  const chosen = wrt ?? Object.keys(inputs).filter((key) => inputs[key].data instanceof Float32Array);
  const doubles: Doubles = Object.fromEntries(Object.entries(inputs).map(([key, { data }]) => [key, Float64Array.from(data)]));
  const want = reference(doubles);
  const cotangent = numbers([want.length], 77, 0.5, 1.5);
  const program = traced({ inputs: { ...specsOf(inputs), "co-tangent": specOf(cotangent) } }, ({ inputs: tensors }) => {
    const y = op(tensors);
    assert.is(size(y.shape), want.length, `${name}: elements`);
    const loss = sum(mul(reshape(y, [want.length]), tensors["co-tangent"]));
    const grads = gradient(
      loss,
      chosen.map((key) => tensors[key]),
    );
    return { outputs: { y, ...Object.fromEntries(chosen.map((key, i) => [`gradient of ${key}`, grads[i]])) } };
  });
  await using(device, program, async (exe) => {
    const once = async (): Promise<Readonly<Record<string, Float32Array>>> => {
      orThrow(exe.run({ ...dataOf(inputs), "co-tangent": cotangent.data }));
      return readAll(exe, Object.keys(program.outputs));
    };
    const [got, again] = [await once(), await once()];
    for (const key of Object.keys(got)) sameBits(got[key], again[key], `${name}: ${key}, second run`);

    const scale = Math.max(magnitude, Math.max(...Array.from(want, Math.abs)));
    const off = largestDifference(got.y, want);
    assert.ok(off <= tolerance * scale, `${name}: off by ${off} where the largest value is ${scale}`);

    for (const key of chosen) {
      const g = got[`gradient of ${key}`];
      const x = doubles[key];
      assert.is(g.length, x.length, `${name}: gradient of ${key}`);
      const draw = random(5, `direction ${key}`);
      const direction = Float64Array.from(x, () => draw.normal());
      const h = 1e-5;
      const at = (sign: number): number => dot(cotangent.data, reference({ ...doubles, [key]: x.map((v, i) => v + sign * h * direction[i]) }));
      const slope = (at(1) - at(-1)) / (2 * h);
      const terms = Math.sqrt(g.reduce((s, v, i) => s + (v * direction[i]) ** 2, 0));
      const wrong = Math.abs(slope - dot(g, direction));
      assert.ok(wrong <= slopeTolerance * Math.max(terms, 1e-3), `${name}: slope along ${key} is ${dot(g, direction)} and not ${slope} (terms ${terms})`);
    }
  });
};
