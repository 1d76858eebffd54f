/** The subspaces that a learner protects: of its pre-trained weights, of past tasks' features, of past tasks' updates. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import { emptyBasis, extend, extendByEnergy, extendByRows, principal, type Basis, type Matrix, type PrincipalOptions } from "../linalg/linalg.ts";
import { layersOf, type Layer, type LayerChoice } from "../model/network.ts";
import type { Learner } from "../model/learner.ts";
import type { Tensors } from "../formats/hostTensor.ts";
import { unflatten } from "../tensor/layout.ts";
import { inputGrams, describeInputs, type Grams, type InputOptions } from "./inputs.ts";
import type { Lesson, WithAdapters, WithBatches } from "../training/lesson.ts";
import { memory } from "../model/memory.ts";
import { networkOf } from "../model/model.ts";
import { suitsWhere } from "../training/suits.ts";
import type { TaskProjection } from "./projection.ts";

/** Bases by layer. */
export type Bases = ReadonlyMap<string, Basis>;

const place = memory<Bases>("bases", new Map());

/** The bases that a learner remembers, by layer; empty before the first. */
export const remembered = (learner: Pick<Learner, "memory">): Bases => place.of(learner);

/** The learner that remembers these bases instead. */
export const remember = (learner: Learner, bases: Bases): Learner => place.keep(learner, bases);

/** Options of {@link principalWeights}. */
export interface PrincipalWeightsOptions extends Omit<PrincipalOptions, "energy"> {
  readonly modules: LayerChoice["modules"];
  /** The share of each tower's weights that is protected; towers without one are left out. */
  readonly energy: Readonly<Record<string, number>>;
}

/** The basis of one layer's principal directions, in the space of its inputs. */
const principalOf = ({ name, in: width }: Layer, weights: Tensors, options: PrincipalOptions): E.Either<Failure, readonly [string, Basis]> =>
  pipe(
    principal(weights.get(`${name}.weight`)!, options),
    E.filterOrElse(
      ({ d }) => d === width,
      ({ d }): Failure => ({
        _tag: "BadOption",
        option: "side",
        detail: `is output, which fits square weights alone, and ${name} has ${width} inputs and ${d} outputs; side=input fits all (or give other modules)`,
      }),
    ),
    E.map((basis) => [name, basis] as const),
  );

/**
 * Protects the principal directions of the weights, once, before the first task (KeepLoRA's W_p, arXiv 2601.19659; METHODS.md B.3.1): the bases of layers that
 * have none yet. Fails with `BadMatrix` where a weight is not finite, and with `BadOption` where the output side of a weight is asked for that is not square.
 */
export const principalWeights = <L extends Lesson>({ modules, energy, ...options }: PrincipalWeightsOptions): TaskProjection<L, L> => ({
  scale: "task",
  name: "principalWeights",
  options: { modules, energy, ...options },
  suits: suitsWhere(({ model }) => void layersOf(networkOf(model), { modules, towers: Object.keys(energy) })),
  run: (lesson) => {
    const { learner } = lesson;
    const before = remembered(learner);
    const fresh = layersOf(networkOf(learner.model), { modules, towers: Object.keys(energy) }).filter(({ name }) => !before.has(name));
    return RTE.fromEither(
      pipe(
        fresh,
        E.traverseArray((layer) => principalOf(layer, learner.model.weights, { ...options, energy: energy[layer.tower] })),
        E.map((found) => ({ ...lesson, learner: remember(learner, new Map([...before, ...found])) })),
      ),
    );
  },
});

/**
 * What the energy of features is, by their Gram matrix G = Σ x xᵀ. `plain`: Σ ‖x‖², the trace of G, of which a direction has its eigenvalue (GPM, arXiv
 * 2103.09762). `squared`: ‖G‖², of which it has the square, so that a few large directions hold nearly all. It is the energy of G as a matrix, which InfLoRA's
 * code decomposes itself: outside of a basis M it is G − M Mᵀ G, on one side, and the first basis ends before the direction that would reach the share, but
 * has one (METHODS.md H).
 */
export type GramEnergy = "plain" | "squared";

/** The share of the features' energy that a basis is to hold after the task at a position of a stream of so many. */
export interface EnergyThreshold {
  readonly name: string;
  readonly options: unknown;
  readonly of: (position: number, tasks: number) => number;
  /** Default `plain`. */
  readonly energy?: GramEnergy;
}

/** One share for all tasks. */
export const share = (energy: number): EnergyThreshold => ({ name: "share", options: { energy }, of: () => energy });

/**
 * A share that grows from ε towards `last` over the tasks: ε + (last − ε) (t − 1)/T (InfLoRA's schedule; METHODS.md D.3).
 *
 * ```ts
 * assert.deepEqual([0, 1, 2, 3].map((task) => growing(0.8).of(task, 4)).map((x) => x.toFixed(2)), ["0.80", "0.85", "0.90", "0.95"]);
 * assert.equal(growing(0.95, 1, "squared").energy, "squared"); // As InfLoRA's code counts.
 * ```
 */
export const growing = (energy: number, last = 1, kind: GramEnergy = "plain"): EnergyThreshold => ({
  name: "growing",
  options: { energy, last, ...(kind === "plain" ? {} : { kind }) },
  energy: kind,
  of: (position, tasks) => energy + ((last - energy) * position) / tasks,
});

/** A basis that holds what is asked of a task's features, by their Gram matrix. */
const longer = (from: Basis, gram: Matrix, share: number, of: GramEnergy): E.Either<Failure, Basis> => {
  if (of === "squared" && from.columns.length === 0) return principal(gram, { energy: share, counting: "below" });
  const extend = of === "squared" ? extendByRows : extendByEnergy;
  return pipe(
    extend(from, gram, share),
    E.map(({ basis }) => basis),
  );
};

/** Bases that hold a share of the energy of a task's grams. Layers with the same basis and the same gram share the result. */
export const extended = (
  before: Bases,
  grams: Grams,
  { of, energy = "plain" }: EnergyThreshold,
  { position, stream }: Pick<Lesson, "position" | "stream">,
): E.Either<Failure, Bases> => {
  const share = of(position, stream.tasks.length);
  const done = new Map<Matrix, { readonly from: Basis | undefined; readonly to: Basis }[]>();
  return pipe(
    [...grams],
    E.traverseArray(([name, gram]) => {
      const from = before.get(name);
      const shared = (done.get(gram) ?? []).find((d) => d.from === from);
      if (shared !== undefined) return E.right([name, shared.to] as const);
      return pipe(
        longer(from ?? emptyBasis(gram.shape[0]), gram, share, energy),
        E.map((basis) => {
          done.set(gram, [...(done.get(gram) ?? []), { from, to: basis }]);
          return [name, basis] as const;
        }),
      );
    }),
    E.map((found) => new Map([...before, ...found])),
  );
};

/** Options of {@link featureBasis}. */
export interface FeatureBasisOptions extends InputOptions {
  readonly energy: EnergyThreshold;
}

/**
 * Extends the remembered bases by the dominant directions of the task's inputs under the learner's model, until they hold a share of their energy (KeepLoRA's
 * M_t, METHODS.md B.3.6; GPM, arXiv 2103.09762). Stands behind `merge`.
 */
export const featureBasis = <L extends Lesson & WithBatches>({ energy, ...inputs }: FeatureBasisOptions): TaskProjection<L, L> => ({
  scale: "task",
  name: "featureBasis",
  options: { ...describeInputs(inputs), energy: { [energy.name]: energy.options } },
  run: (lesson) =>
    pipe(
      inputGrams(lesson, inputs),
      RTE.chainEitherK((grams) => extended(remembered(lesson.learner), grams, energy, lesson)),
      RTE.map((bases) => ({ ...lesson, learner: remember(lesson.learner, bases) })),
    ),
});

/** Extends the remembered bases by the rows of every layer's A [r, in]: the input directions that the task's update acts on. */
export const rowSpan = <L extends Lesson & WithAdapters<"A">>(): TaskProjection<L, L> => ({
  scale: "task",
  name: "rowSpan",
  options: {},
  run: (lesson) => {
    const { learner, adapters } = lesson;
    const before = remembered(learner);
    const parts = unflatten(adapters.adapter.layouts(networkOf(learner.model)).A, adapters.values.A);
    const longer = [...parts].map(([name, { shape, data }]) => {
      const [count, d] = shape;
      const rows = Array.from({ length: count }, (_, i) => data.subarray(i * d, (i + 1) * d));
      return [name, extend(before.get(name) ?? emptyBasis(d), rows)] as const;
    });
    return RTE.of({ ...lesson, learner: remember(learner, new Map([...before, ...longer])) });
  },
});
