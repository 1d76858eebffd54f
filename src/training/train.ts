/**
 * Runs a step many times: traces it once, binds it to the device, and replays it on batches.
 *
 * The state between two steps is data (parameters, moments, the number of steps done), so a training that was stopped and resumed from
 * it ends with the same bits as one that was not.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { firstNotFinite } from "../formats/hostTensor.ts";
import type { HostRecord } from "../tensor/replay.ts";
import { withSession, type Session } from "../tensor/session.ts";
import { ahead, bytesOf, pace, reads } from "./ahead.ts";
import type { Checkpoint, Training } from "./keeper.ts";
import { withFitting, type Fitting, type Traced } from "./fitting.ts";
import { withOption } from "./limits.ts";
import { faultOf, notFinite } from "./notFinite.ts";
import { inputOfReference, inputsInParts, partsBeside, partsOf, type BatchParts } from "./parts.ts";
import type { Runtime } from "./runtime.ts";
import { traceStep, type StepOptions, type Steps, type TracedStep } from "./step.ts";
import type { Recorder } from "./tracing.ts";
import type { BatchShape, TrainingBatches } from "./trainee.ts";
import { firstStep } from "./untilFinite.ts";

/** What is trained, how, and on what. */
export interface TrainOptions<G extends string> extends Omit<StepOptions<G>, "step" | "steps" | "batch" | "parts"> {
  readonly steps: Steps<any>;
  readonly batches: TrainingBatches;
  /** Where to start from. */
  readonly from: Training<G>;
  /** Called before the first step with the bytes that the steps need on the device: the weights that they read, and all else. */
  readonly onMemory?: (weights: number, rest: number) => void;
  /** Called with the recorded numbers of every step, in order, some steps at a time. */
  readonly onSteps?: (first: number, losses: readonly Readonly<Record<string, number>>[]) => void;
  /** Called with the whole state every so many steps, where the training is stopped on request, and at its end. */
  readonly checkpoint?: Checkpoint<G>;
  /** Ends the loop before so many steps are done. */
  readonly until?: number;
}

/** The numbers that the host computes for a step. */
export const hypersAt = ({ hypers }: Pick<Recorder, "hypers">, step: number): HostRecord =>
  Object.fromEntries([...hypers].map(([name, at]) => [name, Float32Array.from(at, (schedule) => schedule(step))]));

/** The state on the device; groups that no step changes are as they were. Fails with `NotFinite` where a number of it is none. */
const readState = <G extends string>(session: Session, from: Training<G>, step: number): TE.TaskEither<Failure, Training<G>> =>
  pipe(
    session.readAll(Object.keys(session.program.state)),
    TE.chainFirstEitherK((read) => {
      const bad = Object.entries(read).find(([, values]) => firstNotFinite(values) >= 0);
      return bad === undefined ? E.right(undefined) : E.left<Failure>({ _tag: "NotFinite", what: `A number of ${bad[0]}`, step });
    }),
    TE.map((read) => {
      const some = (inValues: boolean) => Object.fromEntries(Object.entries(read).filter(([name]) => name in from.values === inValues));
      return { step, values: { ...from.values, ...some(true) }, moments: some(false) };
    }),
  );

/** The numbers that were recorded since they were read last, by name and step. What is read is what was submitted before the call. */
const recordedOf = (session: Session, records: readonly string[]): Promise<E.Either<Failure, readonly (readonly [string, Float32Array])[]>> =>
  pipe(
    records,
    TE.traverseArray((name) =>
      pipe(
        session.recorded(name),
        TE.map((values) => [name, values] as const),
      ),
    ),
  )();

/**
 * What hands on the recorded numbers of the steps since it was called last, in order, some steps at a time, up to the first that is wrong: with that
 * it fails, with `NotFinite`. Reading begins at once; it ends when the device has come so far, and when all earlier numbers were handed on.
 */
const drains = (session: Session, records: readonly string[], from: number, onSteps: TrainOptions<string>["onSteps"]) => {
  let drained = from;
  let last: Promise<E.Either<Failure, void>> = Promise.resolve(E.right(undefined));
  return (until: number): Promise<E.Either<Failure, void>> => {
    const [first, before, reading] = [drained, last, recordedOf(session, records)];
    drained = until;
    last = before.then(async (earlier) => {
      const read = await reading;
      if (E.isLeft(earlier)) return earlier;
      if (E.isLeft(read)) return read;
      // Before the first step come its tries that were not finite.
      const rows = Array.from({ length: until - first }, (_, i) =>
        Object.fromEntries(read.right.map(([name, values]) => [name, values.at(first + i - until)!])),
      );
      const faults = rows.map(faultOf);
      const bad = faults.findIndex((fault) => fault !== undefined);
      onSteps?.(first, bad < 0 ? rows : rows.slice(0, bad));
      return bad < 0 ? E.right(undefined) : E.left(notFinite(faults[bad]!, first + bad));
    });
    // It may be awaited some steps later.
    last.catch(() => undefined);
    return last;
  };
};

/** What is wrong with a state for these steps, as a phrase. */
const unfitting = (session: Session, { step, values, moments }: Training<string>, count: number): string | undefined => {
  if (!Number.isInteger(step) || step < 0 || step > count) return `has done ${step} of ${count} steps`;
  const given: Readonly<Record<string, Float32Array>> = { ...values, ...moments };
  const missing = step === 0 ? undefined : Object.keys(session.program.state).find((name) => given[name] === undefined);
  return missing === undefined ? undefined : `has no ${missing}`;
};

/** The inputs of a step, in parts and with those of its reference pictures, and the bytes of its batches. */
const inputsAt = (parts: BatchParts, { at, reference }: TrainingBatches) => {
  const own = (step: number) => TE.map((batch: HostRecord) => ({ bytes: bytesOf(batch), inputs: inputsInParts(parts, batch) }))(at(step));
  if (reference === undefined) return own;
  const beside = partsBeside(reference, parts.parts.length);
  return (step: number): ReturnType<typeof own> =>
    pipe(
      own(step),
      TE.bindTo("batch"),
      TE.bind("pictures", () => reference.at(step)),
      TE.map(({ batch: { bytes, inputs }, pictures }) => {
        const named = Object.entries(inputsInParts(beside, pictures)).map(([name, data]) => [inputOfReference(name), data] as const);
        return { bytes: bytes + bytesOf(pictures), inputs: { ...inputs, ...Object.fromEntries(named) } };
      }),
    );
};

/** What the loop over the batches is given. */
interface Loop<G extends string> extends Pick<Runtime, "device" | "signal"> {
  readonly session: Session;
  readonly recorder: Recorder;
  readonly parts: BatchParts;
  readonly count: number;
  readonly options: TrainOptions<G>;
}

/**
 * The loop over the batches. Batches are prepared while the device works. A GPU always has some steps before it: their losses are read when it has gone on. A
 * CPU adapter computes on the cores of the host, and is waited for.
 */
const runSteps =
  <G extends string>({ session, recorder, parts, count, options, device, signal }: Loop<G>) =>
  async (): Promise<E.Either<Failure, Training<G>>> => {
    const { batches, from, onMemory, onSteps, checkpoint } = options;
    const unfit = unfitting(session, from, count);
    if (unfit !== undefined) return E.left({ _tag: "ShapeMismatch", op: "train", detail: `the state to go on from ${unfit}` });
    const written = session.write({ ...from.values, ...from.moments });
    if (E.isLeft(written)) return written;
    onMemory?.(session.frozenBytes, session.bytes);
    const until = Math.min(count, options.until ?? count);
    const drainTo = drains(session, [...recorder.records.keys()], from.step, onSteps);
    const save = (step: number): TE.TaskEither<Failure, void> =>
      pipe(
        () => drainTo(step),
        TE.chain(() => readState(session, from, step)),
        TE.chain((state) => checkpoint?.save(state) ?? TE.right(undefined)),
      );
    const [source, paced] = [ahead(inputsAt(parts, batches), from.step, until, ({ bytes }) => bytes), pace(device)];
    const told = reads(device);
    let reading: Promise<E.Either<Failure, void>> = Promise.resolve(E.right(undefined));
    const loop = async (): Promise<E.Either<Failure, void>> => {
      for (let step = from.step; step < until; step++) {
        if (signal?.aborted) {
          const saved = checkpoint === undefined || step === from.step ? E.right(undefined) : await save(step)();
          return E.isLeft(saved) ? saved : E.left({ _tag: "Interrupted" });
        }
        const batch = await source.next();
        if (E.isLeft(batch)) return batch;
        const inputs = { ...hypersAt(recorder, step), ...batch.right.inputs };
        const ran = step === 0 ? await firstStep(session, inputs) : session.run(inputs);
        if (E.isLeft(ran)) return ran;
        source.more();
        const done = step + 1;
        const saving = checkpoint?.every !== undefined && done % checkpoint.every === 0 && done < until;
        const draining = told.due() || done === until;
        const before = reading;
        if (draining && !saving) reading = drainTo(done);
        const kept = saving ? await save(done)() : !draining ? await paced() : await (device.adapter.kind === "cpu" || done === until ? reading : before);
        if (E.isLeft(kept)) return kept;
        if (draining) told.done();
      }
      return E.right(undefined);
    };
    const [looped, read] = [await loop(), await reading];
    // A loss that was read later is of a step that was made earlier.
    if (E.isLeft(read)) return read;
    if (E.isLeft(looped)) return looped;
    const ended = await readState(session, from, until)();
    // What follows a training, such as an evaluation, may be stopped or fail, too.
    const saved = E.isRight(ended) && checkpoint !== undefined && from.step < until ? await checkpoint.save(ended.right)() : E.right(undefined);
    return E.isLeft(saved) ? saved : ended;
  };

/** Trains from a state to the end of the steps. Fails with `NotFinite` when a loss or what was trained is not a number, and `Interrupted` on request. */
export const train =
  <G extends string>(options: TrainOptions<G>): ((runtime: Runtime) => TE.TaskEither<Failure, Training<G>>) =>
  ({ device, seed, signal, recompute, accumulate = 1 }) => {
    const { model, steps, batches } = options;
    const count = typeof steps.count === "number" ? steps.count : batches.steps;
    const always = { step: steps.step, steps: count, seed: options.seed ?? seed };
    // A smaller batch has as many reference pictures.
    const referenceOf = ({ images }: BatchShape): StepOptions<G>["reference"] => {
      const { reference } = batches;
      return reference && { ...reference, shape: { ...reference.shape, images: Math.min(images, reference.shape.images) } };
    };
    const trace = (of: Traced): ReturnType<typeof traceStep> => traceStep({ ...options, ...of, ...always, reference: referenceOf(of.batch) });
    const fitting: Fitting = { device, batches, accumulate, recompute, trace: (of) => E.map(({ program }: TracedStep) => program)(trace(of)) };
    return pipe(
      TE.fromEither(partsOf(batches, accumulate)),
      TE.bindTo("parts"),
      TE.bind("traced", ({ parts }) => TE.fromEither(trace({ batch: batches.shape, parts: parts.parts, recompute, precision: device.precision }))),
      TE.chain(({ parts, traced: { program, recorder, constants } }) =>
        withSession(device, program, { weights: model.weights, constants, record: [...recorder.records.keys()], label: "training" })((session) =>
          runSteps({ session, recorder, parts, count, options, device, signal }),
        ),
      ),
      TE.mapLeft(withOption(model.weights, options.adapter)),
      TE.mapLeft((failure) => withFitting(failure, fitting)),
    );
  };
