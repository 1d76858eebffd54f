/** Matrix products that benches compare: ours as a program runs them, beside those of another library on the same device. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../src/device/device.ts";
import { ownedOn } from "../src/device/owned.ts";
import { bufferUsage, mapMode } from "../src/device/usage.ts";
import { describe, get, type Failure } from "../src/failure.ts";
import { boundsOf } from "../src/kernels/bounds.ts";
import { encode, makeDispatches, type Dispatch } from "../src/kernels/dispatch.ts";
import { matmulDims, type MatmulPlan, type MatmulShape } from "../src/kernels/matmul.ts";
import { measured } from "../src/kernels/target.ts";
import type { GPUBuffer } from "../src/platform/webgpu.ts";
import { bindPlan } from "../src/tensor/bind.ts";
import { matmul } from "../src/tensor/ops/matmul.ts";
import { optimise } from "../src/tensor/passes/optimise.ts";
import { plan } from "../src/tensor/plan.ts";
import { matmulShapes, trace } from "../src/tensor/program.ts";
import { floats } from "../src/tensor/tensor.ts";

/** A product C [m, n] of A and B. */
export interface Product {
  readonly what: string;
  /** N: as it is, T: stored transposed, for A and B. */
  readonly form: "NN" | "NT" | "TN" | "TT";
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A square product. */
export const square = (side: number): Product => ({ what: "square", form: "NN", m: side, n: side, k: side });

/** Tokens of ViT-B/16 at batch 4 and 32, its widths, LoRA of rank 16. */
export const products: readonly Product[] = [
  square(512),
  { ...square(512), what: "square, both transposed", form: "TT" },
  square(1024),
  { what: "attention projection, batch 4", form: "NT", m: 788, n: 768, k: 768 },
  { what: "MLP up, batch 4", form: "NT", m: 788, n: 3072, k: 768 },
  { what: "MLP down, batch 4", form: "NT", m: 788, n: 768, k: 3072 },
  { what: "gradient of a projection's input", form: "NN", m: 788, n: 768, k: 768 },
  { what: "gradient of MLP down's input", form: "NN", m: 788, n: 3072, k: 768 },
  { what: "LoRA down, x Aᵀ", form: "NT", m: 788, n: 16, k: 768 },
  { what: "LoRA up, p Bᵀ", form: "NT", m: 788, n: 768, k: 16 },
  { what: "gradient of LoRA A", form: "TN", m: 16, n: 768, k: 788 },
  { what: "gradient of LoRA B", form: "TN", m: 768, n: 16, k: 788 },
  { what: "attention projection, batch 32", form: "NT", m: 6304, n: 768, k: 768 },
];

/** At batch 64, in every form that a step has, and large squares: for GPUs. */
export const largeProducts: readonly Product[] = [
  square(2048),
  square(4096),
  { what: "attention projection, batch 64", form: "NT", m: 12608, n: 768, k: 768 },
  { what: "MLP up, batch 64", form: "NT", m: 12608, n: 3072, k: 768 },
  { what: "MLP down, batch 64", form: "NT", m: 12608, n: 768, k: 3072 },
  { what: "gradient of a projection's input", form: "NN", m: 12608, n: 768, k: 768 },
  { what: "gradient of MLP up's input", form: "NN", m: 12608, n: 768, k: 3072 },
  { what: "LoRA down, x Aᵀ", form: "NT", m: 12608, n: 16, k: 768 },
  { what: "LoRA down of MLP down", form: "NT", m: 12608, n: 16, k: 3072 },
  { what: "LoRA up, p Bᵀ", form: "NT", m: 12608, n: 768, k: 16 },
  { what: "gradient of LoRA's p", form: "NN", m: 12608, n: 16, k: 768 },
  { what: "gradient of LoRA A", form: "TN", m: 16, n: 768, k: 12608 },
  { what: "gradient of MLP down's A", form: "TN", m: 16, n: 3072, k: 12608 },
  { what: "gradient of LoRA B", form: "TN", m: 768, n: 16, k: 12608 },
  { what: "gradient of MLP up's B", form: "TN", m: 3072, n: 16, k: 12608 },
];

/** Numbers of a matrix. */
export type Matrix = Float32Array<ArrayBuffer>;

/** What computes a product. */
export interface Contender {
  /** Submits the product some times, at once. */
  readonly submit: (times: number) => void;
  readonly result: () => Promise<Float32Array>;
  readonly release: () => void;
}

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

/** The shapes of A and B as they are stored. */
export const storedShapes = ({ form, m, n, k }: Product): { readonly a: readonly [number, number]; readonly b: readonly [number, number] } => ({
  a: form[0] === "T" ? [k, m] : [m, k],
  b: form[1] === "T" ? [n, k] : [k, n],
});

const submitted = (device: Device, dispatches: readonly Dispatch[], times: number): void => {
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < times; i++) encode(pass, dispatches);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
};

const readBack = async (device: Device, from: GPUBuffer, offset: number, elements: number): Promise<Float32Array> => {
  const copy = value(device.buffer("copy", 4 * elements, bufferUsage.mapRead));
  const encoder = device.gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(from, offset, copy, 0, 4 * elements);
  device.gpu.queue.submit([encoder.finish()]);
  await copy.mapAsync(mapMode.read);
  const values = new Float32Array(copy.getMappedRange().slice(0, 4 * elements));
  device.release(copy);
  return values;
};

/** Our product, planned as a program's: with the kernel that was measured for it, and all launches that it takes. */
export const ours = async (device: Device, product: Product, a: Matrix, b: Matrix): Promise<Contender> => {
  const { form, m, n } = product;
  const shapes = storedShapes(product);
  const traced = value(
    trace({ inputs: { a: floats(shapes.a), b: floats(shapes.b) } }, ({ inputs }) =>
      E.right({ outputs: { c: matmul(inputs.a, inputs.b, { ta: form[0] === "T", tb: form[1] === "T" }) } }),
    ),
  );
  const program = optimise(traced, boundsOf(device));
  const target = await get(measured(device, matmulShapes(program, boundsOf(device))));
  const owned = ownedOn(device);
  const {
    plan: { leaves, outputs },
    buffers,
    dispatches,
  } = value(await bindPlan(device, target, program, plan(program, target), owned, {}));
  for (const [name, data] of [["input:a", a] as const, ["input:b", b] as const]) device.gpu.queue.writeBuffer(buffers[leaves.get(name)!.buffer], 0, data);
  const out = outputs.get("c")!;
  return {
    submit: (times) => submitted(device, dispatches, times),
    result: () => readBack(device, buffers[out.buffer], out.offset, m * n),
    release: owned.release,
  };
};

/** The shape of a product as kernels take it. */
export const shapeOf = (product: Product): MatmulShape => {
  const { form, m, n } = product;
  const { a, b } = storedShapes(product);
  const transposed = { ta: form[0] === "T", tb: form[1] === "T" };
  return {
    ...{ m, n, k: product.k, r: 0, ...transposed, batch: 1, heads: 1, lda: a[1], ldb: b[1], ldc: n },
    ...{ aOuter: 0, aHead: 0, bOuter: 0, bHead: 0, cOuter: 0, cHead: 0, bias: false, lowRank: false },
  };
};

/** One plan of a product, alone. */
export const planned = async (device: Device, shape: MatmulShape, { kernel, constants, grid }: MatmulPlan, a: Matrix, b: Matrix): Promise<Contender> => {
  const { m, n } = shape;
  const owned = ownedOn(device);
  const [left, right, out] = [a.length, b.length, m * n].map((elements) => value(owned.buffer("matrix", 4 * elements)));
  device.gpu.queue.writeBuffer(left, 0, a);
  device.gpu.queue.writeBuffer(right, 0, b);
  const launch = { kernel, constants, grid, dims: matmulDims(shape) };
  const dispatches = value(await makeDispatches(device, [{ launch, bindings: [left, right, out].map((buffer) => ({ buffer })) }], owned));
  return {
    submit: (times) => submitted(device, dispatches, times),
    result: () => readBack(device, out, 0, m * n),
    release: owned.release,
  };
};

/** How far a result is from f64 at most, as a share of its largest value: in its first rows. */
export const errorOf = (product: Product, a: Matrix, b: Matrix, result: Float32Array, rows = 4): number => {
  const { form, m, n, k } = product;
  let [largest, off] = [0, 0];
  for (let row = 0; row < Math.min(rows, m); row++) {
    const sums = new Float64Array(n);
    for (let i = 0; i < k; i++) {
      const left = form[0] === "T" ? a[i * m + row] : a[row * k + i];
      for (let column = 0; column < n; column++) sums[column] += left * (form[1] === "T" ? b[column * k + i] : b[i * n + column]);
    }
    sums.forEach((sum, column) => {
      largest = Math.max(largest, Math.abs(sum));
      off = Math.max(off, Math.abs(sum - result[row * n + column]));
    });
  }
  return off / largest;
};

/** Milliseconds of one product among so many in a submission. */
const timed = async (device: Device, { submit }: Contender, times: number): Promise<number> => {
  const start = performance.now();
  submit(times);
  await get(device.settled);
  return (performance.now() - start) / times;
};

/** How many products take about so many milliseconds. A single one is mostly the way to the device and back, so it is tried twice. */
const countFor = async (device: Device, contender: Contender, milliseconds: number): Promise<number> => {
  await timed(device, contender, 1);
  const first = Math.max(1, Math.min(1000, Math.round(milliseconds / (await timed(device, contender, 1)))));
  return Math.max(1, Math.min(4000, Math.round(milliseconds / (await timed(device, contender, first)))));
};

/** The rate of a contender in GFLOP/s: the best of some rounds. */
export const bestRate = async (device: Device, { m, n, k }: Product, contender: Contender, rounds: number, milliseconds: number): Promise<number> => {
  const count = await countFor(device, contender, milliseconds);
  let best = Infinity;
  for (let i = 0; i < rounds; i++) best = Math.min(best, await timed(device, contender, count));
  return (2 * m * n * k) / best / 1e6;
};

/** The median of some numbers. */
export const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)];

/** Numbers in [-1, 1). */
export const numbers = (count: number, step: number): Matrix => Float32Array.from({ length: count }, (_, i) => ((i * step) % 1009) / 504.5 - 1);

/** GFLOP/s of a product on several contenders, measured in turns, so that they share the machine's moods: medians. Their results must agree. */
export const rates = async (
  device: Device,
  product: Product,
  make: readonly ((a: Matrix, b: Matrix) => Contender | Promise<Contender>)[],
  { rounds = 7, milliseconds = 100 }: { readonly rounds?: number; readonly milliseconds?: number } = {},
): Promise<readonly number[]> => {
  const { what, form, m, n, k } = product;
  const [a, b] = [numbers(m * k, 7919), numbers(k * n, 104729)];
  const contenders: Contender[] = [];
  for (const one of make) contenders.push(await one(a, b));
  try {
    const counts: number[] = [];
    for (const contender of contenders) counts.push(await countFor(device, contender, milliseconds));
    const [first, ...others] = await contenders.reduce<Promise<readonly Float32Array[]>>(
      async (all, { result }) => [...(await all), await result()],
      Promise.resolve([]),
    );
    for (const other of others) {
      const off = first.reduce((worst, x, i) => Math.max(worst, Math.abs(x - other[i])), 0);
      if (!(off < 1e-5 * k)) throw new Error(`${what} ${form} ${m} ${n} ${k}: the results differ by ${off}`);
    }
    const times: number[][] = contenders.map(() => []);
    for (let i = 0; i < rounds; i++) for (const [j, contender] of contenders.entries()) times[j].push(await timed(device, contender, counts[j]));
    return times.map((all) => (2 * m * n * k) / median(all) / 1e6);
  } finally {
    contenders.forEach(({ release }) => release());
  }
};
