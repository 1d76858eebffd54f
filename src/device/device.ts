/**
 * A WebGPU device as Cambium uses it: the adapter it runs on, a ledger of what is alive, cached pipelines, and failures as values.
 */
import type { Either } from "fp-ts/lib/Either.js";
import type { Task } from "fp-ts/lib/Task.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Cache } from "../platform/platform.ts";
import type { Profiler } from "./profiling.ts";
import type { GPUBuffer, GPUComputePipeline, GPUDevice, GPUSupportedLimits } from "../platform/webgpu.ts";

/** Matrices [m, k] and [k, n] that the lanes of a subgroup multiply together. */
export interface MatrixUnit {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lanes: number;
  /** Whether the lanes do by themselves what units would, so that an adapter without units computes as one that has them: for tests. */
  readonly emulated?: boolean;
}

/** The adapter that runs, in words and in what kernels depend on. */
export interface Adapter {
  /** One line for people: name, driver, kind. */
  readonly line: string;
  /** A stable name for files that are kept per adapter. */
  readonly key: string;
  /** A CPU adapter (lavapipe, SwiftShader) wants other kernels than a GPU. */
  readonly kind: "cpu" | "gpu";
  readonly features: ReadonlySet<string>;
  /** 0 when the adapter has no subgroups or varies their size. */
  readonly subgroupSize: number;
  /** Units that multiply matrices of f16 and sum in f32. Absent where the adapter has none. */
  readonly matrix?: MatrixUnit;
}

/** `f32` throughout; or `mixed`: frozen matrices, and what is saved for the backward pass, in f16, and products of them with sums in f32. */
export type Precision = "f32" | "mixed";

/** What is alive on the device, in bytes and objects. `created` counts every GPU object ever made, so a replay that makes none leaves it as it was. */
export interface Ledger {
  readonly liveBytes: number;
  readonly peakBytes: number;
  readonly created: number;
}

/** An open device: what the engine asks of it, with failures as values. */
export interface Device {
  readonly gpu: GPUDevice;
  readonly adapter: Adapter;
  readonly limits: GPUSupportedLimits;
  /** How programs keep and multiply numbers on it. */
  readonly precision: Precision;
  /** Where what is measured on the device is kept between runs. */
  readonly cache: Cache;
  readonly ledger: () => Ledger;
  /** A storage buffer (STORAGE | COPY_SRC | COPY_DST, plus `usage`), zero-filled; `bytes` is rounded up to 16. Fails with `OverLimit`. */
  readonly buffer: (label: string, bytes: number, usage?: number) => Either<Failure, GPUBuffer>;
  readonly release: (buffer: GPUBuffer) => void;
  /** Made by whoever creates other GPU objects (bind groups), so that the ledger stays true. */
  readonly count: (objects: number) => void;
  /** The pipeline of a WGSL text, compiled once; failures call it by `name`. Fails with `KernelInvalid`. */
  readonly pipeline: (name: string, code: string) => TaskEither<Failure, GPUComputePipeline>;
  /** The first uncaptured error or loss, if there was one: checked after every wait. */
  readonly failure: () => Failure | undefined;
  /** What runs are written down by. Absent unless somebody asks for a profile. */
  readonly profiler?: Profiler;
  /** Waits until everything submitted has run. */
  readonly settled: TaskEither<Failure, void>;
}

/** A device that whoever opened it closes. */
export interface OpenDevice extends Device {
  /** Destroys the device with everything on it; what is used afterwards fails with `DeviceLost`. */
  readonly close: Task<void>;
}
