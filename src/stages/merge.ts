/** `merge`: folds what lives of the adapters into the base weights. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { firstNotFinite, type Tensors } from "../formats/hostTensor.ts";
import { trainableParameters, type Adapter, type GroupValues, type GroupViews } from "../model/adapters/adapter.ts";
import { extendedHead } from "../model/adapters/heads.ts";
import { bothUpdates, interpolatedUpdate, mergeUpdate, noUpdate } from "../model/adapters/update.ts";
import type { Outputs } from "../model/architecture.ts";
import { networkOf, outputsOf, type Model } from "../model/model.ts";
import type { Network } from "../model/network.ts";
import { originalScope, originalWeights, rememberOriginal } from "../model/original.ts";
import { frozenScope, interpolated, type Scope } from "../model/scope.ts";
import { all, type Selection } from "../subspace/selection.ts";
import { views, type Layout } from "../tensor/layout.ts";
import type { Leaves } from "../tensor/leaves.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import type { HostRecord } from "../tensor/replay.ts";
import { withSession } from "../tensor/session.ts";
import type { Lesson, Merged, WithAdapters, WithBatches } from "../training/lesson.ts";
import { withOption } from "../training/limits.ts";
import type { Runtime } from "../training/runtime.ts";
import type { BatchShape } from "../training/trainee.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** Weights between those before and after a task. */
export interface Interpolation {
  /** The share of the weights behind the task: 1 merges as without interpolation. */
  readonly alpha: number;
  /** What the rest is: the weights before the task, or those before the first task. Default `task`. */
  readonly with?: "task" | "original";
}

/** Options of {@link merge}. */
export interface MergeOptions {
  /** Merges into weights between those before the task, or the original ones, and those behind it (WiSE-FT, arXiv 2109.01903). */
  readonly interpolation?: Interpolation;
  /** Whether the learner remembers the weights before the first task, as far as tasks change them. Default: where weights are interpolated with them. */
  readonly keepOriginal?: boolean;
}

/** Trained adapters under which a model is run, and the weights towards which it is drawn. */
interface Worn<G extends string> {
  readonly adapter: Adapter<G, any>;
  readonly values: GroupValues<G>;
  readonly alpha: number;
  readonly anchor: Tensors;
}

/** What a merge should leave as it was: of a decoder the log-likelihoods of the answers, else the unit features of every tower. */
const measuresOf = ({ architecture: { decoder } }: Model, net: Network, outputs: Outputs): Outputs =>
  decoder === undefined
    ? Object.fromEntries(Object.entries(net.towers).map(([tower, { output }]) => [tower, normalize(outputs[output])]))
    : { answers: outputs.logLikelihood };

/** The scope of a model under adapters, drawn towards other weights where it is. */
const wornScope = <G extends string>({ adapter, alpha, anchor }: Worn<G>, net: Network, groups: GroupViews<G>, leaves: Leaves): Scope => {
  const full = adapter.scope(net, frozenScope(net, leaves.frozen), groups);
  return alpha === 1 ? full : interpolated(originalScope(net, anchor, leaves), full, alpha);
};

/** What is measured of a batch under a model as it is or with adapters on it. */
const measured = <G extends string>(
  model: Model,
  shape: BatchShape,
  batch: HostRecord,
  worn: Worn<G> | undefined,
  { device }: Runtime,
): TE.TaskEither<Failure, readonly Float32Array[]> => {
  const net = networkOf(model);
  const step = (leaves: Leaves) => {
    const plain = frozenScope(net, leaves.frozen);
    const groups = Object.entries<Layout>(worn?.adapter.layouts(net) ?? {}).map(
      ([name, layout]) => [name, views(layout, leaves.state(name, [layout.length]))] as const,
    );
    const scope = worn === undefined ? plain : wornScope(worn, net, Object.fromEntries(groups) as GroupViews<G>, leaves);
    const outputs = outputsOf(model, leaves, shape, scope);
    return E.right({ outputs: measuresOf(model, net, outputs) });
  };
  return withSession(device, step, { weights: model.weights, label: "merge" })((session) =>
    pipe(
      TE.fromEither(
        pipe(
          session.write(worn?.values ?? {}),
          E.chain(() => session.run(batch)),
        ),
      ),
      TE.chain(() => session.readAll(Object.keys(session.program.outputs))),
      TE.map((found) => Object.values(found)),
    ),
  );
};

const largestDifference = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
  a.reduce((worst, list, k) => list.reduce((w, x, i) => Math.max(w, Math.abs(x - b[k][i])), worst), 0);

/**
 * Merges the chosen components, adds the rows of a head to the learner's, and measures what the merge changed: the largest difference of a unit feature of the
 * first batch's images and texts before and after, or of the log-likelihood of a token of its answers. The weights are added in f64 and rounded once. Where
 * they are interpolated, what is measured before is of the same interpolation, computed with the adapters still beside the weights. Fails with `NotFinite` when
 * the merged model does not give finite numbers; the learner is then as it was.
 */
export const merge = <N extends string = never>(
  selection: Selection<N> = all as Selection<N>,
  options: MergeOptions = {},
): TaskStage<Lesson & WithBatches & WithAdapters<N>, Lesson & WithBatches & Merged> => ({
  ...taskStage<Lesson & WithBatches & WithAdapters<N>, Lesson & WithBatches & Merged>(
    "merge",
    { selection: selection.name, ...options },
    (lesson) => (runtime) => {
      const { adapters, ...rest } = lesson;
      const { update: earlier = noUpdate } = rest as Partial<Merged>;
      const { learner, task, batches } = rest;
      const { adapter, values } = adapters;
      const { model } = learner;
      const { interpolation: { alpha, with: drawn = "task" } = { alpha: 1 }, keepOriginal = alpha !== 1 && drawn === "original" } = options;
      const net = networkOf(model);
      const chosen = selection.apply(adapter.layouts(net), values);
      const anchor: Tensors = drawn === "original" ? originalWeights.of(learner) : new Map();
      const whole = adapter.update(net, chosen);
      const update = alpha === 1 ? whole : interpolatedUpdate(model, whole, alpha, anchor);
      const merged: Model = mergeUpdate(model, update);
      return pipe(
        TE.Do,
        TE.bind("batch", () => batches.at(0)),
        TE.bind("before", ({ batch }) => measured(model, batches.shape, batch, { adapter, values: chosen, alpha, anchor }, runtime)),
        TE.bind("after", ({ batch }) => measured(merged, batches.shape, batch, undefined, runtime)),
        TE.mapLeft(withOption(model.weights, adapter)),
        TE.filterOrElse(
          ({ before, after }) => [...before, ...after].every((list) => firstNotFinite(list) < 0),
          (): Failure => ({ _tag: "NotFinite", what: `The model that has learned ${task.name}`, advice: "lower the learning rate or check the data" }),
        ),
        TE.map(({ before, after }) => {
          const head = adapter.head?.(net, values);
          const next = { ...learner, model: merged, ...(head === undefined ? {} : { head: extendedHead(learner.head, head) }) };
          return {
            ...rest,
            learner: keepOriginal ? rememberOriginal(learner, next) : next,
            trained: { trainableParameters: trainableParameters(adapter, net), ranks: adapter.ranks(net, chosen) },
            mergeError: largestDifference(after, before),
            update: bothUpdates(earlier, update),
          };
        }),
      );
    },
  ),
  // Towards the weights before the first task, all that earlier tasks have merged is drawn back: that is no update of this task's rank.
  ...(options.interpolation?.with === "original" ? { fullRank: true } : {}),
});
