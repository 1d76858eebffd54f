/** One step of a training, traced. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import type { HostTensor } from "../formats/hostTensor.ts";
import type { Adapter, GroupViews } from "../model/adapters/adapter.ts";
import { readoutOf, type Outputs } from "../model/architecture.ts";
import { networkOf, outputsOf, type Model } from "../model/model.ts";
import { originalScope, originalWeights } from "../model/original.ts";
import { wholeBatch, type Part } from "../model/part.ts";
import { frozenScope, type Scope } from "../model/scope.ts";
import { views, type Layout } from "../tensor/layout.ts";
import { leafBook } from "../tensor/leaves.ts";
import { add } from "../tensor/ops/elementwise.ts";
import { trace, type Program, type Recompute } from "../tensor/program.ts";
import { pack, type Tensor } from "../tensor/tensor.ts";
import { inputOfPart, inputOfReference, partsBeside } from "./parts.ts";
import type { Length, PerTask } from "./schedule.ts";
import { recorder, type Recorder, type Tracing, type TracingOptions } from "./tracing.ts";
import type { BatchShape, Group, Groups, Trainee, TrainingBatches } from "./trainee.ts";

/** The steps of a training, and how many: the arrow of one, from the trainee before it to the trainee after it. */
export interface Steps<N extends string = never> {
  readonly count: PerTask<Length>;
  readonly step: { readonly run: (trainee: Trainee) => (tracing: Tracing) => E.Either<Failure, Trainee>; readonly needs?: N };
}

/** Decorates the scope of the plain model, on which adapters stand. */
export type Base = (plain: Scope, tracing: Tracing) => Scope;

/** What {@link traceStep} writes down. */
export interface StepOptions<G extends string> extends TracingOptions {
  readonly model: Pick<Model, "architecture" | "config" | "weights">;
  readonly adapter: Adapter<G, any>;
  readonly step: Steps<any>["step"];
  readonly batch: BatchShape;
  /** The parts in which the batch is computed, one after the other. Default: all of it at once. */
  readonly parts?: readonly Part[];
  /** The batches of reference pictures beside the batch, where there are some. */
  readonly reference?: TrainingBatches["reference"];
  /** The model under the adapters, where it is more than its weights. */
  readonly base?: Base;
  /** What of the forward pass is computed again for the backward pass. Default: what costs little. */
  readonly recompute?: Recompute;
}

/** A group with what was tallied in the step added to its entries. */
const withTallies = (name: string, { layout: { entries, length }, flat, views: parts }: Group, tracing: Tracing): Tensor => {
  if (entries.every((e) => tracing.tallied(name, e.name) === undefined)) return flat;
  const sums = entries.map((e) => {
    const [before, added] = [parts.get(e.name)!, tracing.tallied(name, e.name)];
    return added === undefined ? before : add(before, added);
  });
  return pack(
    sums,
    entries.map((e) => e.offset),
    length,
  );
};

/** The trainee before a step: its groups are the flat tensors that `flatOf` gives. */
export const traineeOf = <G extends string>(
  { model, adapter, batch, base, parts = [wholeBatch(batch)], reference }: Pick<StepOptions<G>, "model" | "adapter" | "batch" | "base" | "parts" | "reference">,
  tracing: Tracing,
  flatOf: (name: G, layout: Layout) => Tensor,
): Trainee => {
  const network = networkOf(model);
  const groups = Object.fromEntries(
    Object.entries<Layout>(adapter.layouts(network)).map(([name, layout]): [string, Group] => {
      const flat = flatOf(name as G, layout);
      return [name, { layout, flat, views: views(layout, flat) }];
    }),
  );
  const viewsOf = (all: Groups): GroupViews<G> => Object.fromEntries(Object.entries(all).map(([name, group]) => [name, group.views])) as GroupViews<G>;
  const plain = frozenScope(network, tracing.frozen);
  const under = base?.(plain, tracing) ?? plain;
  const original = originalScope(network, originalWeights.of(tracing), tracing);
  const { logits } = adapter;
  /** The trainee on batches of one kind, whose inputs have names of their own. */
  const on = (of: Pick<Trainee, "batch" | "parts">, named: (name: string) => string): Trainee => {
    const input: Trainee["input"] = (part, name, spec) => tracing.input(named(inputOfPart(part, name)), spec);
    const through = (scope: Scope, part: Part, given?: Outputs): Outputs =>
      outputsOf(model, { ...tracing, input: (name, spec) => input(part, name, spec) }, part.size, scope, undefined, given);
    return {
      ...of,
      groups,
      trained: adapter.trained,
      state: {},
      network,
      forward: {},
      input,
      outputs: (all, forward, part, given) => through(adapter.scope(network, under, viewsOf(all), forward), part, given),
      before: (part, given) => through(under, part, given),
      original: (part, given) => through(original, part, given),
      ...(logits === undefined
        ? {}
        : {
            headLogits: (all, outputs) =>
              logits(viewsOf(all), outputs[readoutOf(model.architecture).features], "logits" in outputs ? outputs.logits : undefined),
          }),
    };
  };
  const own = on({ batch, parts }, (name) => name);
  if (reference === undefined) return own;
  const beside = { batch: reference.shape, parts: partsBeside(reference, parts.length).parts };
  return { ...own, reference: on(beside, inputOfReference) };
};

/** A traced step, and the host's part in it. */
export interface TracedStep {
  readonly program: Program;
  readonly recorder: Recorder;
  /** Tensors that stages bring along. */
  readonly constants: ReadonlyMap<string, HostTensor>;
}

/** Traces one step of a training; what no stage changed keeps its value. Fails with `ShapeMismatch`. */
export const traceStep = <G extends string>(options: StepOptions<G>): E.Either<Failure, TracedStep> => {
  const leaves = leafBook();
  const noted = recorder(leaves, options);
  const { tracing, records } = noted;
  const traced = trace({}, () => {
    const start = traineeOf(options, tracing, (name, { length }) => tracing.state(name, [length]));
    return pipe(
      options.step.run(start)(tracing),
      E.map((after) => {
        const flats = Object.entries(after.groups).map(([name, group]) => [name, withTallies(name, group, tracing)] as const);
        const changed = flats.filter(([name, flat]) => flat !== start.groups[name].flat);
        const state = { ...Object.fromEntries(changed), ...after.state };
        return { state: tracing.lossScale?.settled(state) ?? state, outputs: Object.fromEntries(records) };
      }),
    );
  });
  return pipe(
    traced,
    E.map((program) => ({ program: { ...program, recompute: options.recompute }, recorder: noted, constants: leaves.constants })),
  );
};
