/**
 * Opens a device: the GPU that Dawn finds, else lavapipe, else SwiftShader.
 *
 * ```ts
 * withDevice({})((device) => train(device, stream)): TaskEither<Failure, Learner>
 * ```
 */
import { readdir } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type { Either } from "fp-ts/lib/Either.js";
import type { Task } from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { create } from "webgpu";
import type { Failure } from "../failure.ts";
import { describeAdapter, descriptorOf } from "./adapter.ts";
import type { Adapter, Device } from "./device.ts";
import { load, vulkanLoads } from "./library.ts";
import { compile } from "./pipeline.ts";
import { swiftShader } from "./swiftshader.ts";
import { bufferUsage } from "./usage.ts";
import { patiently } from "./wait.ts";
import type { GPU, GPUAdapterInfo, GPUBuffer, GPUComputePipeline, GPUDevice, GPUUncapturedErrorEvent } from "./webgpu.ts";

/** A device that whoever opened it closes. */
export interface OpenDevice extends Device {
  /** Destroys the device with everything on it; what is used afterwards fails with `DeviceLost`. */
  readonly close: Task<void>;
}

/** The rungs of the ladder, best first. */
export const rungs = ["gpu", "lavapipe", "swiftshader"] as const;

/** A rung of the ladder. */
export type Rung = (typeof rungs)[number];

/** Options of {@link openDevice} and {@link withDevice}. */
export interface DeviceOptions {
  /** One rung instead of the ladder; without it the environment's `CAMBIUM_ADAPTER` is asked. */
  readonly adapter?: Rung;
}

interface Opened {
  readonly dawn: GPU;
  readonly gpu: GPUDevice;
  readonly adapter: Adapter;
}

/**
 * What `create()` returned, for every device that is open. Dawn's instance dies with that object and the process with it, and a variable is
 * not enough: V8 drops it after its last use.
 */
const alive = new Set<GPU>();

const driverVariables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] as const;

/** Runs with the Vulkan loader pointed at these drivers, or at the user's own choice, and leaves the environment as it was. */
const withDrivers = async <A>(icds: readonly string[], use: () => Promise<A>): Promise<A> => {
  const before = driverVariables.map((name) => [name, process.env[name]] as const);
  if (icds.length > 0) for (const name of driverVariables) process.env[name] = icds.join(delimiter);
  try {
    return await use();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
};

/** Subgroup matrices are behind `allow_unsafe_apis`; f16 on NVIDIA is behind a toggle of its own. */
const toggles = ["enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia"];

const nothing = "Dawn finds no adapter";

/** Dawn's GPUErrors have a message and are no Errors. */
const firstLine = (error: unknown): string =>
  String((error as { readonly message?: string } | undefined)?.message ?? error)
    .trim()
    .split("\n")[0];

/** A device of the first adapter that Dawn offers; a string says why there is none. */
const request = (icds: readonly string[], refuse: (info: GPUAdapterInfo) => string | undefined = () => undefined): Promise<Opened | string> =>
  withDrivers(icds, async () => {
    if (!vulkanLoads()) return "this machine has no libvulkan.so.1";
    let reason = "";
    for (const experimental of [true, false]) {
      try {
        // A fresh instance each time: it looks for drivers once.
        const dawn: GPU = create(toggles);
        let opened = false;
        alive.add(dawn);
        try {
          const found = await dawn.requestAdapter({ powerPreference: "high-performance" });
          if (found === null) return nothing;
          const refusal = refuse(found.info);
          if (refusal !== undefined) return refusal;
          const gpu = await found.requestDevice(descriptorOf(found, experimental));
          opened = true;
          return { dawn, gpu, adapter: describeAdapter(found.info, gpu.features) };
        } finally {
          if (!opened) alive.delete(dawn);
        }
      } catch (error) {
        reason = firstLine(error);
      }
    }
    return reason;
  });

const icdFolders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

const isLavapipe = (path: string): boolean => /^lvp_icd.*\.json$/.test(basename(path));

const lavapipeIcds = async (): Promise<readonly string[]> => {
  const named = driverVariables.flatMap((name) => (process.env[name] ?? "").split(delimiter)).filter(isLavapipe);
  if (named.length > 0) return named;
  const lists = await Promise.all(
    icdFolders.map((dir) =>
      readdir(dir).then(
        (files) =>
          files
            .filter(isLavapipe)
            .sort()
            .map((f) => join(dir, f)),
        () => [],
      ),
    ),
  );
  return lists.flat();
};

const climb: Readonly<Record<Rung, (forced: boolean) => Promise<Opened | string>>> = {
  // Unforced, whatever Dawn finds by itself is taken: a software driver that the environment names is the user's choice.
  gpu: (forced) => request([], (info) => (forced && info.isFallbackAdapter ? `Dawn finds only ${info.description}, which is software` : undefined)),
  lavapipe: async () => {
    const icds = await lavapipeIcds();
    if (icds.length === 0) return `no lvp_icd*.json in ${icdFolders.join(", ")}`;
    const opened = await request(icds);
    return opened === nothing ? `Dawn refuses the driver of ${icds.join(", ")} (it needs Mesa 23.1 or newer)` : opened;
  },
  swiftshader: async () => {
    const { icd, loader } = await swiftShader();
    if (!vulkanLoads()) load(loader);
    return request([icd]);
  },
};

/** One at a time: the drivers are chosen through the environment, which the whole process shares. */
let queue: Promise<unknown> = Promise.resolve();

const inTurn =
  <A>(task: Task<A>): Task<A> =>
  () => {
    const result = queue.then(task);
    queue = result.catch(() => undefined);
    return result;
  };

const rungsOf = (options: DeviceOptions): Either<Failure, readonly Rung[]> => {
  const forced = options.adapter ?? (process.env.CAMBIUM_ADAPTER || undefined);
  if (forced === undefined) return E.right(rungs);
  const rung = rungs.find((r) => r === forced);
  return rung === undefined ? E.left({ _tag: "BadOption", option: "CAMBIUM_ADAPTER", detail: `${forced} is none of ${rungs.join(", ")}` }) : E.right([rung]);
};

/** A buffer that is read back may serve nothing else. */
const usesOf = (usage: number): number =>
  (usage & bufferUsage.mapRead) === 0 ? bufferUsage.storage | bufferUsage.copySrc | bufferUsage.copyDst | usage : bufferUsage.mapRead | bufferUsage.copyDst;

const deviceOf = ({ dawn, gpu, adapter }: Opened): OpenDevice => {
  let failed: Failure | undefined;
  let liveBytes = 0;
  let peakBytes = 0;
  let created = 0;
  const live = new Set<GPUBuffer>();
  const pipelines = new Map<string, Promise<Either<Failure, GPUComputePipeline>>>();

  gpu.addEventListener("uncapturederror", (event) => {
    const { error } = event as GPUUncapturedErrorEvent;
    failed ??= { _tag: "KernelInvalid", kernel: "of a submission", detail: firstLine(error) };
  });
  const lost = gpu.lost.then((info) => {
    failed ??= { _tag: "DeviceLost", adapter: adapter.line, reason: info.message || info.reason };
  });
  const count = (objects: number): void => {
    created += objects;
  };

  const pipeline =
    (name: string, code: string): TaskEither<Failure, GPUComputePipeline> =>
    () => {
      const cached = pipelines.get(code);
      if (cached !== undefined) return cached;
      count(2);
      const compiled = patiently(adapter, compile(gpu, name, code)()).then((result) => (failed?._tag === "DeviceLost" ? E.left(failed) : result));
      pipelines.set(code, compiled);
      return compiled;
    };

  const buffer = (label: string, bytes: number, usage = 0): Either<Failure, GPUBuffer> => {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const limit = gpu.limits.maxBufferSize;
    if (size > limit) return E.left({ _tag: "OverLimit", what: label, bytes: size, limit, limitName: "maxBufferSize", adapter: adapter.line });
    if (failed?._tag === "DeviceLost") return E.left(failed);
    return E.tryCatch(
      () => {
        const made = gpu.createBuffer({ label, size, usage: usesOf(usage) });
        live.add(made);
        liveBytes += size;
        peakBytes = Math.max(peakBytes, liveBytes);
        count(1);
        return made;
      },
      (): Failure => ({ _tag: "OverLimit", what: label, bytes: size, limit, limitName: "memory", adapter: adapter.line }),
    );
  };

  const release = (made: GPUBuffer): void => {
    if (!live.delete(made)) return;
    liveBytes -= made.size;
    made.destroy();
  };

  const settled: TaskEither<Failure, void> = async () => {
    try {
      if (failed === undefined) await patiently(adapter, Promise.race([gpu.queue.onSubmittedWorkDone(), lost]));
    } catch (error) {
      failed ??= { _tag: "DeviceLost", adapter: adapter.line, reason: firstLine(error) };
    }
    return failed === undefined ? E.right(undefined) : E.left(failed);
  };

  const close: Task<void> = async () => {
    live.forEach(release);
    gpu.destroy();
    await lost;
    alive.delete(dawn);
  };

  return {
    gpu,
    adapter,
    limits: gpu.limits,
    ledger: () => ({ liveBytes, peakBytes, created }),
    buffer,
    release,
    count,
    pipeline,
    failure: () => failed,
    settled,
    close,
  };
};

/** Opens a device by the ladder, or on one rung. Fails with `NoAdapter`, which says what each rung answered, or `BadOption`. */
export const openDevice = (options: DeviceOptions = {}): TaskEither<Failure, OpenDevice> =>
  inTurn(async () => {
    const wanted = rungsOf(options);
    if (E.isLeft(wanted)) return wanted;
    const tried: string[] = [];
    for (const rung of wanted.right) {
      const opened = await climb[rung](wanted.right.length === 1).catch(firstLine);
      if (typeof opened !== "string") return E.right(deviceOf(opened));
      tried.push(`${rung}: ${opened}`);
    }
    return E.left({ _tag: "NoAdapter", tried });
  });

/**
 * Opens a device, uses it, and closes it whatever happens, also when `use` throws. An error of the device that `use` did not notice
 * (an uncaptured one, a loss) becomes its failure.
 */
export const withDevice =
  (options: DeviceOptions) =>
  <A>(use: (device: Device) => TaskEither<Failure, A>): TaskEither<Failure, A> =>
    TE.chain(
      (device: OpenDevice): TaskEither<Failure, A> =>
        async () => {
          try {
            const result = await use(device)();
            const failure = device.failure();
            return E.isRight(result) && failure !== undefined ? E.left(failure) : result;
          } finally {
            await device.close();
          }
        },
    )(openDevice(options));
