/** Where the time on a device goes, while something is done on it. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../device/device.ts";
import type { Failure } from "../failure.ts";
import { profiling, type Profile } from "../tensor/profile.ts";

/** Uses a device. Where somebody is to be told, what runs on it is profiled, and he is told when it has ended well; no bit changes. */
export const whileProfiled =
  (device: Device, told: ((profile: Profile) => TE.TaskEither<Failure, void>) | undefined) =>
  <A>(use: (device: Device) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> => {
    if (told === undefined) return use(device);
    const { device: watched, profile, release } = profiling(device);
    const ended = pipe(
      use(watched),
      TE.chainFirst(() => pipe(profile, TE.chain(told))),
    );
    return () => ended().finally(release);
  };
