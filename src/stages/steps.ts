/** The verbs at the scale of a step: gradient and update (adapt), project, rank-select. */
import { gradient as differentiate } from "../tensor/gradient.ts";
import { shrink } from "../tensor/ops/optimizer.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { sub } from "../tensor/ops/elementwise.ts";
import { pack, type Tensor } from "../tensor/tensor.ts";
import { views } from "../tensor/layout.ts";
import { evaluateObjective, type Objective } from "./objective.ts";
import type { Optimizer } from "./optimizer.ts";
import type { ScheduleOf } from "./schedule.ts";
import { step, stepStage, type Stage, type StepStage } from "./stage.ts";
import { encodeBatch, type Graded, type Group, type Trainee } from "./trainee.ts";
import type { URI } from "fp-ts/lib/ReaderEither.js";
import type { Tracing } from "./tracing.ts";

/** Encodes the batch, evaluates the objective and differentiates it with respect to every group of the trainee. */
export const gradient = (objective: Objective): StepStage<Trainee, Graded> =>
  stepStage("gradient", { objective: objective.name }, (trainee, tracing): Graded => {
    const { loss, terms } = evaluateObjective(objective, encodeBatch(trainee, tracing));
    tracing.record("loss", loss);
    if (terms.length > 1) terms.forEach(([name, value]) => tracing.record(name, value));
    const names = Object.keys(trainee.groups);
    const parts = names.map((name) => [...trainee.groups[name].views.values()]);
    const grads = differentiate(loss, parts.flat());
    let at = 0;
    return {
      ...trainee,
      gradients: Object.fromEntries(
        names.map((name, i) => {
          const own = grads.slice(at, (at += parts[i].length));
          const { entries, length } = trainee.groups[name].layout;
          return [name, pack(own, entries.map((e) => e.offset), length)];
        }),
      ),
    };
  });

const withFlat = (group: Group, flat: Tensor): Group => ({ ...group, flat, views: views(group.layout, flat) });

/** One step of an optimiser on every group. */
export const update = (optimizer: Optimizer): StepStage<Graded, Trainee> =>
  stepStage(`update`, { [optimizer.name]: optimizer.options }, ({ gradients, ...trainee }, tracing): Trainee => {
    const updated = Object.entries(trainee.groups).map(([name, group]) => [name, group, optimizer.update(tracing, name, group, gradients[name])] as const);
    return {
      ...trainee,
      groups: Object.fromEntries(updated.map(([name, group, { flat }]) => [name, withFlat(group, flat)])),
      state: Object.assign({}, trainee.state, ...updated.map(([, , { state }]) => state)),
    };
  });

/** What a selector does to the trainee; `N` names the group that it needs. */
export interface StepSelector<N extends string> {
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
  name: "softThreshold",
  options: { kappa: { [kappa.name]: kappa.options }, shrink: variant },
  group: "gate",
  apply: (tracing, { flat }) => shrink(flat, tracing.hyper("kappa", [kappa.of(tracing.steps)]), variant),
});

/** Decides, within a step, which rank-1 components live. */
export const rankSelect = <N extends string>(selector: StepSelector<N>): StepStage<Trainee, Trainee, N> =>
  stepStage<Trainee, Trainee, N>(`rankSelect`, { [selector.name]: selector.options }, (trainee, tracing) => {
    const group = trainee.groups[selector.group];
    return { ...trainee, groups: { ...trainee.groups, [selector.group]: withFlat(group, selector.apply(tracing, group)) } };
  });

/** A projection of gradients; `N` names the group that it needs. */
export interface GradientProjection<N extends string> {
  readonly name: string;
  readonly options: unknown;
  readonly group: N;
  /** Orthonormal columns [d, k] by entry of the group, whose tensors are [n, d]; entries without a basis pass unchanged. */
  readonly widths: ReadonlyMap<string, number>;
}

/**
 * Takes out of the gradients of a group what lies in given subspaces: G ← G − G M Mᵀ with G [n, d] and M [d, k] (gradient projection
 * memory, arXiv 2103.09762). The bases are state of the trainee, `basis.<entry>` [d, k].
 */
export const outOf = <N extends string>(group: N, widths: ReadonlyMap<string, number>): GradientProjection<N> => ({ name: "outOf", options: { group }, group, widths });

/** Moves gradients out of subspaces, within a step. */
export const project = <N extends string>(projection: GradientProjection<N>): StepStage<Graded, Graded, N> =>
  stepStage<Graded, Graded, N>(`project`, { [projection.name]: projection.options }, (trainee, tracing) => {
    const { layout } = trainee.groups[projection.group];
    const flat = trainee.gradients[projection.group];
    const parts = views(layout, flat);
    const projected = layout.entries.map(({ name, shape: [, d] }) => {
      const g = parts.get(name)!;
      const width = projection.widths.get(name) ?? 0;
      if (width === 0) return g;
      const basis = tracing.frozen(`basis.${name}`, [d, width]);
      return sub(g, matmul(matmul(g, basis), basis, { tb: true }));
    });
    return { ...trainee, gradients: { ...trainee.gradients, [projection.group]: pack(projected, layout.entries.map((e) => e.offset), layout.length) } };
  });

/** Steps to be repeated: how often, and the arrow of one. */
export interface Steps<N extends string> {
  readonly count: number;
  readonly step: StepStage<Trainee, Trainee, N>;
}

type Arrow<A, B, N extends string> = Stage<URI, Tracing, A, B, N>;

/** So many times the composition of the given step stages. */
export function repeat<B, N extends string, M extends string>(count: number, a: Arrow<Trainee, B, N>, b: Arrow<B, Trainee, M>): Steps<N | M>;
export function repeat<B, C, N extends string, M extends string, O extends string>(
  count: number, a: Arrow<Trainee, B, N>, b: Arrow<B, C, M>, c: Arrow<C, Trainee, O>,
): Steps<N | M | O>;
export function repeat<B, C, D, N extends string, M extends string, O extends string, P extends string>(
  count: number, a: Arrow<Trainee, B, N>, b: Arrow<B, C, M>, c: Arrow<C, D, O>, d: Arrow<D, Trainee, P>,
): Steps<N | M | O | P>;
export function repeat(count: number, ...stages: readonly Arrow<any, any, any>[]): Steps<any> {
  return { count, step: stages.reduce((x, y) => step.compose(x, y)) };
}
