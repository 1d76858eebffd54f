/** A runtime with defaults: what a script or a notebook runs methods in. */
import { pipe } from "fp-ts/lib/function.js";
import type { Task } from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { imageCache } from "../data/imageCache.ts";
import type { Device } from "../device/device.ts";
import { openDevice, type DeviceOptions } from "../device/open.ts";
import type { Failure } from "../failure.ts";
import { progress as progressBars, type Progress } from "../report/progress.ts";
import type { Event, Runtime } from "../training/runtime.ts";
import { watch, type Watcher } from "./watch.ts";

/** Options of {@link runtime}. */
export interface RuntimeOptions extends Partial<Pick<Runtime, "images" | "signal" | "onCorrupt" | "accumulate" | "recompute">> {
  /** The seed of all that is random. Default: 0. */
  readonly seed?: number;
  /** A device that is open already and stays so, or how one is opened. Default: the first that opens. */
  readonly device?: Device | DeviceOptions;
  /** Shows progress: on stderr, or with the given bars. Default: none. */
  readonly progress?: boolean | Progress;
  /** Called with every event. */
  readonly watch?: (event: Event) => void;
}

/** A runtime, and what ends it. */
export interface OpenRuntime extends Runtime {
  /** Closes the device, unless it was given open. */
  readonly close: Task<void>;
}

const isOpen = (device: Device | DeviceOptions): device is Device => "gpu" in device;

const watcherOf = (shown: RuntimeOptions["progress"]): Watcher | undefined =>
  shown === undefined || shown === false ? undefined : watch(shown === true ? progressBars() : shown);

/**
 * Opens a runtime: a device, a seed, a cache of 1,024 MiB for decoded images. Fails as {@link openDevice} does.
 *
 * ```ts
 * const opened = await get(runtime({ seed: 3, watch: (event) => console.error(event.type) }));
 * assert.equal(opened.seed, 3);
 * await opened.close();
 * ```
 */
export const runtime = (options: RuntimeOptions = {}): TE.TaskEither<Failure, OpenRuntime> => {
  const { seed = 0, device = {}, progress, watch: watching, images = imageCache(1024), ...rest } = options;
  const opened = isOpen(device)
    ? TE.right<Failure, { device: Device; close: Task<void> }>({ device, close: async () => undefined })
    : pipe(
        openDevice(device),
        TE.map((own) => ({ device: own, close: own.close })),
      );
  return pipe(
    opened,
    TE.map(({ device: running, close }): OpenRuntime => {
      const watcher = watcherOf(progress);
      return {
        ...rest,
        ...{ device: running, seed, images },
        emit: (event) => {
          watcher?.event(event);
          watching?.(event);
        },
        close: async () => {
          watcher?.stop();
          await close();
        },
      };
    }),
  );
};
