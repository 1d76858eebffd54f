/** A step that is made in any case: in mixed precision one whose gradients are not finite is run again. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { HostRecord } from "../tensor/replay.ts";
import type { Session } from "../tensor/session.ts";
import { firstScale, leastScale, scaleOf, scaleState, stateOf } from "./lossScale.ts";
import { faultOf, notFinite } from "./notFinite.ts";

/** What of a step that was not finite no other scale mends, its loss; undefined where there is hope. */
const hopeless = async (session: Session): Promise<E.Either<Failure, string | undefined>> =>
  "loss" in session.program.outputs ? E.map(([loss]: Float32Array) => faultOf({ loss }))(await session.read("loss")()) : E.right(undefined);

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
  const fault = await hopeless(session);
  if (E.isLeft(fault)) return fault;
  const what = fault.right ?? (next < leastScale ? "A gradient" : undefined);
  return what === undefined ? untilFinite(session, inputs, step, next) : E.left(notFinite(what, step));
};

/** A scale that was found on one batch is divided by so much: the next ones may have larger gradients. */
const room = 4;

/**
 * Makes the first step of a training, whose scale of the loss is a guess, with a scale at which its gradients are finite: a short training would else lose its
 * first steps. Where the guess was good nothing is different. Fails as {@link untilFinite} does.
 */
export const firstStep = async (session: Session, inputs: HostRecord): Promise<E.Either<Failure, void>> => {
  const made = await untilFinite(session, inputs, 0, firstScale);
  if (E.isLeft(made)) return made;
  return made.right >= firstScale ? E.right(undefined) : session.write({ [scaleState]: stateOf(Math.max(leastScale, made.right / room)) });
};
