/** Objectives that keep the directions of a task's update away from those of past tasks. */
import { topMask } from "../tensor/ops/select.ts";
import { abs, add, constant, mul, scale, square, sub } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { sum as total } from "../tensor/ops/reduce.ts";
import { detach, reshape, type Tensor } from "../tensor/tensor.ts";
import { objective, type Objective } from "../training/objective.ts";
import { pastOf, type Factor } from "./past.ts";
import type { Encoded } from "../training/trainee.ts";

/** Which rank-1 components of a layer count; `N` names the groups that the choice needs. */
export interface Critical<N extends string> {
  readonly name: string;
  /** How many. */
  readonly count: (rank: number) => number;
  /** 1 for those that count, 0 for the others: [r]. */
  readonly of: (e: Encoded, layer: string) => Tensor | undefined;
  /** Never present; carries `N` in the type. */
  readonly needs?: N;
}

/** All components. */
export const everyComponent: Critical<never> = { name: "all", count: (rank) => rank, of: () => undefined };

/** The `count` components with the most votes so far, those of this step's forward passes included (DAC's critical experts, METHODS.md C.3.2). */
export const mostVoted = (count: number): Critical<"counts"> => ({
  name: `mostVoted(${count})`,
  count: (rank) => Math.min(count, rank),
  of: ({ trainee, tracing }, layer) => {
    const [before, added] = [trainee.groups.counts.views.get(layer)!, tracing.tallied("counts", layer)];
    return topMask(added === undefined ? before : add(before, added), count);
  },
});

/** The `count` components with the largest gates, by their absolute values. */
export const largestGates = (count: number): Critical<"gate"> => ({
  name: `largestGates(${count})`,
  count: (rank) => Math.min(count, rank),
  of: ({ trainee }, layer) => detach(topMask(abs(trainee.groups.gate.views.get(layer)!), count)),
});

/** Options of {@link overlap}. */
export interface OverlapOptions<N extends string> {
  /** The components of the task that count. Default: all. */
  readonly critical?: Critical<N>;
  /** What becomes of the inner products of a layer: the sum of their absolute values, its mean, or the sum of their squares. Default `abs-sum`. */
  readonly reduce?: "abs-sum" | "mean" | "square-sum";
  /** Whether layers are averaged or added up. Default `mean`. */
  readonly layers?: "mean" | "sum";
}

/**
 * How much the directions of a factor overlap with those that the learner remembers of past tasks: the inner products of the task's with all past ones,
 * reduced. DAC's AGO loss on the columns of B (arXiv 2601.22828; METHODS.md C.3.2); O-LoRA's on the rows of A (arXiv 2310.14152). 0 at the first task.
 */
export const overlap = <F extends Factor, N extends string = never>(
  factor: F,
  { critical = everyComponent as Critical<N>, reduce = "abs-sum", layers = "mean" }: OverlapOptions<N> = {},
): Objective<F | N> =>
  objective<F | N>(
    `overlap(${factor}, ${critical.name}, ${reduce})`,
    (e) => {
      const before = pastOf(factor, e.tracing);
      const { views } = e.trainee.groups[factor];
      const start = e.trainee.groups[`${factor}0`]?.views;
      const terms = [...views]
        .filter(([layer]) => before.has(layer))
        .map(([layer, now]) => {
          // Where B did not start at zero, the update is what it gained.
          const update = start === undefined ? now : sub(now, start.get(layer)!);
          const rows = e.tracing.constant(`past ${factor} of ${layer}`, before.get(layer)!);
          const products = factor === "B" ? matmul(rows, update) : matmul(rows, update, { tb: true });
          const [n, rank] = products.shape;
          const sizes = reduce === "square-sum" ? square(products) : abs(products);
          const mask = critical.of(e, layer);
          return total(mask === undefined ? sizes : mul(sizes, reshape(mask, [rank])), reduce === "mean" ? 1 / (n * critical.count(rank)) : 1);
        });
      if (terms.length === 0) return constant(0, []);
      return scale(terms.reduce(add), layers === "mean" ? 1 / views.size : 1);
    },
    [],
    "parameters",
  );
