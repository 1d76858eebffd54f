/** A step that is made in any case: in mixed precision one whose gradients are not finite is run again. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { HostRecord } from "../tensor/replay.ts";
import type { Session } from "../tensor/session.ts";
import { leastScale, scaleOf, scaleState } from "./lossScale.ts";
import { notFinite } from "./train.ts";

/**
 * Runs a step until it is made. One whose gradients are not finite changes nothing but the scale of the loss, which halves; so the next run is the same step.
 * Takes the scale before it and gives the one behind it, which without mixed precision is the same. Fails with `NotFinite` where gradients are finite at no
 * scale.
 */
export const untilFinite = async (session: Session, inputs: HostRecord, step: number, scale: number): Promise<E.Either<Failure, number>> => {
  const ran = session.run(inputs);
  if (E.isLeft(ran)) return ran;
  if (!(scaleState in session.program.state)) return E.right(scale);
  const read = await session.read(scaleState)();
  if (E.isLeft(read)) return read;
  const next = scaleOf(read.right);
  if (next >= scale) return E.right(next);
  return next < leastScale ? E.left(notFinite("A gradient", step)) : untilFinite(session, inputs, step, next);
};
