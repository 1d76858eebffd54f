/** Sums in a fixed order, and their adjoint. */
import { oneStep } from "../../kernels/expression.ts";
import { batchSumLaunches, groupSumLaunches, sumChunks, sumLaunches, type Pattern } from "../../kernels/pattern.ts";
import { aligned, alignment, apply, check, floats, reshape, show, size, type Node, type Shape, type Tensor } from "../tensor.ts";
import { compute } from "./expression.ts";

/** `x` as [groups, count, width], summed over count in one pass, times `factor`: [groups, width]. */
const sumGroups = (x: Tensor, groups: number, count: number, width: number, factor: number): Tensor => {
  const at = { outer: 1, mod: groups * width, div: 1, gap: { count, low: width } };
  return apply(
    { name: "sum", lower: () => groupSumLaunches(groups, count, width, factor), vjp: (_, [dy]) => [dy && expand(dy, at, x.shape, factor)] },
    [x],
    floats([groups, width]),
  );
};

/** `x` as [outer, mod, div], summed over outer and div, times `factor`, in the given shape of `mod` elements; over a gap too. */
export const sumTo = (x: Tensor, at: Pattern, shape: Shape, factor = 1): Tensor => {
  const { outer, mod, div, gap } = at;
  check(outer * mod * div * (gap?.count ?? 1) === size(x.shape), "sum", () => `${show(x)} is not [${outer}, ${mod}, ${div}]`);
  check(size(shape) === mod, "sum", () => `${mod} sums do not make [${shape.join(", ")}]`);
  if (gap !== undefined) {
    const closed = sumGroups(x, (outer * mod) / gap.low, gap.count, gap.low * div, factor);
    return outer * div === 1 ? reshape(closed, shape) : sumTo(closed, { outer, mod, div }, shape);
  }
  const chunks = sumChunks(outer);
  return apply(
    {
      name: "sum",
      attributes: { at, factor },
      lower: (target) => sumLaunches(target, at, factor),
      scratch: () => (chunks === 0 ? [] : [floats([chunks, mod])]),
      vjp: (_, [dy]) => [dy && expand(dy, at, x.shape, factor)],
    },
    [x],
    floats(shape),
  );
};

/** How a tensor is summed. */
export interface Summing {
  readonly at: Pattern;
  readonly factor: number;
}

/** How a node sums its input in one operation, over no gap; undefined for another node. */
export const summingOf = (node: Node): Summing | undefined =>
  node.kind === "apply" && node.op.name === "sum" && node.op.attributes !== undefined ? (node.op.attributes as unknown as Summing) : undefined;

/**
 * The sums of `count` tensors [outer, mod] that lie in x, each where the next multiple of 64 elements is behind the one before, with the bits that each has
 * alone on a GPU: [count, aligned(mod)], zeros behind the sums of each.
 */
export const sumEach = (x: Tensor, count: number, { at, factor }: Summing): Tensor => {
  const { outer, mod } = at;
  const chunks = sumChunks(outer);
  return apply(
    {
      name: "sums",
      lower: () => batchSumLaunches(count, at, factor, aligned(outer * mod), aligned(mod)),
      scratch: () => (chunks === 0 ? [] : [floats([count, chunks, mod])]),
    },
    [x],
    floats([count, aligned(mod)]),
  );
};

/** Repeats `mod` elements to [outer, mod, div], times `factor`: the adjoint of {@link sumTo}. */
export const expand = (x: Tensor, at: Pattern, shape: Shape, factor = 1): Tensor =>
  compute("expand", oneStep("times", [factor]), [[x, at]], shape, (_, [dy]) => [dy && sumTo(dy, at, x.shape, factor)]);

/** The sum of all elements, shape []. */
export const sum = (x: Tensor, factor = 1): Tensor => sumTo(x, { outer: 1, mod: 1, div: size(x.shape) }, [], factor);
/** The mean of all elements, shape []. */
export const mean = (x: Tensor): Tensor => sum(x, 1 / size(x.shape));
/** Column sums of a [rows, columns] matrix (leading dimensions count as rows): [columns]. */
export const sumRows = (x: Tensor): Tensor => {
  const columns = x.shape[x.shape.length - 1];
  return sumTo(x, { outer: size(x.shape.slice(0, -1)), mod: columns, div: 1 }, [columns]);
};

/** The sum of all elements [1], in rows of what one thread of many sums: for many elements. */
export const total = (x: Tensor): Tensor => {
  const rows = size(x.shape) / alignment;
  return reshape(Number.isInteger(rows) ? sum(sumRows(reshape(x, [rows, alignment]))) : sum(x), [1]);
};
