/** Softmax over the last axis, with the masks of attention. */
import { input, output, rowLaunch, type Launch } from "../../kernels/launch.ts";
import type { Target } from "../../kernels/target.ts";
import { apply, check, floats, show, size, type Node, type Tensor } from "../tensor.ts";
import { boundPositions, checkPositions, type Positions } from "./positions.ts";

/** Options of {@link softmax}. */
export interface SoftmaxOptions extends Positions {
  /** x is [.., queries, keys], and query i sees key j only where j ≤ at + i. */
  readonly causal?: boolean;
}

/**
 * `softmax(x)` over the last axis. `causal`: x is [.., queries, keys], and key j is masked (probability 0) for query i where j > at + i. `starts`: x is
 * [batch, .., keys], and the keys before a sample's start are masked. What is masked is not read; a row of which all is masked is 0.
 * Fails (while tracing) where `starts` is not u32 [batch], or `at` not u32 [1] or given without `causal`.
 */
export const softmax = (x: Tensor, { causal = false, ...positions }: SoftmaxOptions = {}): Tensor => {
  const [width, queries] = [x.shape[x.shape.length - 1], x.shape[x.shape.length - 2] ?? 1];
  const [batch, ...between] = x.shape.slice(0, -1);
  checkPositions("softmax", positions.starts === undefined ? 1 : (batch ?? 1), positions);
  check(causal || positions.at === undefined, "softmax", () => `at ${show(positions.at!)} without the causal mask`);
  const dims = { rows: size(x.shape.slice(0, -1)), width, queries, scale: 1, share: size(between) };
  const { tensors, operands, constants } = boundPositions(1, positions);
  const masks = { CAUSAL: causal, ...constants };
  return apply(
    {
      name: "softmax",
      attributes: { causal, ...positions },
      lower: (t) => [rowLaunch(t, "softmax", dims, [input(0), output(0), undefined, ...operands], masks)],
      vjp: ([p], [dp]) => {
        if (dp === undefined) return [];
        const { operands: behind } = boundPositions(2, positions);
        const lower = (t: Target): readonly Launch[] => [rowLaunch(t, "softmax-grad", dims, [input(0), input(1), output(0), ...behind], masks)];
        return [apply({ name: "softmax (gradient)", lower }, [p, dp, ...tensors], floats(x.shape))];
      },
    },
    [x, ...tensors],
    floats(x.shape),
  );
};

/** The masks of a softmax; undefined for another node. */
export const masksOf = (node: Node): SoftmaxOptions | undefined =>
  node.kind === "apply" && node.op.name === "softmax" ? (node.op.attributes as SoftmaxOptions) : undefined;
