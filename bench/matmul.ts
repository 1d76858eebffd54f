/**
 * Our f32 matmul against that of `@tensorflow/tfjs-backend-webgpu`, on one Dawn device in one process.
 *
 *     npm run bench:matmul -- [rounds]
 *
 * Both are measured in turns, so that they share the machine's moods; a figure is the median over the rounds. A round submits as many
 * products at once as take about a tenth of a second and waits for the device; nothing is read back.
 */
import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { globals } from "webgpu";
import type { Device } from "../src/device/device.ts";
import { ownedOn } from "../src/device/owned.ts";
import { encode, makeDispatches } from "../src/kernels/dispatch.ts";
import { matmulDims, type MatmulPlan, type MatmulShape } from "../src/kernels/matmul.ts";
import { matmulVariants } from "../src/kernels/variants.ts";
import { withDevice } from "../src/device/open.ts";
import { bufferUsage, mapMode } from "../src/device/usage.ts";
import { describe, get, type Failure } from "../src/failure.ts";

interface Product {
  readonly what: string;
  /** N: as it is, T: stored transposed, for A and B. */
  readonly form: "NN" | "NT" | "TN";
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Tokens of ViT-B/16 at batch 4 and 32, its widths, LoRA of rank 16. */
const products: readonly Product[] = [
  { what: "square", form: "NN", m: 512, n: 512, k: 512 },
  { what: "square", form: "NN", m: 1024, n: 1024, k: 1024 },
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

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

const shapeOf = ({ form, m, n, k }: Product): MatmulShape => ({
  m,
  n,
  k,
  r: 0,
  ta: form[0] === "T",
  tb: form[1] === "T",
  batch: 1,
  heads: 1,
  lda: form[0] === "T" ? m : k,
  ldb: form[1] === "T" ? k : n,
  ldc: n,
  aOuter: 0,
  aHead: 0,
  bOuter: 0,
  bHead: 0,
  cOuter: 0,
  cHead: 0,
  bias: false,
  lowRank: false,
});

/** Submits a product some times. */
type Submit = (times: number) => void;

interface Contender {
  readonly submit: Submit;
  readonly result: () => Promise<Float32Array>;
  readonly release: () => void;
}

type Matrix = Float32Array<ArrayBuffer>;

const ours = async (device: Device, shape: MatmulShape, plan: MatmulPlan, a: Matrix, b: Matrix): Promise<Contender> => {
  const { gpu } = device;
  const { m, n } = shape;
  const owned = ownedOn(device);
  const [left, right, out] = [a.length, b.length, m * n].map((elements) => value(owned.buffer("matrix", 4 * elements)));
  gpu.queue.writeBuffer(left, 0, a);
  gpu.queue.writeBuffer(right, 0, b);
  const bindings = [left, right, out].map((buffer) => ({ buffer }));
  const [dispatch] = value(await makeDispatches(device, [{ launch: { ...plan, dims: matmulDims(shape) }, bindings }], owned));
  return {
    submit: (times) => {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      encode(pass, new Array(times).fill(dispatch));
      pass.end();
      gpu.queue.submit([encoder.finish()]);
    },
    result: async () => {
      const copy = value(device.buffer("copy", out.size, bufferUsage.mapRead));
      const encoder = gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(out, 0, copy, 0, out.size);
      gpu.queue.submit([encoder.finish()]);
      await copy.mapAsync(mapMode.read);
      const values = new Float32Array(copy.getMappedRange().slice(0, 4 * m * n));
      device.release(copy);
      return values;
    },
    release: owned.release,
  };
};

const theirs = (backend: WebGPUBackend, { m, n, k, ta, tb }: MatmulShape, a: Matrix, b: Matrix): Contender => {
  const left = tf.tensor2d(a, ta ? [k, m] : [m, k]);
  const right = tf.tensor2d(b, tb ? [n, k] : [k, n]);
  return {
    submit: (times) => {
      for (let i = 0; i < times; i++) tf.matMul(left, right, ta, tb).dispose();
      backend.endComputePassEncoder();
      backend.submitQueue();
    },
    result: async () => {
      const out = tf.matMul(left, right, ta, tb);
      const values = (await out.data()) as Float32Array;
      out.dispose();
      return values;
    },
    release: () => tf.dispose([left, right]),
  };
};

const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)];

const numbers = (count: number, step: number): Matrix => Float32Array.from({ length: count }, (_, i) => ((i * step) % 1009) / 504.5 - 1);

/** Milliseconds of submissions in a round. */
const round = 100;

/** GFLOP/s, ours and theirs. */
const measure = async (device: Device, backend: WebGPUBackend, product: Product, rounds: number): Promise<readonly [number, number]> => {
  const { m, n, k } = product;
  const shape = shapeOf(product);
  const [a, b] = [numbers(m * k, 7919), numbers(k * n, 104729)];
  const contenders = [await ours(device, shape, matmulVariants(device.adapter, shape)[0], a, b), theirs(backend, shape, a, b)];
  const time = async ({ submit }: Contender, times: number): Promise<number> => {
    const start = performance.now();
    submit(times);
    await get(device.settled);
    return (performance.now() - start) / times;
  };
  const counts: number[] = [];
  for (const contender of contenders) {
    await time(contender, 1);
    counts.push(Math.max(1, Math.min(200, Math.round(round / (await time(contender, 1))))));
  }
  const [mine, other] = [await contenders[0].result(), await contenders[1].result()];
  const off = mine.reduce((worst, x, i) => Math.max(worst, Math.abs(x - other[i])), 0);
  if (!(off < 1e-5 * k)) throw new Error(`${product.what} ${product.form} ${m} ${n} ${k}: the results differ by ${off}`);

  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) for (const [j, contender] of contenders.entries()) times[j].push(await time(contender, counts[j]));
  contenders.forEach(({ release }) => release());
  const rate = (ms: number): number => (2 * m * n * k) / ms / 1e6;
  return [rate(median(times[0])), rate(median(times[1]))];
};

const main =
  (device: Device): TE.TaskEither<Failure, void> =>
  async () => {
    const rounds = Number(process.argv[2] ?? 7);
    const gpu = device.gpu as GPUDevice;
    // What tfjs looks for in a browser.
    Object.assign(globalThis, globals);
    Object.defineProperty(globalThis, "navigator", { value: { gpu: {}, userAgent: "" }, configurable: true });
    const backend = new WebGPUBackend(gpu, gpu.adapterInfo);
    tf.registerBackend("webgpu", () => backend);
    await tf.setBackend("webgpu");
    console.log(`Adapter: ${device.adapter.line}. f32, GFLOP/s, medians of ${rounds} rounds in turns; tfjs ${tf.version_core}.\n`);
    console.log("| product | form | m | n | k | cambium | tfjs-webgpu | ratio |\n|---|---|---:|---:|---:|---:|---:|---:|");
    const ratios: number[] = [];
    for (const product of products) {
      const { what, form, m, n, k } = product;
      const [mine, other] = await measure(device, backend, product, rounds);
      ratios.push(mine / other);
      console.log(`| ${what} | ${form} | ${m} | ${n} | ${k} | ${mine.toFixed(1)} | ${other.toFixed(1)} | ${(mine / other).toFixed(1)} |`);
    }
    console.log(`\nGeometric mean of the ratios: ${Math.exp(ratios.reduce((sum, x) => sum + Math.log(x), 0) / ratios.length).toFixed(1)}`);
    return E.right(undefined);
  };

const result = await withDevice({})(main)();
if (E.isLeft(result)) {
  console.error(describe(result.left));
  process.exitCode = 1;
}
