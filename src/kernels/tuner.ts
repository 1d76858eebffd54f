/**
 * Measures matmul plans on a device and remembers the fastest, per adapter and class of shapes, in the user's cache folder.
 *
 * ```ts
 * pipe(tuneMatmul(device, shapes), TE.map((choose) => choose(shape))): TaskEither<Failure, MatmulPlan>
 * ```
 *
 * A choice never changes a result, because all plans of a shape give the same bits; so whatever goes wrong on the disk is ignored.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import { wgsl } from "../../wgsl/generated.ts";
import type { Failure } from "../failure.ts";
import type { Device } from "../device/device.ts";
import { kernelPipeline } from "./kernel.ts";
import { matmulVariants, type MatmulPlan, type MatmulShape } from "./matmul.ts";
import { bufferUsage } from "../device/usage.ts";
import type { GPUBuffer } from "../device/webgpu.ts";

/** A plan for a shape: the measured one of its class, or the best guess. */
export type MatmulChooser = (shape: MatmulShape) => MatmulPlan;

/** Options of {@link tuneMatmul}. */
export interface TuneOptions {
  /** Where choices are kept; the user's cache folder. */
  readonly folder?: string;
  /** No measurement begins after this many milliseconds; classes that were not reached keep the best guess. 0 only reads. */
  readonly milliseconds?: number;
}

/** Shapes of one class share a choice: the form, and the sizes to the nearest power of two. */
export const shapeClass = (s: MatmulShape): string =>
  [`${s.ta ? "T" : "N"}${s.tb ? "T" : "N"}`, ...[s.m, s.n, s.k, s.batch].map((x) => Math.round(Math.log2(Math.max(1, x))))].join("-");

/** What tells the plans of one shape apart. */
const planName = ({ kernel, constants }: MatmulPlan): string =>
  [kernel, `${constants.ROWS}x${constants.COLS}`, ...(constants.BROADCAST ? ["broadcast"] : []), ...(constants.SWAP ? ["swap"] : [])].join(" ");

const Kept = t.type({ kernels: t.string, choices: t.record(t.string, t.string) });

type Choices = Readonly<Record<string, string>>;

/** Choices made for other kernels are void. */
const kernels = createHash("sha256").update(wgsl["matmul-registers"]).update(wgsl["matmul-tiled"]).digest("hex").slice(0, 16);

const read = async (path: string): Promise<Choices> => {
  try {
    const kept = Kept.decode(JSON.parse(await readFile(path, "utf8")));
    return E.isRight(kept) && kept.right.kernels === kernels ? kept.right.choices : {};
  } catch {
    return {};
  }
};

const write = async (folder: string, path: string, made: Choices): Promise<void> => {
  const temporary = `${path}.${process.pid}.${Date.now()}`;
  try {
    await mkdir(folder, { recursive: true });
    // Another process may have written meanwhile.
    const choices = { ...(await read(path)), ...made };
    await writeFile(temporary, `${JSON.stringify({ kernels, choices }, null, 2)}\n`);
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
};

/** Plans worth a measurement. On a CPU adapter compiling one takes most of a second, and the first guesses are close. */
const contenders = (device: Device, shape: MatmulShape): readonly MatmulPlan[] =>
  matmulVariants(device.adapter, shape).slice(0, device.adapter.kind === "gpu" ? 6 : 3);

/** A plan must be this much faster than the best guess to be preferred: less is noise. */
const margin = 0.95;

const work = (s: MatmulShape): number => s.batch * s.m * s.n * s.k;

/** Elements that an operand spans, from the first matrix's first to the last one's last. */
const span = (s: MatmulShape, rows: number, columns: number, ld: number, outer: number, head: number): number =>
  (Math.ceil(s.batch / s.heads) - 1) * outer + (Math.min(s.batch, s.heads) - 1) * head + (rows - 1) * ld + columns;

/** A plan that is ready to run `times` times in one submission. */
type Run = (times: number) => Promise<E.Either<Failure, number>>;

const prepare = async (device: Device, plan: MatmulPlan, buffers: readonly (GPUBuffer | undefined)[]): Promise<E.Either<Failure, Run>> => {
  const pipeline = await kernelPipeline(device, plan.kernel, plan.constants)();
  if (E.isLeft(pipeline)) return pipeline;
  device.count(1);
  const group = device.gpu.createBindGroup({
    layout: pipeline.right.getBindGroupLayout(0),
    entries: buffers.flatMap((buffer, binding) => (buffer === undefined ? [] : [{ binding, resource: { buffer } }])),
  });
  return E.right(async (times) => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline.right);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(...plan.grid);
    pass.end();
    const start = performance.now();
    device.gpu.queue.submit([encoder.finish()]);
    const done = await device.settled();
    return E.isLeft(done) ? done : E.right((performance.now() - start) / times);
  });
};

/** Milliseconds that a measured submission should take. */
const submission = 10;

/** The name of the fastest of the plans, measured in turns so that they share the machine's moods. */
const fastest = async (device: Device, shape: MatmulShape, plans: readonly MatmulPlan[]): Promise<E.Either<Failure, string | undefined>> => {
  const { m, n, k, r, ta, tb, lda, ldb, ldc, heads, aOuter, aHead, bOuter, bHead, cOuter, cHead, batch } = shape;
  const elements = [
    span(shape, ta ? k : m, ta ? m : k, lda, aOuter, aHead),
    span(shape, tb ? n : k, tb ? k : n, ldb, bOuter, bHead),
    span(shape, m, n, ldc, cOuter, cHead),
    ...(shape.bias ? [n] : [0]),
    ...(shape.lowRank ? [m * r, n * r] : [0, 0]),
  ];
  if (4 * Math.max(...elements) > device.limits.maxStorageBufferBindingSize) return E.right(undefined);
  const owned: GPUBuffer[] = [];
  try {
    const words = new Uint32Array([m, n, k, r, lda, ldb, ldc, heads, aOuter, aHead, bOuter, bHead, cOuter, cHead, 0, batch]);
    new Float32Array(words.buffer)[14] = 1;
    const made = [
      device.buffer("tuner", words.byteLength, bufferUsage.uniform),
      ...elements.map((count, i) => (i > 2 && count === 0 ? undefined : device.buffer("tuner", 4 * Math.max(1, count)))),
    ];
    const buffers = made.map((buffer) => (buffer !== undefined && E.isRight(buffer) ? buffer.right : undefined));
    owned.push(...buffers.filter((buffer) => buffer !== undefined));
    // Too large to try: not a failure of the program that asks.
    if (made.some((buffer) => buffer !== undefined && E.isLeft(buffer))) return E.right(undefined);
    device.gpu.queue.writeBuffer(buffers[0]!, 0, words);

    const entrants: { readonly name: string; readonly run: Run; readonly times: number; best: number }[] = [];
    for (const plan of plans) {
      const run = await prepare(device, plan, buffers);
      if (E.isLeft(run)) return run;
      // The first run also compiles, on some drivers.
      const first = E.isLeft(await run.right(1)) ? undefined : await run.right(1);
      if (first === undefined || E.isLeft(first)) return first ?? E.right(undefined);
      const times = Math.max(1, Math.min(100, Math.round(submission / Math.max(first.right, 0.01))));
      entrants.push({ name: planName(plan), run: run.right, times, best: Infinity });
    }
    for (let round = 0; round < 3; round++) {
      for (const entrant of entrants) {
        const time = await entrant.run(entrant.times);
        if (E.isLeft(time)) return time;
        entrant.best = Math.min(entrant.best, time.right);
      }
    }
    const winner = entrants.reduce((x, y) => (y.best < x.best ? y : x));
    return E.right((winner.best < margin * entrants[0].best ? winner : entrants[0]).name);
  } finally {
    owned.forEach(device.release);
  }
};

/**
 * Measures, for every class among `shapes` that was not measured on this adapter before and within the time, the plans worth it, and
 * returns the chooser. The classes with the most work come first. Fails with what the device fails with.
 */
export const tuneMatmul =
  (device: Device, shapes: readonly MatmulShape[], options: TuneOptions = {}): TaskEither<Failure, MatmulChooser> =>
  async () => {
    const { folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "cambium"), milliseconds = 5000 } = options;
    const path = join(folder, `matmul-${device.adapter.key}.json`);
    const known = await read(path);
    const made: Record<string, string> = {};

    const classes = new Map<string, { readonly shape: MatmulShape; work: number }>();
    for (const shape of shapes) {
      if (work(shape) === 0 || shapeClass(shape) in known) continue;
      const entry = classes.get(shapeClass(shape)) ?? { shape, work: 0 };
      entry.work += work(shape);
      classes.set(shapeClass(shape), entry);
    }
    const end = performance.now() + milliseconds;
    for (const [name, { shape }] of [...classes].sort(([, x], [, y]) => y.work - x.work)) {
      if (performance.now() >= end) break;
      const choice = await fastest(device, shape, contenders(device, shape));
      if (E.isLeft(choice)) return choice;
      if (choice.right !== undefined) made[name] = choice.right;
    }
    if (Object.keys(made).length > 0) await write(folder, path, made);

    const choices: Choices = { ...known, ...made };
    return E.right((shape) => {
      const plans = matmulVariants(device.adapter, shape);
      const name = choices[shapeClass(shape)];
      return plans.find((plan) => planName(plan) === name) ?? plans[0];
    });
  };
