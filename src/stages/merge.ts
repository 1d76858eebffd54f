/** `merge`: folds what lives of the adapters into the base weights. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { firstNotFinite } from "../formats/hostTensor.ts";
import { trainableParameters, type Adapter, type GroupValues, type GroupViews, type Head } from "../model/adapters/adapter.ts";
import { bothUpdates, mergeUpdate, noUpdate } from "../model/adapters/update.ts";
import type { Outputs } from "../model/architecture.ts";
import { networkOf, outputsOf, type Model } from "../model/model.ts";
import type { Network } from "../model/network.ts";
import { frozenScope } from "../model/scope.ts";
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

/** Trained adapters under which a model is run. */
interface Worn<G extends string> {
  readonly adapter: Adapter<G, any>;
  readonly values: GroupValues<G>;
}

/** What a merge should leave as it was: of a decoder the log-likelihoods of the answers, else the unit features of every tower. */
const measuresOf = ({ architecture: { decoder } }: Model, net: Network, outputs: Outputs): Outputs =>
  decoder === undefined
    ? Object.fromEntries(Object.entries(net.towers).map(([tower, { output }]) => [tower, normalize(outputs[output])]))
    : { answers: outputs.logLikelihood };

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
    const scope = worn === undefined ? plain : worn.adapter.scope(net, plain, Object.fromEntries(groups) as GroupViews<G>);
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

/** A head with the rows of another below its own. */
const extendedHead = (head: Head | undefined, { rows, bias, ...rest }: Head): Head => ({
  ...rest,
  rows: Float32Array.from([...(head?.rows ?? []), ...rows]),
  bias: Float32Array.from([...(head?.bias ?? []), ...bias]),
});

const largestDifference = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
  a.reduce((worst, list, k) => list.reduce((w, x, i) => Math.max(w, Math.abs(x - b[k][i])), worst), 0);

/**
 * Merges the chosen components, adds the rows of a head to the learner's, and measures what the merge changed: the largest difference of a unit feature of the
 * first batch's images and texts before and after, or of the log-likelihood of a token of its answers. The weights are added in f64 and rounded once. Fails
 * with `NotFinite` when the merged model does not give finite numbers; the learner is then as it was.
 */
export const merge = <N extends string = never>(
  selection: Selection<N> = all as Selection<N>,
): TaskStage<Lesson & WithBatches & WithAdapters<N>, Lesson & WithBatches & Merged> =>
  taskStage("merge", { selection: selection.name }, (lesson) => (runtime) => {
    const { adapters, ...rest } = lesson;
    const { update: earlier = noUpdate } = rest as Partial<Merged>;
    const { learner, task, batches } = rest;
    const { adapter, values } = adapters;
    const { model } = learner;
    const net = networkOf(model);
    const chosen = selection.apply(adapter.layouts(net), values);
    const update = adapter.update(net, chosen);
    const merged: Model = mergeUpdate(model, update);
    return pipe(
      TE.Do,
      TE.bind("batch", () => batches.at(0)),
      TE.bind("before", ({ batch }) => measured(model, batches.shape, batch, { adapter, values: chosen }, runtime)),
      TE.bind("after", ({ batch }) => measured(merged, batches.shape, batch, undefined, runtime)),
      TE.mapLeft(withOption(model.weights, adapter)),
      TE.filterOrElse(
        ({ before, after }) => [...before, ...after].every((list) => firstNotFinite(list) < 0),
        (): Failure => ({ _tag: "NotFinite", what: `The model that has learned ${task.name}`, advice: "lower the learning rate or check the data" }),
      ),
      TE.map(({ before, after }) => {
        const head = adapter.head?.(net, values);
        return {
          ...rest,
          learner: { ...learner, model: merged, ...(head === undefined ? {} : { head: extendedHead(learner.head, head) }) },
          trained: { trainableParameters: trainableParameters(adapter, net), ranks: adapter.ranks(net, chosen) },
          mergeError: largestDifference(after, before),
          update: bothUpdates(earlier, update),
        };
      }),
    );
  });
