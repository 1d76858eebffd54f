/**
 * The one arrow of Cambium.
 *
 * ```ts
 * interface Stage<S, A, B, N> { readonly scale: S; readonly name: string; readonly options: unknown; readonly parts: …; readonly run: (a: A) => Effects<B>[S] }
 * ```
 *
 * A stage is a named, pure arrow into an effect. There are two effects: `ReaderEither<Tracing, Failure, _>` at the scale of a step, where
 * running means writing down a program, and `ReaderTaskEither<Runtime, Failure, _>` at the scale of a task and of a stream.
 * Composition is Kleisli composition in either; {@link identity} is its unit, and it is associative, in what it does and in what it says
 * of itself ({@link manifest}).
 */
import * as E from "fp-ts/lib/Either.js";
import * as RE from "fp-ts/lib/ReaderEither.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import { withShapeFailures } from "../tensor/shapeFailures.ts";
import type { Runtime } from "../training/runtime.ts";
import type { Suits } from "../training/suits.ts";
import type { Tracing } from "../training/tracing.ts";
import type { Inference } from "./inference.ts";

/** The effect in which an arrow runs, at each scale. */
export interface Effects<B> {
  readonly step: RE.ReaderEither<Tracing, Failure, B>;
  readonly task: RTE.ReaderTaskEither<Runtime, Failure, B>;
}

/** `step`: one step of training. `task`: one task, or a stream of them. */
export type Scale = keyof Effects<unknown>;

/** What a stage says of itself: its name, its options, and its parts if it is a composition. */
export interface Manifest {
  readonly name: string;
  readonly options?: unknown;
  readonly parts?: readonly Manifest[];
}

/** A stage as far as it describes itself. */
type Described = Manifest & { readonly parts: readonly Manifest[] };

/**
 * An arrow from `A` to `B` at the scale `S`. `N` names what it needs beyond its input type, such as the parameter groups that an adapter must have
 * (`"gate"` for a stage that selects ranks by gates), so that a composition that cannot work does not type-check.
 */
export interface Stage<S extends Scale, A, B, N extends string = never> {
  readonly scale: S;
  readonly name: string;
  readonly options: unknown;
  /** The stages it was composed from; empty for an atom, which stands for itself. */
  readonly parts: readonly Manifest[];
  readonly run: (a: A) => Effects<B>[S];
  /** What its last `evaluate` runs the learner through: whoever asks the learner later has to do the same. */
  readonly inference?: Inference;
  /** Why what it trains cannot compute a batch in parts, as a phrase; undefined where it can. */
  readonly undivided?: string;
  /** True where it changes weights by updates of any rank, which no LoRA adapter can say. */
  readonly fullRank?: boolean;
  /** Whether it distils on reference pictures: those of the stream, or the task's own where it has none. Default: it does not. */
  readonly reference?: boolean;
  /** Whether a model is one for it; asked before anything runs. Default: every model is. */
  readonly suits?: Suits;
  /** Never present; carries `N` in the type. */
  readonly needs?: N;
}

/** An arrow at the scale of a step. */
export type StepStage<A, B, N extends string = never> = Stage<"step", A, B, N>;
/** An arrow at the scale of a task or a stream. */
export type TaskStage<A, B, N extends string = never> = Stage<"task", A, B, N>;

/** A stage of whatever types, where they have been checked already. */
type AnyStage = Stage<any, any, any, any>;

const partsOf = (stage: Described): readonly Manifest[] =>
  stage.name === "" ? stage.parts : [{ name: stage.name, options: stage.options, ...(stage.parts.length > 0 ? { parts: stage.parts } : {}) }];

/**
 * The self-description of a stage: plain data, the manifest of a run.
 *
 * ```ts
 * const both = pipeline(stage.encode({ steps: 3 }), stage.evaluate());
 * assert.deepEqual(manifest(both).parts?.map((part) => part.name), ["encode", "evaluate"]);
 * assert.deepEqual(manifest(pipeline(both, identity("task"))), manifest(both));
 * ```
 */
export const manifest = (stage: Described): Manifest => {
  const parts = partsOf(stage);
  return parts.length === 1 ? parts[0] : { name: "", parts };
};

/** The arrow that does nothing, at a scale: the unit of composition. */
export const identity = <S extends Scale, A>(scale: S): Stage<S, A, A> => ({
  scale,
  name: "",
  options: undefined,
  parts: [],
  run: (a) => (scale === "step" ? RE.of(a) : RTE.of(a)) as Effects<A>[S],
});

/**
 * What a composition has of its stages: the inference of the last that has one, why the first that cannot compute a batch in parts does not, whether one of
 * them makes updates of any rank or distils on reference pictures, and what all of them need of a model.
 */
export const inherited = (...stages: readonly AnyStage[]): Pick<AnyStage, "inference" | "undivided" | "fullRank" | "reference" | "suits"> => {
  const inference = stages.findLast((stage) => stage.inference !== undefined)?.inference;
  const undivided = stages.find((stage) => stage.undivided !== undefined)?.undivided;
  const needing = stages.flatMap(({ suits }) => suits ?? []);
  const suits: Suits = (learner, stream) => E.asUnit(E.traverseArray((one: Suits) => one(learner, stream))(needing));
  return {
    ...(inference === undefined ? {} : { inference }),
    ...(undivided === undefined ? {} : { undivided }),
    ...(stages.some(({ fullRank }) => fullRank) ? { fullRank: true } : {}),
    ...(stages.some(({ reference }) => reference) ? { reference: true } : {}),
    ...(needing.length === 0 ? {} : { suits }),
  };
};

/** Runs one stage and then another, at the scale of both. Anonymous compositions are flat: their parts are listed, not nested. */
export const compose = <S extends Scale, A, B, C, N extends string, M extends string>(
  first: Stage<S, A, B, N>,
  second: Stage<NoInfer<S>, B, C, M>,
): Stage<S, A, C, N | M> => {
  const [f, g]: readonly AnyStage[] = [first, second];
  return {
    scale: first.scale,
    name: "",
    options: undefined,
    parts: [...partsOf(first), ...partsOf(second)],
    run: (a) => (first.scale === "step" ? RE.Monad.chain(f.run(a), g.run) : RTE.Monad.chain(f.run(a), g.run)) as Effects<C>[S],
    ...inherited(f, g),
  };
};

/** The composition of stages that fit; those that are not given are passed over. */
const composed = (first: AnyStage, others: readonly (AnyStage | undefined)[]): AnyStage =>
  others.reduce<AnyStage>((f, g) => (g === undefined ? f : compose(f, g)), first);

/** The stages of `Rest` as they have to be behind one that gives `A`. */
export type Behind<S extends Scale, A, Rest> = Rest extends readonly [Stage<S, any, infer B, infer N>, ...infer Others]
  ? readonly [Stage<S, A, B, N>, ...Behind<S, B, Others>]
  : readonly [];

/** What the last of several stages gives; `A` where there is none. */
export type LastOutput<A, Rest> = Rest extends readonly [...unknown[], Stage<any, any, infer B, any>] ? B : A;

/** What stages need beyond their input types, of one or of all in a union. */
export type NeedsOf<T> = T extends Stage<any, any, any, infer N> ? N : never;

/**
 * Composes any number of stages from left to right, at the scale of a step or of a task. The type checker reads the first ten one after the other, so that a
 * function in one of them, such as the adapters of `adapt`, knows the lesson that reaches it; behind those its parameters need a type, or a pipeline of their
 * own: a pipeline is a stage.
 *
 * ```ts
 * assert.equal(manifest(pipeline(stage.encode({ steps: 3 }), stage.evaluate())).parts?.length, 2);
 * ```
 */
export const pipeline = <
  S extends Scale,
  A,
  B,
  C = B,
  D = C,
  E = D,
  F = E,
  G = F,
  H = G,
  I = H,
  J = I,
  K = J,
  N extends string = never,
  Rest extends readonly Stage<S, any, any, any>[] = readonly [],
>(
  first: Stage<S, A, B, N>,
  second?: Stage<NoInfer<S>, B, C, N>,
  third?: Stage<NoInfer<S>, C, D, N>,
  fourth?: Stage<NoInfer<S>, D, E, N>,
  fifth?: Stage<NoInfer<S>, E, F, N>,
  sixth?: Stage<NoInfer<S>, F, G, N>,
  seventh?: Stage<NoInfer<S>, G, H, N>,
  eighth?: Stage<NoInfer<S>, H, I, N>,
  ninth?: Stage<NoInfer<S>, I, J, N>,
  tenth?: Stage<NoInfer<S>, J, K, N>,
  ...rest: Rest & Behind<S, K, Rest>
): Stage<S, A, NoInfer<LastOutput<K, Rest>>, N | NeedsOf<Rest[number]>> =>
  composed(first, [second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, ...rest]);

/**
 * Gives a composition a name of its own: it becomes one part of what it is composed into.
 *
 * ```ts
 * const scored = named("scored", { templates: 1 }, pipeline(stage.evaluate(), stage.evaluate()));
 * assert.equal(manifest(pipeline(stage.encode({ steps: 1 }), scored)).parts?.[1].name, "scored");
 * ```
 */
export const named = <S extends Scale, A, B, N extends string>(name: string, options: unknown, stage: Stage<S, A, B, N>): Stage<S, A, B, N> => ({
  scale: stage.scale,
  name,
  options,
  parts: partsOf(stage),
  run: stage.run,
  ...inherited(stage),
});

/** A stage at the scale of a step, from a function of the tracing environment. */
export const stepStage = <A, B, N extends string = never>(name: string, options: unknown, run: (a: A, tracing: Tracing) => B): StepStage<A, B, N> => ({
  scale: "step",
  name,
  options,
  parts: [],
  run: (a) => (tracing) => ({ _tag: "Right", right: run(a, tracing) }),
});

/** A stage at the scale of a task. A layer, a tower or an output that the model's network lacks makes it fail with `ShapeMismatch`. */
export const taskStage = <A, B, N extends string = never>(
  name: string,
  options: unknown,
  run: (a: A) => RTE.ReaderTaskEither<Runtime, Failure, B>,
): TaskStage<A, B, N> => ({ scale: "task", name, options, parts: [], run: (a) => (runtime) => withShapeFailures(() => run(a)(runtime)) });
