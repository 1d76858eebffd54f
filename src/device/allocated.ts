/** Memory that a device does not have, noticed where it is asked for. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { Device } from "./device.ts";

/**
 * Makes buffers, and waits for the device's word that it has the memory: without it the first that runs on them would fail. `make` makes all of them before it
 * returns. Fails as it does, and with `OverLimit` of "memory"; what it made is then the caller's to release.
 */
export const allocated = async <A>(device: Device, what: string, make: () => E.Either<Failure, A>): Promise<E.Either<Failure, A>> => {
  const before = device.ledger().liveBytes;
  device.gpu.pushErrorScope("out-of-memory");
  const made = make();
  const bytes = device.ledger().liveBytes - before;
  const refused = await device.gpu.popErrorScope().catch(() => null);
  if (refused === null || E.isLeft(made)) return made;
  return E.left({ _tag: "OverLimit", what, bytes, limit: before, limitName: "memory", adapter: device.adapter.line });
};
