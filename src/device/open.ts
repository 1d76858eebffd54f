/**
 * Opens a device on a platform: in Node and Deno the GPU that Dawn finds, else lavapipe, else SwiftShader.
 *
 * ```ts
 * withDevice({})((device) => train(device, stream)): TaskEither<Failure, Learner>
 * ```
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { platform as defaultPlatform } from "../platform/default.ts";
import type { Platform, Rung } from "../platform/platform.ts";
import { descriptorOf } from "./adapter.ts";
import type { Device, OpenDevice, Precision } from "./device.ts";
import { inPrecision } from "./precision.ts";
import { wrapDevice } from "./wrap.ts";

/** Options of {@link openDevice} and {@link withDevice}. */
export interface DeviceOptions {
  /** One rung instead of the ladder; without it the environment's `CAMBIUM_ADAPTER` is asked. */
  readonly adapter?: Rung;
  /** Default: f32. `mixed` is for less memory, and for faster products on a GPU. */
  readonly precision?: Precision;
  /** What opens the GPU. Default: that of Node and Deno. */
  readonly platform?: Pick<Platform, "openGpu" | "cache">;
}

/**
 * Opens a device by the ladder, or on one rung. Fails with `NoAdapter`, which says what each rung answered, or with `BadOption`, also where the adapter cannot
 * compute in the precision.
 */
export const openDevice = ({ adapter, precision = "f32", platform = defaultPlatform }: DeviceOptions = {}): TaskEither<Failure, OpenDevice> =>
  pipe(
    platform.openGpu({ rung: adapter, descriptor: descriptorOf }),
    TE.map(({ gpu, ...opened }) => wrapDevice(gpu, { ...opened, cache: platform.cache })),
    TE.chain((device) => async () => {
      const ready = inPrecision(precision, device);
      if (E.isLeft(ready)) await device.close();
      return ready;
    }),
  );

const isDevice = (options: DeviceOptions | Device): options is Device => "gpu" in options;

/** Uses a device. An error of the device that `use` did not notice (an uncaptured one, a loss) becomes its failure. */
const used =
  <A>(device: Device, use: (device: Device) => TaskEither<Failure, A>): TaskEither<Failure, A> =>
  async () => {
    const result = await use(device)();
    const failure = device.failure();
    return E.isRight(result) && failure !== undefined ? E.left(failure) : result;
  };

/** The device of the options: a new one, or one that is open already and stays open when it is closed. */
export const deviceOf = (options: DeviceOptions | Device): TaskEither<Failure, OpenDevice> =>
  isDevice(options) ? TE.right({ ...options, close: async () => undefined }) : openDevice(options);

/**
 * Opens a device, uses it, and closes it whatever happens, also when `use` throws. A device that is open already is used as it is and stays open. An error of
 * the device that `use` did not notice (an uncaptured one, a loss) becomes its failure.
 */
export const withDevice =
  (options: DeviceOptions | Device) =>
  <A>(use: (device: Device) => TaskEither<Failure, A>): TaskEither<Failure, A> =>
    isDevice(options)
      ? used(options, use)
      : pipe(
          openDevice(options),
          TE.chain((device) => async () => {
            try {
              return await used(device, use)();
            } finally {
              await device.close();
            }
          }),
        );
