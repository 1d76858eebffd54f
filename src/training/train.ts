/**
 * Runs a step many times: traces it once, binds it to the device, and replays it on batches.
 *
 * The state between two steps is data (parameters, moments, the number of steps done), so a training that was stopped and resumed from
 * it ends with the same bits as one that was not.
 */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Adapter, GroupValues, GroupViews } from "../model/adapters/adapter.ts";
import type { ModelConfig } from "../model/config.ts";
import { parameters } from "../model/parameters.ts";
import { plainScope, type Scope } from "../model/transformer.ts";
import type { Tensors as HostTensors } from "../formats/hostTensor.ts";
import { bind, type Executable, type HostRecord } from "../tensor/executable.ts";
import { views, type Layout } from "../tensor/layout.ts";
import { trace, type Program } from "../tensor/program.ts";
import { add } from "../tensor/ops/elementwise.ts";
import { pack, type Tensor } from "../tensor/tensor.ts";
import type { Runtime } from "./runtime.ts";
import type { Steps } from "../stages/steps.ts";
import { recorder, type Recorder, type Tracing } from "./tracing.ts";
import type { BatchShape, Group, Trainee, TrainingBatches } from "./trainee.ts";

/** The state of a training between two steps. */
export interface Training<G extends string> {
  readonly step: number;
  readonly values: GroupValues<G>;
  /** Optimiser state by name, empty before the first step. */
  readonly moments: Readonly<Record<string, Float32Array>>;
}

/** What is trained, how, and on what. */
export interface TrainOptions<G extends string> {
  readonly config: ModelConfig;
  readonly weights: HostTensors;
  readonly adapter: Adapter<G, any>;
  readonly steps: Steps<any>;
  readonly batches: TrainingBatches;
  /** The model under the adapters, where it is more than its weights. */
  readonly base?: Base;
  /** Of what is random in the steps. Default: the runtime's. */
  readonly seed?: number;
  /** The position of the task in its stream. Default 0. */
  readonly position?: number;
  /** What the learner remembers of earlier tasks. Default: nothing. */
  readonly memory?: Tracing["memory"];
  /** Where to start from. */
  readonly from: Training<G>;
  /** Called with the recorded numbers of every step, in order, some steps at a time. */
  readonly onSteps?: (first: number, losses: readonly Readonly<Record<string, number>>[]) => void;
  /** Called with the whole state every so many steps. */
  readonly checkpoint?: { readonly every: number; readonly save: (training: Training<G>) => TE.TaskEither<Failure, void> };
  /** Ends the loop before so many steps are done. */
  readonly until?: number;
}

/** A traced step, and the host's part in it. */
export interface TracedStep {
  readonly program: Program;
  readonly recorder: Recorder;
}

/** Decorates the scope of the plain model, on which adapters stand. */
export type Base = (plain: Scope, tracing: Tracing) => Scope;

/** What {@link traceStep} writes down. */
export interface StepOptions<G extends string> extends Pick<TrainOptions<G>, "config" | "adapter" | "steps" | "base" | "seed" | "position" | "memory"> {
  readonly batch: BatchShape;
  /** Steps in all; the steps' own count where that is a number. */
  readonly count: number;
}

/** A group with what was tallied in the step added to its entries. */
const settled = (name: string, { layout, flat, views: parts }: Group, tracing: Tracing): Tensor => {
  const { entries, length }: Layout = layout;
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

/** Traces one step of a training. Fails with `ShapeMismatch`. */
export const traceStep = <G extends string>(options: StepOptions<G>): E.Either<Failure, TracedStep> => {
  const { config, adapter, steps, base, batch, count, seed, position, memory } = options;
  const noted = recorder({ config, steps: count, seed, position, memory });
  const { tracing } = noted;
  const shapes = parameters(config);
  const traced = trace({}, () => {
    const layouts = adapter.layouts(config);
    const names = Object.keys(layouts) as G[];
    const groups = Object.fromEntries(
      names.map((name): [string, Group] => {
        const flat = tracing.state(name, [layouts[name].length]);
        return [name, { layout: layouts[name], flat, views: views(layouts[name], flat) }];
      }),
    ) as Record<G, Group>;
    const byName = Object.fromEntries(names.map((name) => [name, groups[name].views])) as GroupViews<G>;
    const plain = plainScope((name) => tracing.frozen(name, shapes.get(name)!));
    const under = base?.(plain, tracing) ?? plain;
    const { logits } = adapter;
    const trainee: Trainee = {
      groups,
      trained: adapter.trained,
      state: {},
      batch,
      forward: {},
      scope: (forward) => adapter.scope(config, under, byName, forward),
      logits: logits === undefined ? undefined : (features, own) => logits(byName, features, own),
    };
    const after = steps.step.run(trainee)(tracing);
    return E.map((result: Trainee) => {
      const flats = names.map((name) => [name, settled(name, result.groups[name], tracing)] as const);
      return {
        // What no stage changed needs no new value.
        state: { ...Object.fromEntries(flats.filter(([name, flat]) => flat !== groups[name].flat)), ...result.state },
        outputs: Object.fromEntries(noted.records),
      };
    })(after);
  });
  return E.isLeft(traced) ? traced : E.right({ program: traced.right, recorder: noted });
};

const hypersAt = ({ hypers }: Recorder, step: number): HostRecord =>
  Object.fromEntries([...hypers].map(([name, at]) => [name, Float32Array.from(at, (schedule) => schedule(step))]));

/** Runs between two reads of what was recorded: often enough to see a run go on, seldom enough not to wait. */
const drainEvery = 10;

/** The state on the device; groups that no step changes are as they were. */
const stateOf = async <G extends string>(
  exe: Executable,
  changed: readonly string[],
  from: Training<G>,
  step: number,
): Promise<E.Either<Failure, Training<G>>> => {
  const read: Record<string, Float32Array> = {};
  for (const name of changed) {
    const value = await exe.read(name)();
    if (E.isLeft(value)) return value;
    read[name] = value.right;
  }
  const split = (own: boolean): Record<string, Float32Array> => Object.fromEntries(Object.entries(read).filter(([name]) => name in from.values === own));
  return E.right({ step, values: { ...from.values, ...split(true) }, moments: split(false) });
};

/** Trains from a state to the end of the steps. Fails with `NotFinite` when a loss is not a number, and `Interrupted` on request. */
export const train =
  <G extends string>(options: TrainOptions<G>): ((runtime: Runtime) => TE.TaskEither<Failure, Training<G>>) =>
  (runtime) =>
  async () => {
    const { weights, steps, batches, from, onSteps, checkpoint } = options;
    const count = typeof steps.count === "number" ? steps.count : batches.steps;
    const traced = traceStep({ ...options, batch: batches.shape, count, seed: options.seed ?? runtime.seed });
    if (E.isLeft(traced)) return traced;
    const { program, recorder: noted } = traced.right;
    const records = [...noted.records.keys()];
    const made = await bind(runtime.device, program, [...weights, ...noted.constants], records)();
    if (E.isLeft(made)) return made;
    const exe = made.right;
    try {
      const changed = Object.keys(program.state);
      // A batch may hold more than this step reads, the other direction's targets, say; and an adapter more than its steps use.
      const used = (role: "input" | "state", values: HostRecord): HostRecord => {
        const names = new Set(program.leaves.filter((l) => l.role === role).map((l) => l.name));
        return Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
      };
      const written = exe.write("state", used("state", { ...from.values, ...from.moments }));
      if (E.isLeft(written)) return written;
      const until = Math.min(count, options.until ?? count);
      let drained = from.step;
      const drain = async (done: number): Promise<E.Either<Failure, void>> => {
        const values: Record<string, Float32Array> = {};
        for (const name of records) {
          const value = await exe.recorded(name)();
          if (E.isLeft(value)) return value;
          values[name] = value.right;
        }
        const rows = Array.from({ length: done - drained }, (_, i) => Object.fromEntries(records.map((name) => [name, values[name][i]])));
        const bad = rows.findIndex((row) => !Number.isFinite(row.loss ?? 0));
        onSteps?.(drained, rows);
        if (bad >= 0) return E.left({ _tag: "NotFinite", what: "The loss", step: drained + bad });
        drained = done;
        return E.right(undefined);
      };
      let next = from.step < until ? batches.at(from.step)() : undefined;
      for (let step = from.step; step < until; step++) {
        if (runtime.signal?.aborted) return E.left({ _tag: "Interrupted" });
        const batch = await next!;
        if (E.isLeft(batch)) return batch;
        const ran = exe.run({ ...hypersAt(noted, step), ...used("input", batch.right) });
        if (E.isLeft(ran)) return ran;
        // The next batch is prepared while the device works on this one.
        next = step + 1 < until ? batches.at(step + 1)() : undefined;
        const saving = checkpoint !== undefined && (step + 1) % checkpoint.every === 0 && step + 1 < until;
        if (saving || step + 1 === until || (step + 1 - from.step) % drainEvery === 0) {
          const ok = await drain(step + 1);
          if (E.isLeft(ok)) return ok;
        }
        if (saving) {
          const state = await stateOf(exe, changed, from, step + 1);
          const saved = E.isLeft(state) ? state : await checkpoint.save(state.right)();
          if (E.isLeft(saved)) return saved;
        }
      }
      return await stateOf(exe, changed, from, until);
    } finally {
      exe.release();
    }
  };
