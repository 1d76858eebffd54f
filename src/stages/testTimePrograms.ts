/** The programs of test-time training: what a picture's views are asked by, trained on and answered by. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Resident } from "../device/resident.ts";
import type { Failure } from "../failure.ts";
import type { Outputs, Readout } from "../model/architecture.ts";
import { through, type Branch, type BranchContext } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import { networkOf, outputsOf } from "../model/model.ts";
import { wholeBatch } from "../model/part.ts";
import type { Leaves } from "../tensor/leaves.ts";
import { withSession, type Session } from "../tensor/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Runtime } from "../training/runtime.ts";
import { traceStep, traineeOf, type Base } from "../training/step.ts";
import { recorder, type Recorder, type Tracing } from "../training/tracing.ts";
import { encodeBatch, giving, type Trainee } from "../training/trainee.ts";
import { entropies } from "../training/viewLosses.ts";
import type { Adaptation } from "./adaptation.ts";
import type { Features } from "./imageFeatures.ts";
import { found } from "./programs.ts";
import { patchesOf } from "./visiblePatches.ts";

/** What pictures are adapted to and answered by. */
export interface Adapting {
  readonly learner: Learner;
  readonly runtime: Runtime;
  readonly weights: Resident;
  readonly branch?: Branch;
  readonly adaptation: Adaptation;
  /** Unit features of the texts of the classes that pictures are answered among. */
  readonly among: Features;
}

/** The programs of one picture: the entropies of its views, a step on some of them, and what it is then. They share one state. */
export interface Programs {
  readonly asking: Session;
  readonly training: Session;
  readonly answering: Session;
  readonly recorder: Recorder;
}

/** How many views are trained on. */
export const chosenOf = ({ views, confident }: Adaptation): number => Math.max(1, Math.floor(views * confident));

/** Opens the programs, uses them, and releases them whatever happens. */
export const withPrograms =
  ({ learner, runtime: { device }, weights, branch, adaptation, among }: Adapting, { texts = "", images }: Readout) =>
  <A>(use: (programs: Programs) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> => {
    const { model, memory } = learner;
    const { adapters: adapter, steps, views, seed = 0 } = adaptation;
    const shape = [among.count, networkOf(model).width];
    const sizeOf = (count: number) => ({ images: count, texts: among.count, length: 0, previous: 0 });
    const known = ({ constant }: Leaves): Outputs => ({ [texts]: constant("features of texts", { shape, data: among.data }) });
    const options = { model, adapter, steps: steps.count as number, memory, seed };
    /** The model under the adapters, for so many images. */
    const baseOf =
      (count: number, note?: BranchContext["note"]): Base =>
      (plain, tracing) => {
        const asItIs = outputsOf(model, tracing, sizeOf(count), plain);
        return through(branch, learner, plain, tracing.constant, note, (name) => asItIs[name]);
      };
    /** A program that reads the state of the training, and changes nothing. */
    const reading = (count: number, output: (trainee: Trainee, tracing: Tracing) => Tensor) => (leaves: Leaves) => {
      const notes: Record<string, Tensor> = {};
      const base = baseOf(count, (name, value) => void (notes[name] = value));
      const { tracing } = recorder(leaves, options);
      const own = traineeOf({ ...options, batch: sizeOf(count), base }, tracing, (name, { length }) => leaves.state(name, [length]));
      const trainee = giving(own, known(tracing));
      // A branch notes what it does while the output is traced.
      const traced = output(trainee, tracing);
      return E.right({ outputs: { ...notes, [found]: traced } });
    };
    const entropiesOfViews = reading(views, (trainee, tracing) => entropies(encodeBatch(trainee, tracing).logits));
    const answer = reading(1, (trainee) => trainee.outputs(trainee.groups, {}, wholeBatch(trainee.batch))[images]);
    return pipe(
      traceStep({
        ...{ ...options, precision: device.precision },
        step: { run: (trainee) => (tracing) => steps.step.run(giving(trainee, known(tracing)))(tracing) },
        batch: { ...sizeOf(chosenOf(adaptation)), visible: patchesOf(learner, adaptation)?.seen },
        base: baseOf(chosenOf(adaptation)),
      }),
      TE.fromEither,
      TE.chain(({ program, constants, recorder: noted }) =>
        withSession(device, program, { weights, constants, label: "test-time training" })((training) => {
          const shared = { weights, states: training.states };
          return withSession(device, entropiesOfViews, { ...shared, label: "views" })((asking) =>
            withSession(device, answer, { ...shared, label: images })((answering) => use({ asking, training, answering, recorder: noted })),
          );
        }),
      ),
    );
  };
