/** `project`: moves gradients or parameters out of a subspace within a step, or computes a subspace of a task and remembers or hands on what it found. */
import { emptyBasis, extend, matrixOf, outside } from "../linalg/linalg.ts";
import type { Adapter } from "../model/adapters/adapter.ts";
import { views } from "../tensor/layout.ts";
import { projectOut } from "../tensor/ops/projection.ts";
import { pack, type Tensor } from "../tensor/tensor.ts";
import { remembered, type Bases } from "../subspace/bases.ts";
import type { StepProjection, TaskProjection } from "../subspace/projection.ts";
import { stepStage, taskStage, type StepStage, type TaskStage } from "./stage.ts";
import type { Tracing } from "../training/tracing.ts";
import { withFlat, type Graded, type Group, type Trainee } from "../training/trainee.ts";

/** X − X M Mᵀ for the rows of every entry that has a basis; the others pass unchanged. */
const rowsOut = (tracing: Tracing, { layout }: Group, flat: Tensor, bases: Bases): Tensor => {
  const parts = views(layout, flat);
  const moved = layout.entries.map(({ name }) => {
    const [x, basis] = [parts.get(name)!, bases.get(name)];
    if (basis === undefined || basis.columns.length === 0) return x;
    const m = tracing.constant(`basis of ${name}`, matrixOf(basis));
    return projectOut(x, m);
  });
  return pack(
    moved,
    layout.entries.map((e) => e.offset),
    layout.length,
  );
};

/** Subspaces as a manifest shows them: their dimensions by layer. */
const describeBases = (bases: Bases | undefined): unknown =>
  bases === undefined ? "remembered" : Object.fromEntries([...bases].map(([name, b]) => [name, b.columns.length]));

/**
 * Takes out of the gradients of a trained group what lies in subspaces: G ← G − G M Mᵀ, G [n, d] and M [d, k] with orthonormal columns (gradient
 * projection memory, arXiv 2103.09762). Default: the subspaces that the learner remembers. Entries without a basis pass unchanged.
 */
export const outOf = <N extends string>(group: N, bases?: Bases): StepProjection<Graded, `∂${N}`> => ({
  scale: "step",
  name: "outOf",
  options: { group, bases: describeBases(bases) },
  apply: (trainee, tracing) => {
    const gradient = trainee.gradients[group];
    if (gradient === undefined) return trainee;
    const moved = rowsOut(tracing, trainee.groups[group], gradient, bases ?? remembered(tracing));
    return { ...trainee, gradients: { ...trainee.gradients, [group]: moved } };
  },
});

/**
 * Takes out of the rows of a group's parameters what lies in subspaces: A ← A − A M Mᵀ (DualLoRA, METHODS.md D.3). After the optimiser's step: Adam's
 * scaling and weight decay would move projected gradients back into the subspace. Default: the subspaces that the learner remembers.
 */
export const rowsOutOf = <N extends string>(group: N, bases?: Bases): StepProjection<Trainee, N> => ({
  scale: "step",
  name: "rowsOutOf",
  options: { group, bases: describeBases(bases) },
  apply: (trainee, tracing) => {
    const before = trainee.groups[group];
    const after = withFlat(before, rowsOut(tracing, before, before.flat, bases ?? remembered(tracing)));
    return { ...trainee, groups: { ...trainee.groups, [group]: after } };
  },
});

/** Options of {@link startingOutside}. */
export interface StartingOutsideOptions {
  /** Whether the rows are made orthonormal. Default false. */
  readonly orthonormal?: boolean;
}

/** An adapter whose A starts with rows outside of the given subspaces: A ← A (I − M Mᵀ) (DualLoRA, METHODS.md D.3). */
export const startingOutside = (bases: Bases, adapter: Adapter<"A" | "B">, { orthonormal = false }: StartingOutsideOptions = {}): Adapter<"A" | "B"> => ({
  ...adapter,
  options: { ...(adapter.options as object), outside: describeBases(bases), orthonormal },
  initial: (net, weights, seed, position) => {
    const values = adapter.initial(net, weights, seed, position);
    const A = values.A.slice();
    adapter.layouts(net).A.entries.forEach(({ name, offset, shape: [rank, width] }) => {
      const basis = bases.get(name) ?? emptyBasis(width);
      const start = { shape: [rank, width], data: A.subarray(offset, offset + rank * width) };
      const rest = outside(start, basis);
      const rows = Array.from({ length: rank }, (_, i) => rest.data.subarray(i * width, (i + 1) * width));
      // Where less than r directions are left, the rows beyond them are zero.
      const moved = orthonormal ? extend(basis, rows).columns.slice(basis.columns.length) : rows;
      start.data.fill(0);
      moved.forEach((row, i) => start.data.set(row, i * width));
    });
    return { ...values, A };
  },
});

/** Projects within a step by a {@link StepProjection}, or once a task by a {@link TaskProjection}. */
export function project<A, B, N extends string = never>(projection: TaskProjection<A, B, N>): TaskStage<A, B, N>;
export function project<T extends Trainee, N extends string>(projection: StepProjection<T, N>): StepStage<T, T, N>;
export function project(how: StepProjection<any, string> | TaskProjection<any, any, any>): StepStage<any, any, string> | TaskStage<any, any, string> {
  const options = { [how.name]: how.options };
  if (how.scale === "step") return stepStage("project", options, how.apply);
  return { ...taskStage("project", options, how.run), ...(how.suits === undefined ? {} : { suits: how.suits }) };
}
