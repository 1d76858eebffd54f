/** `rankSelect`: decides which rank-1 components live, within a step or after a task. */
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import type { GroupValues } from "../model/adapters.ts";
import type { ClipConfig } from "../model/config.ts";
import { shrink } from "../tensor/ops/optimizer.ts";
import type { Layout } from "../tensor/layout.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { keepColumns } from "./components.ts";
import type { Lesson, WithAdapters, WithBatches } from "./learner.ts";
import type { Runtime } from "./runtime.ts";
import type { ScheduleOf } from "./schedule.ts";
import { stepStage, taskStage, type StepStage, type TaskStage } from "./stage.ts";
import { withFlat } from "./steps.ts";
import type { Tracing } from "./tracing.ts";
import type { Group, Trainee } from "./trainee.ts";

/** A selection within a step; `N` names the group that it needs. */
export interface StepSelector<N extends string> {
  readonly scale: "step";
  readonly name: string;
  readonly options: unknown;
  readonly group: N;
  readonly apply: (tracing: Tracing, group: Group) => Tensor;
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
  group: "gate",
  apply: (tracing, { flat }) => shrink(flat, tracing.hyper("kappa", [kappa.of(tracing.steps)]), variant),
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
 * Keeps the `count` components of every module whose ‖B[:, i]‖ ‖A[i, :]‖ is largest, and sets the B of the others to zero; the first
 * of equals stays.
 */
export const magnitude = (count: number): TaskSelector<"A" | "B"> => ({
  scale: "task",
  name: "magnitude",
  options: { count },
  apply: (layouts, { A, B }) => {
    const largest = layouts.A.entries.map(({ offset: a, shape: [rank, columns] }, i) => {
      const { offset: b, shape: [rows] } = layouts.B.entries[i];
      const norms = Array.from({ length: rank }, (_, r) => {
        let [na, nb] = [0, 0];
        for (let c = 0; c < columns; c++) na += A[a + r * columns + c] ** 2;
        for (let c = 0; c < rows; c++) nb += B[b + c * rank + r] ** 2;
        return Math.sqrt(na * nb);
      });
      return new Set(norms.map((_, r) => r).sort((x, y) => norms[y] - norms[x] || x - y).slice(0, count));
    });
    return { A, B: keepColumns(layouts.B, B, (module, r) => largest[module].has(r)) };
  },
});

type AfterAdapt<N extends string> = Lesson & WithBatches & WithAdapters<N>;

/** Lets rank-1 components live or die: within a step by a {@link StepSelector}, after a task by a {@link TaskSelector}. */
export function rankSelect<N extends string>(selector: StepSelector<N>): StepStage<Trainee, Trainee, N>;
export function rankSelect<N extends string>(selector: TaskSelector<N>): TaskStage<AfterAdapt<N>, AfterAdapt<N>>;
export function rankSelect(
  selector: StepSelector<string> | TaskSelector<string>,
): StepStage<Trainee, Trainee, string> | TaskStage<AfterAdapt<string>, AfterAdapt<string>> {
  const options = { [selector.name]: selector.options };
  if (selector.scale === "step") {
    return stepStage<Trainee, Trainee, string>("rankSelect", options, (trainee, tracing) => {
      const group = trainee.groups[selector.group];
      return { ...trainee, groups: { ...trainee.groups, [selector.group]: withFlat(group, selector.apply(tracing, group)) } };
    });
  }
  return taskStage("rankSelect", options, (lesson: AfterAdapt<string>): RTE.ReaderTaskEither<Runtime, Failure, AfterAdapt<string>> => {
    const config: ClipConfig = lesson.learner.clip.config;
    const { adapter, values } = lesson.adapters;
    return RTE.of({ ...lesson, adapters: { adapter, values: { ...values, ...selector.apply(adapter.layouts(config), values) } } });
  });
}
