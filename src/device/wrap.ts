/** A device made of an open WebGPU device: buffers with a ledger, pipelines that are compiled once, failures as values. */
import * as E from "fp-ts/lib/Either.js";
import type { Either } from "fp-ts/lib/Either.js";
import type { Task } from "fp-ts/lib/Task.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { firstLine } from "../platform/failures.ts";
import type { Cache, OpenGpu } from "../platform/platform.ts";
import type { GPUBuffer, GPUComputePipeline, GPUDevice, GPUUncapturedErrorEvent } from "../platform/webgpu.ts";
import { describeAdapter } from "./adapter.ts";
import type { Device, OpenDevice } from "./device.ts";
import { compile } from "./pipeline.ts";
import { bufferUsage } from "./usage.ts";

/** A buffer that is read back may serve nothing else. */
const usesOf = (usage: number): number =>
  (usage & bufferUsage.mapRead) === 0 ? bufferUsage.storage | bufferUsage.copySrc | bufferUsage.copyDst | usage : bufferUsage.mapRead | bufferUsage.copyDst;

/** What went wrong first, and what went wrong because of it. */
interface Health {
  readonly failure: () => Failure | undefined;
  readonly fail: (failure: Failure) => void;
  /** Settles when the device is gone. */
  readonly lost: Promise<void>;
  /** The same promise, which settles too when the device is gone. */
  readonly orLost: (pending: Promise<void>) => Promise<void>;
}

const healthOf = (gpu: GPUDevice, adapter: string): Health => {
  let first: Failure | undefined;
  const fail = (failure: Failure): void => {
    first ??= failure;
  };
  gpu.addEventListener("uncapturederror", (event) => {
    const { error } = event as GPUUncapturedErrorEvent;
    fail({ _tag: "KernelInvalid", kernel: "of a submission", detail: firstLine(error) });
  });
  // `Promise.race` with a promise that stays pending would keep something of every call until the device is gone.
  const waiting = new Set<() => void>();
  const lost = gpu.lost.then((info) => {
    fail({ _tag: "DeviceLost", adapter, reason: info.message || info.reason });
    for (const end of waiting) end();
  });
  const orLost = (pending: Promise<void>): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      waiting.add(resolve);
      pending.finally(() => waiting.delete(resolve)).then(resolve, reject);
    });
  return { failure: () => first, fail, lost, orLost };
};

/** The part of a device that makes and releases buffers. */
type Buffers = Pick<Device, "ledger" | "buffer" | "release" | "count"> & { readonly releaseAll: () => void };

const buffersOf = (gpu: GPUDevice, adapter: string, { failure }: Health): Buffers => {
  let liveBytes = 0;
  let peakBytes = 0;
  let created = 0;
  const live = new Set<GPUBuffer>();
  const count = (objects: number): void => {
    created += objects;
  };
  const buffer = (label: string, bytes: number, usage = 0): Either<Failure, GPUBuffer> => {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const limit = gpu.limits.maxBufferSize;
    if (size > limit) return E.left({ _tag: "OverLimit", what: label, bytes: size, limit, limitName: "maxBufferSize", adapter });
    const failed = failure();
    if (failed?._tag === "DeviceLost") return E.left(failed);
    return E.tryCatch(
      () => {
        const allocated = gpu.createBuffer({ label, size, usage: usesOf(usage) });
        live.add(allocated);
        liveBytes += size;
        peakBytes = Math.max(peakBytes, liveBytes);
        count(1);
        return allocated;
      },
      (): Failure => ({ _tag: "OverLimit", what: label, bytes: size, limit: liveBytes, limitName: "memory", adapter }),
    );
  };
  const release = (allocated: GPUBuffer): void => {
    if (!live.delete(allocated)) return;
    liveBytes -= allocated.size;
    allocated.destroy();
  };
  return { ledger: () => ({ liveBytes, peakBytes, created }), buffer, release, count, releaseAll: () => live.forEach(release) };
};

const noCache: Cache = { read: () => async () => undefined, write: () => async () => undefined };

/** How a device is wrapped that this library did not open. */
export interface WrapOptions extends Partial<Omit<OpenGpu, "gpu">> {
  /** Where what is measured on the device is kept between runs. Default: nowhere. */
  readonly cache?: Cache;
}

/**
 * A device of an open `GPUDevice`, such as one that a page has already; closing it destroys the `GPUDevice`. It computes in f32 unless `inPrecision` says
 * otherwise.
 */
export const wrapDevice = (gpu: GPUDevice, options: WrapOptions = {}): OpenDevice => {
  const { info = gpu.adapterInfo, wait = (pending) => pending, release = () => undefined, cache = noCache } = options;
  const adapter = describeAdapter(info, gpu.features);
  const health = healthOf(gpu, adapter.line);
  const { releaseAll, ...buffers } = buffersOf(gpu, adapter.line, health);
  const pipelines = new Map<string, Promise<Either<Failure, GPUComputePipeline>>>();

  const pipeline =
    (name: string, code: string): TaskEither<Failure, GPUComputePipeline> =>
    () => {
      const cached = pipelines.get(code);
      if (cached !== undefined) return cached;
      buffers.count(2);
      const compiled = wait(compile(gpu, name, code)()).then((result) => {
        const failed = health.failure();
        return failed?._tag === "DeviceLost" ? E.left(failed) : result;
      });
      pipelines.set(code, compiled);
      return compiled;
    };

  const settled: TaskEither<Failure, void> = async () => {
    try {
      if (health.failure() === undefined) await wait(health.orLost(gpu.queue.onSubmittedWorkDone()));
    } catch (error) {
      health.fail({ _tag: "DeviceLost", adapter: adapter.line, reason: firstLine(error) });
    }
    const failed = health.failure();
    return failed === undefined ? E.right(undefined) : E.left(failed);
  };

  const close: Task<void> = async () => {
    releaseAll();
    gpu.destroy();
    await health.lost;
    release();
  };

  return { gpu, adapter, limits: gpu.limits, precision: "f32", cache, ...buffers, pipeline, failure: health.failure, settled, close };
};
