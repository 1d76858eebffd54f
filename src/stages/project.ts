/** `project`: takes gradients out of a subspace within a step, or computes a subspace after a task and remembers it. */
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import { emptyBasis, extend, matrixOf, type Basis } from "../linalg/orthonormal.ts";
import { unflatten, views } from "../tensor/layout.ts";
import { sub } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { pack, type Tensor } from "../tensor/tensor.ts";
import type { Learner, Lesson, WithAdapters, WithBatches } from "./learner.ts";
import type { Runtime } from "./runtime.ts";
import { stepStage, taskStage, type StepStage, type TaskStage } from "./stage.ts";
import type { Tracing } from "./tracing.ts";
import type { Graded } from "./trainee.ts";

/** Bases by module, as a learner remembers them. */
export type Bases = ReadonlyMap<string, Basis>;

/** Where the subspaces come from; `N` names the groups that an adapter must have. */
export interface Subspace<N extends string> {
  readonly scale: "task";
  readonly name: string;
  readonly extend: (before: Bases, lesson: Lesson & WithAdapters<N>) => Bases;
}

/**
 * The span of the rows of every module's A [r, in]: the input directions that the task's update acts on (O-LoRA, arXiv 2310.14152, keeps later
 * tasks orthogonal to them).
 */
export const rowSpan: Subspace<"A"> = {
  scale: "task",
  name: "rowSpan",
  extend: (before, { learner, adapters: { adapter, values } }) => {
    const a = unflatten(adapter.layouts(learner.clip.config).A, values.A);
    return new Map(
      [...a].map(([name, { shape: [rows, d], data }]) => [
        name,
        extend(before.get(name) ?? emptyBasis(d), Array.from({ length: rows }, (_, i) => data.subarray(i * d, (i + 1) * d))),
      ]),
    );
  },
};

const key = "project";

/** What the learner remembers of earlier tasks' subspaces; empty before the first. */
export const remembered = (learner: Learner): Bases => (learner.memory[key] as Bases | undefined) ?? new Map();

/** A projection of gradients; `N` names the group that it needs. */
export interface GradientProjection<N extends string> {
  readonly scale: "step";
  readonly name: string;
  readonly options: unknown;
  readonly group: N;
  readonly apply: (tracing: Tracing, entry: string, gradient: Tensor) => Tensor;
}

/**
 * Takes out of the gradients of a group what lies in given subspaces: G ← G − G M Mᵀ, G [n, d] and M [d, k] with orthonormal columns (gradient
 * projection memory, arXiv 2103.09762). Entries without a basis pass unchanged.
 */
export const outOf = <N extends string>(group: N, bases: ReadonlyMap<string, Basis>): GradientProjection<N> => ({
  scale: "step",
  name: "outOf",
  options: { group, widths: Object.fromEntries([...bases].map(([name, b]) => [name, b.columns.length])) },
  group,
  apply: (tracing, entry, g) => {
    const basis = bases.get(entry);
    if (basis === undefined || basis.columns.length === 0) return g;
    const m = tracing.constant(`basis of ${entry}`, matrixOf(basis));
    return sub(g, matmul(matmul(g, m), m, { tb: true }));
  },
});

type AfterAdapt<N extends string> = Lesson & WithBatches & WithAdapters<N>;

/** Moves gradients out of subspaces by a {@link GradientProjection}, or extends the remembered subspaces by those of a task's adapters ({@link Subspace}). */
export function project<N extends string>(projection: GradientProjection<N>): StepStage<Graded, Graded, N>;
export function project<N extends string>(subspace: Subspace<N>): TaskStage<AfterAdapt<N>, AfterAdapt<N>>;
export function project(
  how: GradientProjection<string> | Subspace<string>,
): StepStage<Graded, Graded, string> | TaskStage<AfterAdapt<string>, AfterAdapt<string>> {
  if (how.scale === "step") {
    return stepStage<Graded, Graded, string>("project", { [how.name]: how.options }, (trainee, tracing) => {
      const { layout } = trainee.groups[how.group];
      const parts = views(layout, trainee.gradients[how.group]);
      const projected = layout.entries.map(({ name }) => how.apply(tracing, name, parts.get(name)!));
      return { ...trainee, gradients: { ...trainee.gradients, [how.group]: pack(projected, layout.entries.map((e) => e.offset), layout.length) } };
    });
  }
  return taskStage("project", { subspace: how.name }, (lesson: AfterAdapt<string>): RTE.ReaderTaskEither<Runtime, Failure, AfterAdapt<string>> => {
    const { learner } = lesson;
    return RTE.of({ ...lesson, learner: { ...learner, memory: { ...learner.memory, [key]: how.extend(remembered(learner), lesson) } } });
  });
}
