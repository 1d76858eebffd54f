/**
 * Runs one kernel with one dispatch and holds it against a float64 reference.
 *
 * Every buffer is longer than its tensor and filled with a sentinel where the kernel has no business, so that a write past the end is
 * seen; every kernel runs twice from the same inputs, and must give the same bits.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { fromF16 } from "../../src/formats/half.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { encode, makeDispatches } from "../../src/kernels/dispatch.ts";
import { elementGrid, type LaunchOf } from "../../src/kernels/launch.ts";
import { ownedOn } from "../../src/device/owned.ts";
import { right } from "../either.ts";
import { openDevice } from "../../src/device/open.ts";
import type { OpenDevice } from "../../src/device/device.ts";
import type { Constants } from "../../src/kernels/template.ts";
import { bufferUsage, mapMode } from "../../src/device/usage.ts";
import { describe, get } from "../../src/failure.ts";
import { sameBytes } from "../bytes.ts";

/** Numbers as they are stored; 16-bit words are f16. */
export type Values = Float32Array | Uint32Array | Uint16Array;

/** The numbers of an operand in the bytes of its buffer. */
export const valuesOf = (stored: Values, { buffer }: Uint8Array): ArrayLike<number> => {
  if (stored instanceof Uint16Array) return Float32Array.from(new Uint16Array(buffer, 0, stored.length), fromF16);
  return stored instanceof Uint32Array ? new Uint32Array(buffer, 0, stored.length) : new Float32Array(buffer, 0, stored.length);
};

/** How far a value may be from its reference: `absolute + relative * |reference|`, and what `each` says of its element. */
export interface Tolerance {
  readonly absolute?: number;
  readonly each?: readonly number[];
  readonly relative?: number;
}

/** What stands behind one binding: values to read, or values that the kernel leaves behind. */
export interface Operand {
  readonly initial: Values;
  readonly reference?: ArrayLike<number>;
  readonly tolerance?: Tolerance;
}

export interface Case<K extends Kernel = Kernel> extends Omit<LaunchOf<K>, "operands"> {
  /** Bindings 1, 2, …; `undefined` leaves a number out. */
  readonly operands: readonly (Operand | undefined)[];
}

/** The value of memory that a kernel has not written. Never computed by one. */
export const sentinel = 12345.678;

export const reads = (initial: Values): Operand => ({ initial });

/** An output; `reference` holds what the kernel writes. */
export const writes = (reference: ArrayLike<number>, tolerance: Tolerance = {}): Operand => ({
  initial: new Float32Array(reference.length).fill(sentinel),
  reference,
  tolerance,
});

/** An output of indices, exact. */
export const writesIndices = (reference: Uint32Array): Operand => ({ initial: new Uint32Array(reference.length).fill(0xdeadbeef), reference });

/** A tensor that is updated in place. */
export const updates = (initial: Values, reference: ArrayLike<number>, tolerance: Tolerance = {}): Operand => ({ initial, reference, tolerance });

const guard = 64;

const bytesOf = (values: Values): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(16 * Math.ceil(values.byteLength / 16) + 4 * guard);
  new Float32Array(bytes.buffer).fill(sentinel);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return bytes;
};

/** One dispatch: the bytes of every binding afterwards, guards and all. */
export const dispatch = async <K extends Kernel>(device: Device, { operands, ...launch }: Case<K>): Promise<readonly (Uint8Array | undefined)[]> => {
  const { gpu } = device;
  const owned = ownedOn(device);
  const buffers = operands.map((operand, i) => {
    if (operand === undefined) return undefined;
    const bytes = bytesOf(operand.initial);
    const buffer = right(owned.buffer(`binding ${i + 1}`, bytes.length));
    gpu.queue.writeBuffer(buffer, 0, bytes);
    return buffer;
  });
  const bindings = buffers.map((buffer) => buffer && { buffer });
  const [ready] = right(await makeDispatches(device, [{ launch: launch as Omit<LaunchOf<Kernel>, "operands">, bindings }], owned));
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass, [ready]);
  pass.end();
  const staging = buffers.map((buffer) => {
    if (buffer === undefined) return undefined;
    const copy = right(owned.buffer("read back", buffer.size, bufferUsage.mapRead));
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    return copy;
  });
  gpu.queue.submit([encoder.finish()]);
  const results: (Uint8Array | undefined)[] = [];
  for (const copy of staging) {
    if (copy !== undefined) await copy.mapAsync(mapMode.read);
    results.push(copy && new Uint8Array(copy.getMappedRange().slice(0)));
  }
  owned.release();
  const failure = device.failure();
  if (failure !== undefined) throw new Error(describe(failure));
  return results;
};

/** A launch in words. */
export const nameOf = ({ kernel, constants, dims }: Pick<LaunchOf<Kernel>, "kernel" | "constants" | "dims">): string =>
  `${kernel} ${JSON.stringify(constants)} ${JSON.stringify(dims)}`;

/** Runs a case twice and asserts: outputs within their tolerance, inputs and guards untouched, the same bits both times. */
export const checkKernel = async <K extends Kernel>(device: Device, one: Case<K>): Promise<void> => {
  const [first, second] = [await dispatch(device, one), await dispatch(device, one)];
  one.operands.forEach((operand, i) => {
    const [got, again] = [first[i], second[i]];
    if (operand === undefined || got === undefined || again === undefined) return;
    const where = `${nameOf(one as Case)}, binding ${i + 1}`;
    assert.ok(sameBytes(got, again), `${where}: another run gives other bits`);

    const { initial, reference = initial, tolerance: { absolute = 0, relative = 0, each } = {} } = operand;
    const before = bytesOf(initial);
    assert.ok(sameBytes(got.subarray(initial.byteLength), before.subarray(initial.byteLength)), `${where}: written past its end`);
    const values = valuesOf(initial, got);
    assert.is(reference.length, initial.length, where);
    for (let k = 0; k < reference.length; k += 1) {
      const [value, want] = [values[k], reference[k]];
      const allowed = absolute + relative * Math.abs(want) + (each?.[k] ?? 0);
      if (!(Math.abs(value - want) <= allowed)) assert.unreachable(`${where}, element ${k}: ${value} instead of ${want} (allowed ${allowed})`);
    }
  });
};

/** The same for a kernel whose threads stride over `count` elements: with a thread for each, and with one workgroup for all. */
export const checkElements = async <K extends Kernel>(device: Device, count: number, one: Omit<Case<K>, "grid">): Promise<void> => {
  await checkKernel(device, { ...one, grid: elementGrid(count) });
  if (count > 64) await checkKernel(device, { ...one, grid: [1, 1, 1] });
};

let opened: OpenDevice | undefined;

/** A test on the device of this file, which is opened for the first one. */
export const deviceTest = (name: string, body: (device: Device) => Promise<void>): void => {
  test(name, async () => {
    opened ??= await get(openDevice());
    await body(opened);
  });
};

/** A test on the device of this file where what it needs is there, else a skipped one that says what is missing. */
export const deviceTestWith = (there: boolean, missing: string): typeof deviceTest =>
  there ? deviceTest : (name) => void test.skip(`${name} (without ${missing})`);

/** Runs the tests of a file, and closes its device. */
export const runTests = (): void => {
  test.after(() => opened?.close());
  test.run();
};

/** Float32 numbers in [low, high), the same ones for the same arguments. */
export const numbers = (count: number, seed: number, low = -1, high = 1): Float32Array => {
  let state = (seed * 0x9e3779b1) >>> 0;
  return Float32Array.from({ length: count }, () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return low + (high - low) * (((t ^ (t >>> 14)) >>> 0) / 2 ** 32);
  });
};

/** Whole numbers in [0, end), likewise. */
export const wholes = (count: number, seed: number, end: number): Uint32Array =>
  Uint32Array.from(numbers(count, seed, 0, end), (x) => Math.min(end - 1, Math.floor(x)));

/** Constants that differ only in GROUP, with the grid of a row kernel for each. */
export const rowVariants = (rows: number): readonly { readonly constants: Constants; readonly groups: number }[] => [
  { constants: { GROUP: false }, groups: Math.ceil(rows / 64) },
  { constants: { GROUP: true }, groups: rows },
];
