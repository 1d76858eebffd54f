/**
 * Runs a step many times: traces it once, binds it to the device, and replays it on batches.
 *
 * The state between two steps is data (parameters, moments, the number of steps done), so a training that was stopped and resumed from
 * it ends with the same bits as one that was not.
 */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Adapter, GroupValues } from "../model/adapters.ts";
import type { ClipConfig } from "../model/config.ts";
import { parameters } from "../model/parameters.ts";
import { plainScope } from "../model/transformer.ts";
import type { Tensors as HostTensors } from "../formats/hostTensor.ts";
import { bind, type Executable, type HostRecord } from "../tensor/executable.ts";
import { views } from "../tensor/layout.ts";
import { trace, type Program } from "../tensor/program.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Runtime } from "./runtime.ts";
import type { Steps } from "./steps.ts";
import { recorder, type Recorder } from "./tracing.ts";
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
  readonly config: ClipConfig;
  readonly weights: HostTensors;
  readonly adapter: Adapter<G>;
  readonly steps: Steps<G>;
  readonly batches: TrainingBatches;
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

/** Traces one step of a training. Fails with `ShapeMismatch`. */
export const traceStep = <G extends string>(config: ClipConfig, adapter: Adapter<G>, steps: Steps<G>, batch: BatchShape): E.Either<Failure, TracedStep> => {
  const noted = recorder(config, steps.count);
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
    const byName = Object.fromEntries(names.map((name) => [name, groups[name].views])) as Record<G, ReadonlyMap<string, Tensor>>;
    const base = plainScope((name) => tracing.frozen(name, shapes.get(name)!));
    const trainee: Trainee = { groups, state: {}, scope: adapter.scope(config, base, byName), batch };
    const after = steps.step.run(trainee)(tracing);
    return E.map((result: Trainee) => ({
      state: { ...Object.fromEntries(names.map((name) => [name, result.groups[name].flat])), ...result.state },
      outputs: Object.fromEntries(noted.records),
    }))(after);
  });
  return E.isLeft(traced) ? traced : E.right({ program: traced.right, recorder: noted });
};

const hypersAt = ({ hypers }: Recorder, step: number): HostRecord =>
  Object.fromEntries([...hypers].map(([name, at]) => [name, Float32Array.from(at, (schedule) => schedule(step))]));

/** Runs between two reads of what was recorded: often enough to see a run go on, seldom enough not to wait. */
const drainEvery = 10;

const stateOf = async <G extends string>(
  exe: Executable, groups: readonly G[], moments: readonly string[], step: number,
): Promise<E.Either<Failure, Training<G>>> => {
  const read = async (names: readonly string[]): Promise<E.Either<Failure, Record<string, Float32Array>>> => {
    const values: Record<string, Float32Array> = {};
    for (const name of names) {
      const value = await exe.read(name)();
      if (E.isLeft(value)) return value;
      values[name] = value.right;
    }
    return E.right(values);
  };
  const values = await read(groups);
  if (E.isLeft(values)) return values;
  const kept = await read(moments);
  return E.isLeft(kept) ? kept : E.right({ step, values: values.right as GroupValues<G>, moments: kept.right });
};

/** Trains from a state to the end of the steps. Fails with `NotFinite` when a loss is not a number, and `Interrupted` on request. */
export const train = <G extends string>(options: TrainOptions<G>): ((runtime: Runtime) => TE.TaskEither<Failure, Training<G>>) => (runtime) => async () => {
  const { config, weights, adapter, steps, batches, from, onSteps, checkpoint } = options;
  const traced = traceStep(config, adapter, steps, batches.shape);
  if (E.isLeft(traced)) return traced;
  const { program, recorder: noted } = traced.right;
  const records = [...noted.records.keys()];
  const made = await bind(runtime.device, program, [...weights, ...noted.constants], records)();
  if (E.isLeft(made)) return made;
  const exe = made.right;
  try {
    const groups = Object.keys(from.values) as G[];
    const moments = Object.keys(program.state).filter((name) => !(groups as string[]).includes(name));
    const written = exe.write("state", { ...from.values, ...from.moments });
    if (E.isLeft(written)) return written;
    // A batch may hold more than this step reads: the other direction's targets, say.
    const inputs = new Set(program.leaves.filter((l) => l.role === "input").map((l) => l.name));
    const read = (values: HostRecord): HostRecord => Object.fromEntries(Object.entries(values).filter(([name]) => inputs.has(name)));
    const until = Math.min(steps.count, options.until ?? steps.count);
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
      const ran = exe.run({ ...hypersAt(noted, step), ...read(batch.right) });
      if (E.isLeft(ran)) return ran;
      // The next batch is prepared while the device works on this one.
      next = step + 1 < until ? batches.at(step + 1)() : undefined;
      const saving = checkpoint !== undefined && (step + 1) % checkpoint.every === 0 && step + 1 < until;
      if (saving || step + 1 === until || (step + 1 - from.step) % drainEvery === 0) {
        const ok = await drain(step + 1);
        if (E.isLeft(ok)) return ok;
      }
      if (saving) {
        const state = await stateOf(exe, groups, moments, step + 1);
        const saved = E.isLeft(state) ? state : await checkpoint.save(state.right)();
        if (E.isLeft(saved)) return saved;
      }
    }
    return await stateOf(exe, groups, moments, until);
  } finally {
    exe.release();
  }
};
