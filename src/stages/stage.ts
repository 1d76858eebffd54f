/**
 * The one arrow of Cambium.
 *
 * ```ts
 * interface Stage<F, R, A, B, N> { readonly name; readonly options; readonly parts; readonly run: (a: A) => Kind3<F, R, Failure, B> }
 * ```
 *
 * A stage is a named, pure arrow into an effect. Two effects are used: `ReaderEither<Tracing, Failure, _>` at the scale of a step, where
 * running means writing down a program, and `ReaderTaskEither<Runtime, Failure, _>` at the scale of a task and of a stream.
 * Composition is Kleisli composition in either; {@link identity} is its unit, and it is associative, in what it does and in what it says
 * of itself ({@link manifest}).
 */
import type { Kind3, URIS3 } from "fp-ts/HKT.js";
import type { Monad3 } from "fp-ts/lib/Monad.js";
import * as RE from "fp-ts/lib/ReaderEither.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import type { Runtime } from "../training/runtime.ts";
import type { Tracing } from "../training/tracing.ts";

/** What a stage says of itself: its name, its options, and its parts if it is a composition. */
export interface Manifest {
  readonly name: string;
  readonly options?: unknown;
  readonly parts?: readonly Manifest[];
}

/**
 * An arrow from `A` to `B`. `N` names what it needs beyond its input type: the parameter groups that an adapter must have
 * (`"gate"` for a stage that selects ranks by gates), so that a composition that cannot work does not type-check.
 */
export interface Stage<F extends URIS3, R, A, B, N extends string = never> {
  readonly name: string;
  readonly options: unknown;
  /** The stages it was composed from; empty for an atom, which stands for itself. */
  readonly parts: readonly Manifest[];
  readonly run: (a: A) => Kind3<F, R, Failure, B>;
  /** Never present; carries `N` in the type. */
  readonly needs?: N;
}

/** An arrow at the scale of a step. */
export type StepStage<A, B, N extends string = never> = Stage<RE.URI, Tracing, A, B, N>;
/** An arrow at the scale of a task or a stream. */
export type TaskStage<A, B, N extends string = never> = Stage<RTE.URI, Runtime, A, B, N>;

const partsOf = (stage: Manifest & { readonly parts: readonly Manifest[] }): readonly Manifest[] =>
  stage.name === "" ? stage.parts : [{ name: stage.name, options: stage.options, ...(stage.parts.length > 0 ? { parts: stage.parts } : {}) }];

/**
 * The self-description of a stage: plain data, the manifest of a run.
 *
 * ```ts
 * const both = task.compose(encode({ steps: 3 }), evaluate());
 * assert.deepEqual(manifest(both).parts?.map((part) => part.name), ["encode", "evaluate"]);
 * assert.deepEqual(manifest(task.compose(both, task.identity())), manifest(both));
 * ```
 */
export const manifest = (stage: Manifest & { readonly parts: readonly Manifest[] }): Manifest => {
  const parts = partsOf(stage);
  return parts.length === 1 ? parts[0] : { name: "", parts };
};

/** Composition in one effect. Anonymous compositions are flat: their parts are listed, not nested. */
export interface Composition<F extends URIS3, R> {
  readonly identity: <A>() => Stage<F, R, A, A>;
  readonly compose: <A, B, C, N extends string, M extends string>(ab: Stage<F, R, A, B, N>, bc: Stage<F, R, B, C, M>) => Stage<F, R, A, C, N | M>;
  readonly pipeline: Pipeline<F, R>;
}

/** Composes up to eight stages from left to right. */
export interface Pipeline<F extends URIS3, R> {
  <A, B, N extends string>(ab: Stage<F, R, A, B, N>): Stage<F, R, A, B, N>;
  <A, B, C, N extends string, M extends string>(ab: Stage<F, R, A, B, N>, bc: Stage<F, R, B, C, M>): Stage<F, R, A, C, N | M>;
  <A, B, C, D, N extends string, M extends string, O extends string>(
    ab: Stage<F, R, A, B, N>,
    bc: Stage<F, R, B, C, M>,
    cd: Stage<F, R, C, D, O>,
  ): Stage<F, R, A, D, N | M | O>;
  <A, B, C, D, E, N extends string, M extends string, O extends string, P extends string>(
    ab: Stage<F, R, A, B, N>,
    bc: Stage<F, R, B, C, M>,
    cd: Stage<F, R, C, D, O>,
    de: Stage<F, R, D, E, P>,
  ): Stage<F, R, A, E, N | M | O | P>;
  <A, B, C, D, E, G, N extends string, M extends string, O extends string, P extends string, Q extends string>(
    ab: Stage<F, R, A, B, N>,
    bc: Stage<F, R, B, C, M>,
    cd: Stage<F, R, C, D, O>,
    de: Stage<F, R, D, E, P>,
    eg: Stage<F, R, E, G, Q>,
  ): Stage<F, R, A, G, N | M | O | P | Q>;
  <A, B, C, D, E, G, H, N extends string, M extends string, O extends string, P extends string, Q extends string, S extends string>(
    ab: Stage<F, R, A, B, N>,
    bc: Stage<F, R, B, C, M>,
    cd: Stage<F, R, C, D, O>,
    de: Stage<F, R, D, E, P>,
    eg: Stage<F, R, E, G, Q>,
    gh: Stage<F, R, G, H, S>,
  ): Stage<F, R, A, H, N | M | O | P | Q | S>;
  <A, B, C, D, E, G, H, I, N extends string, M extends string, O extends string, P extends string, Q extends string, S extends string, T extends string>(
    ab: Stage<F, R, A, B, N>,
    bc: Stage<F, R, B, C, M>,
    cd: Stage<F, R, C, D, O>,
    de: Stage<F, R, D, E, P>,
    eg: Stage<F, R, E, G, Q>,
    gh: Stage<F, R, G, H, S>,
    hi: Stage<F, R, H, I, T>,
  ): Stage<F, R, A, I, N | M | O | P | Q | S | T>;
  <
    A,
    B,
    C,
    D,
    E,
    G,
    H,
    I,
    J,
    N extends string,
    M extends string,
    O extends string,
    P extends string,
    Q extends string,
    S extends string,
    T extends string,
    U extends string,
  >(
    ab: Stage<F, R, A, B, N>,
    bc: Stage<F, R, B, C, M>,
    cd: Stage<F, R, C, D, O>,
    de: Stage<F, R, D, E, P>,
    eg: Stage<F, R, E, G, Q>,
    gh: Stage<F, R, G, H, S>,
    hi: Stage<F, R, H, I, T>,
    ij: Stage<F, R, I, J, U>,
  ): Stage<F, R, A, J, N | M | O | P | Q | S | T | U>;
}

const composition = <F extends URIS3, R>(M: Monad3<F>): Composition<F, R> => {
  type Any = Stage<F, R, any, any, any>;
  const identity = <A>(): Stage<F, R, A, A> => ({ name: "", options: undefined, parts: [], run: (a) => M.of(a) });
  const compose = (first: Any, second: Any): Any => ({
    name: "",
    options: undefined,
    parts: [...partsOf(first), ...partsOf(second)],
    run: (a) => M.chain(first.run(a), second.run),
  });
  const pipeline = (...stages: readonly Any[]): Any => (stages.length === 1 ? stages[0] : stages.reduce(compose, identity()));
  return { identity, compose, pipeline: pipeline as Pipeline<F, R> } as Composition<F, R>;
};

/** Composition at the scale of a step. */
export const step: Composition<RE.URI, Tracing> = composition<RE.URI, Tracing>(RE.Monad);
/** Composition at the scale of a task and of a stream. */
export const task: Composition<RTE.URI, Runtime> = composition<RTE.URI, Runtime>(RTE.Monad);

/**
 * Gives a composition a name of its own: it becomes one part of what it is composed into.
 *
 * ```ts
 * const scored = named("scored", { templates: 1 }, task.compose(evaluate(), evaluate()));
 * assert.equal(manifest(task.compose(encode({ steps: 1 }), scored)).parts?.[1].name, "scored");
 * ```
 */
export const named = <F extends URIS3, R, A, B, N extends string>(name: string, options: unknown, stage: Stage<F, R, A, B, N>): Stage<F, R, A, B, N> => ({
  name,
  options,
  parts: partsOf(stage),
  run: stage.run,
});

/** A stage at the scale of a step, from a function of the tracing environment. */
export const stepStage = <A, B, N extends string = never>(name: string, options: unknown, run: (a: A, tracing: Tracing) => B): StepStage<A, B, N> => ({
  name,
  options,
  parts: [],
  run: (a) => (tracing) => ({ _tag: "Right", right: run(a, tracing) }),
});

/** A stage at the scale of a task. */
export const taskStage = <A, B>(name: string, options: unknown, run: (a: A) => RTE.ReaderTaskEither<Runtime, Failure, B>): TaskStage<A, B> => ({
  name,
  options,
  parts: [],
  run,
});
