/** `rankSelect`: decides which rank-1 components live, within a step or after a task. */
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import type { Forward, GroupValues } from "../model/adapters/adapter.ts";
import { networkOf } from "../model/model.ts";
import { add, mul, scale, sub } from "../tensor/ops/elementwise.ts";
import { linear } from "../tensor/ops/matmul.ts";
import { shrink } from "../tensor/ops/optimizer.ts";
import { sumRows } from "../tensor/ops/reduce.ts";
import { topMask } from "../tensor/ops/select.ts";
import { softmax } from "../tensor/ops/softmax.ts";
import type { Layout } from "../tensor/layout.ts";
import { detach } from "../tensor/tensor.ts";
import { entry, gained, keepColumns, largest } from "../subspace/components.ts";
import type { Lesson, WithAdapters } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import { checkUndivided } from "../training/parts.ts";
import type { ScheduleOf } from "../training/schedule.ts";
import { stepStage, taskStage, type StepStage, type TaskStage } from "./stage.ts";
import type { Tracing } from "../training/tracing.ts";
import { firstToken } from "../subspace/inputs.ts";
import { withFlat, type Trainee } from "../training/trainee.ts";

/** A selection within a step; `N` names the groups that it needs. */
export interface StepSelector<N extends string> {
  readonly scale: "step";
  readonly name: string;
  readonly options: unknown;
  readonly apply: (trainee: Trainee, tracing: Tracing) => Trainee;
  /** Why it cannot select where a batch is computed in parts, as a phrase. */
  readonly undivided?: string;
  /** Never present; carries `N` in the type. */
  readonly needs?: N;
}

/** Options of {@link softThreshold}. */
export interface SoftThresholdOptions {
  /** `paper`: T_κ with dead zone κ. `code`: the authors' statements, whose dead zone is 2κ. Default `paper`. */
  readonly shrink?: "paper" | "code";
}

/** The proximal step on the gates: towards zero by a threshold that changes over the steps (CoDyRA, METHODS.md A.3). */
export const softThreshold = (kappa: ScheduleOf, { shrink: variant = "paper" }: SoftThresholdOptions = {}): StepSelector<"gate"> => ({
  scale: "step",
  name: "softThreshold",
  options: { kappa: { [kappa.name]: kappa.options }, shrink: variant },
  apply: (trainee, tracing) => {
    const { gate } = trainee.groups;
    const shrunk = shrink(gate.flat, tracing.hyper("kappa", [kappa.of(tracing.steps)]), variant, tracing.lossScale?.fine());
    return { ...trainee, groups: { ...trainee.groups, gate: withFlat(gate, shrunk) } };
  },
});

/** Why batches are not computed in parts where they vote. */
const together = "all samples of a batch vote together";

/** Options of {@link batchVote}. */
export interface BatchVoteOptions {
  /**
   * `frozen-random`: the router is never trained, as in the authors' code, where no gradient reaches it. `straight-through`: experts count as in the
   * forward pass, and the router gets the gradient of its mean probabilities. `prob-weighted`: active experts are weighted by their mean probability
   * times r, so that a router without preference weighs them by 1. Default `frozen-random`; the others are ours.
   */
  readonly router?: "frozen-random" | "straight-through" | "prob-weighted";
}

/**
 * Lets `active` experts of every layer take part in a step (DAC, METHODS.md C.2): the router scores the first token of every sample, each sample votes for
 * its `active` best, and the most voted-for are used by the whole batch; the first of equals wins. Votes are added to the counts.
 */
export const batchVote = (active: number, { router: kind = "frozen-random" }: BatchVoteOptions = {}): StepSelector<"router" | "counts"> => ({
  scale: "step",
  name: "batchVote",
  options: { active, router: kind },
  undivided: together,
  apply: (trainee, tracing) => {
    const router = trainee.groups.router.views;
    const gates: Forward["gates"] = ({ name }, x, part) => {
      checkUndivided("batchVote", part, together);
      const first = firstToken(x);
      const [samples] = first.shape;
      const probabilities = softmax(linear(first, router.get(`${name}.weight`)!, router.get(`${name}.bias`)!));
      const votes = sumRows(topMask(probabilities, active));
      tracing.tally("counts", name, votes);
      const live = topMask(votes, active);
      if (kind === "frozen-random") return live;
      const mean = scale(sumRows(probabilities), 1 / samples);
      return kind === "prob-weighted" ? mul(live, scale(mean, mean.shape[0])) : add(live, sub(mean, detach(mean)));
    };
    return { ...trainee, forward: { ...trainee.forward, gates } };
  },
});

/** A selection after training; `N` names the groups that it needs. */
export interface TaskSelector<N extends string> {
  readonly scale: "task";
  readonly name: string;
  readonly options: unknown;
  /** Values whose dropped components are zero. */
  readonly apply: (layouts: Readonly<Record<N, Layout>>, values: GroupValues<N>) => GroupValues<N>;
}

/**
 * Keeps the `count` components of every layer whose ‖B[:, i]‖ ‖A[i, :]‖ is largest, and takes the B of the others back to its start; the first of equals
 * stays. Where B did not start at zero, what it gained counts.
 */
export const magnitude = (count: number): TaskSelector<"A" | "B"> => ({
  scale: "task",
  name: "magnitude",
  options: { count },
  apply: (layouts, values) => {
    const B = gained(values);
    const norms = layouts.A.entries.map(({ shape: [rank, columns] }, layer) => {
      const [a, b] = [entry(layouts.A, values.A, layer), entry(layouts.B, B, layer)];
      return Array.from(
        { length: rank },
        (_, r) => Math.hypot(...a.subarray(r * columns, (r + 1) * columns)) * Math.hypot(...b.filter((_, i) => i % rank === r)),
      );
    });
    const living = norms.map((n) => largest(n, count));
    return keepColumns(layouts.B, values, (layer, r) => living[layer].has(r));
  },
});

type AfterAdapt<N extends string> = Lesson & WithAdapters<N>;

/** Lets rank-1 components live or die: within a step by a {@link StepSelector}, after a task by a {@link TaskSelector}. */
export function rankSelect<N extends string>(selector: StepSelector<N>): StepStage<Trainee, Trainee, N>;
export function rankSelect<N extends string, L extends AfterAdapt<N>>(selector: TaskSelector<N>): TaskStage<L, L>;
export function rankSelect(selector: StepSelector<string> | TaskSelector<string>): StepStage<Trainee, Trainee, string> | TaskStage<any, any, string> {
  const options = { [selector.name]: selector.options };
  if (selector.scale === "step") {
    const { apply, undivided } = selector;
    return { ...stepStage<Trainee, Trainee, string>("rankSelect", options, apply), ...(undivided === undefined ? {} : { undivided }) };
  }
  return taskStage("rankSelect", options, (lesson: AfterAdapt<string>): RTE.ReaderTaskEither<Runtime, Failure, AfterAdapt<string>> => {
    const { adapter, values } = lesson.adapters;
    const layouts = adapter.layouts(networkOf(lesson.learner.model));
    return RTE.of({ ...lesson, adapters: { adapter, values: { ...values, ...selector.apply(layouts, values) } } });
  });
}
