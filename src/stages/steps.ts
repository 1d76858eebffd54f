/** Adapting, at the scale of a step: the gradient of an objective, the update of an optimiser, and their repetition. */
import type { Forward } from "../model/adapters/adapter.ts";
import { elementsBefore, type Part } from "../model/part.ts";
import { random } from "../random.ts";
import { dropout as drop } from "../tensor/ops/dropout.ts";
import { constant } from "../tensor/ops/elementwise.ts";
import { check, pack, size, type Tensor } from "../tensor/tensor.ts";
import { both, differentiated } from "../training/differentiated.ts";
import { scaleName } from "../training/lossScale.ts";
import { sum, type Objective } from "../training/objective.ts";
import type { Length, PerTask } from "../training/schedule.ts";
import type { Optimizer } from "../training/optimizer.ts";
import { givesOutputs } from "../training/suits.ts";
import type { Tracing } from "../training/tracing.ts";
import { pipeline, stepStage, type StepStage } from "./stage.ts";
import { withFlat, type Graded, type Trainee } from "../training/trainee.ts";

/** The loss of a batch, its terms by name, and its gradients by group. */
export interface Slopes extends Pick<Graded, "gradients"> {
  readonly loss: Tensor;
  readonly terms: readonly (readonly [string, Tensor])[];
}

/** A trainee on reference pictures, as it is now. Throws a `ShapeError` where the step has none. */
const referenceOf = ({ reference, groups, forward }: Trainee): Trainee => {
  check(reference !== undefined, "gradient", () => "there are no reference pictures beside the batch; encode with reference");
  return { ...reference!, groups, forward };
};

/**
 * Evaluates an objective on the batch of a trainee, and another on its reference pictures, and differentiates their sum with respect to every trained group
 * that it depends on. A batch in parts is computed part by part, and their gradients are added up.
 */
export const slopesOf = (objective: Objective<any>, trainee: Trainee, tracing: Tracing, reference?: Objective<any>): Slopes => {
  const parameters = trainee.trained.map((name) => [...trainee.groups[name].views.values()]);
  const own = differentiated(objective, trainee, tracing, parameters.flat());
  const sums = reference === undefined ? own : both(own, differentiated(reference, referenceOf(trainee), tracing, parameters.flat()));
  const { loss, terms, gradients: found } = sums;
  let at = 0;
  const gradients = trainee.trained.flatMap((name, i): readonly (readonly [string, Tensor])[] => {
    const ofGroup = found.slice(at, (at += parameters[i].length));
    // A group without any gradient is left alone by optimisers, as torch leaves parameters whose gradient is None.
    if (ofGroup.every((g) => g === undefined)) return [];
    const { entries, length } = trainee.groups[name].layout;
    const whole = ofGroup.map((g, j) => g ?? constant(0, parameters[i][j].shape));
    const offsets = entries.map((e) => e.offset);
    const flat = pack(whole, offsets, length);
    return [[name, tracing.lossScale?.unscaled(flat) ?? flat]];
  });
  return { loss, terms, gradients: Object.fromEntries(gradients) };
};

/** Records the loss of a step and its terms, and in mixed precision its scale. */
export const recordLoss = ({ loss, terms }: Slopes, { record, lossScale }: Tracing): void => {
  record("loss", loss);
  if (lossScale !== undefined) record(scaleName, lossScale.value);
  if (terms.length > 1) terms.forEach(([name, value]) => record(name, value));
};

/** Options of {@link gradient}. */
export interface GradientOptions<N extends string> {
  /** An objective of the reference pictures that `encode` puts beside the batch; its losses are added to those of the batch. */
  readonly reference?: Objective<N>;
}

/**
 * Encodes the batch, evaluates the objective, records it, and differentiates it with respect to every trained group that it depends on. Reference pictures are
 * computed behind the batch, with an objective of their own.
 */
export const gradient = <N extends string = never>(objective: Objective<N>, { reference }: GradientOptions<N> = {}): StepStage<Trainee, Graded, N> => {
  const described = { objective: objective.name, ...(reference === undefined ? {} : { reference: reference.name }) };
  const stage = stepStage<Trainee, Graded, N>("gradient", described, (trainee, tracing) => {
    const slopes = slopesOf(objective, trainee, tracing, reference);
    recordLoss(slopes, tracing);
    return { ...trainee, gradients: slopes.gradients };
  });
  return { ...stage, suits: givesOutputs(reference === undefined ? objective : sum(objective, reference)) };
};

/**
 * Drops elements of the adapters' inputs with probability `p` and scales the others by 1/(1 − p); the model's own path is as it was (LoRA dropout,
 * METHODS.md C.2). The masks are drawn from the seed, the step and the layer.
 */
export const dropout = (p: number): StepStage<Trainee, Trainee> =>
  stepStage("dropout", { p }, (trainee, tracing): Trainee => {
    if (p === 0) return trainee;
    const word =
      (purpose: number) =>
      (at: number): number =>
        random(tracing.seed, "dropout", at, purpose).integer(2 ** 24);
    const seed = tracing.hyper("dropout", [word(0), word(1)]);
    // A layer has one site, and the places of a part are those of the whole batch: every element meets the mask that it has there.
    const sites = new Map<string, number>();
    const met = new Map<Part | undefined, Map<string, number>>();
    const input: Forward["input"] = (layer, x, part) => {
      const inPart = met.get(part) ?? new Map<string, number>();
      met.set(part, inPart);
      const times = inPart.get(layer.name) ?? 0;
      inPart.set(layer.name, times + 1);
      const key = `${layer.name} ${times}`;
      const site = sites.get(key) ?? sites.size;
      sites.set(key, site);
      return drop(x, p, seed, site, part === undefined ? 0 : elementsBefore(part, trainee.network, layer, size(x.shape)));
    };
    return { ...trainee, forward: { ...trainee.forward, input } };
  });

/** One step of an optimiser on every group that has a gradient; some groups may have one of their own. */
export const update = (optimizer: Optimizer, byGroup: Readonly<Record<string, Optimizer>> = {}): StepStage<Graded, Trainee> => {
  const options = Object.fromEntries(Object.entries(byGroup).map(([group, { name, options }]) => [group, { [name]: options }]));
  return stepStage(`update`, { [optimizer.name]: optimizer.options, ...options }, ({ gradients, ...trainee }, tracing): Trainee => {
    const updated = Object.entries(gradients).map(([name, g]) => [name, (byGroup[name] ?? optimizer).update(tracing, name, trainee.groups[name], g)] as const);
    return {
      ...trainee,
      groups: { ...trainee.groups, ...Object.fromEntries(updated.map(([name, { flat }]) => [name, withFlat(trainee.groups[name], flat)])) },
      state: Object.assign({}, trainee.state, ...updated.map(([, { state }]) => state)),
    };
  });
};

/** The steps of a training, and how many: the arrow of one. */
export interface Steps<N extends string> {
  readonly count: PerTask<Length>;
  readonly step: StepStage<Trainee, Trainee, N>;
}

/**
 * So many times the composition of up to ten step stages; a longer one is a pipeline.
 *
 * ```ts
 * const steps = repeat(500, gradient(objective.imageToText), update(optimizer.adamW({ lr: schedule.cosine(5e-4) })));
 * assert.equal(steps.count, 500);
 * assert.deepEqual(stage.manifest(steps.step).parts?.map((part) => part.name), ["gradient", "update"]);
 * ```
 */
export const repeat = <
  B extends Trainee,
  C extends Trainee = B,
  D extends Trainee = C,
  E extends Trainee = D,
  F extends Trainee = E,
  G extends Trainee = F,
  H extends Trainee = G,
  I extends Trainee = H,
  J extends Trainee = I,
  K extends Trainee = J,
  N extends string = never,
>(
  count: PerTask<Length>,
  first: StepStage<Trainee, B, N>,
  second?: StepStage<B, C, N>,
  third?: StepStage<C, D, N>,
  fourth?: StepStage<D, E, N>,
  fifth?: StepStage<E, F, N>,
  sixth?: StepStage<F, G, N>,
  seventh?: StepStage<G, H, N>,
  eighth?: StepStage<H, I, N>,
  ninth?: StepStage<I, J, N>,
  tenth?: StepStage<J, K, N>,
): Steps<N> => ({ count, step: pipeline(first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth) });
