/** Sums in a fixed order, and their adjoint. */
import { elementGrid, f32, foldGroups, input, output, type Launch, type Word } from "../../kernels/launch.ts";
import type { Target } from "../../kernels/target.ts";
import type { Constants } from "../../kernels/template.ts";
import { apply, check, floats, reshape, show, size, type Shape, type Tensor } from "../tensor.ts";

/** A tensor seen as `[outer, mod, div]`: the pattern of a broadcast and of the sum that undoes it. */
export interface Pattern {
  readonly outer: number;
  readonly mod: number;
  readonly div: number;
  /** Dimensions between those of mod are left out too: mod is [mod / low, low], and the tensor is [outer, mod / low, count, low, div]. */
  readonly gap?: { readonly count: number; readonly low: number };
}

/** What a kernel that broadcasts is told of a pattern's gap: a constant, and the last words of its `Dims`. */
export const gapOf = ({ gap }: Pattern): { readonly constants: Constants; readonly words: readonly Word[] } =>
  gap === undefined ? { constants: {}, words: [] } : { constants: { GAP: true }, words: [gap.low, gap.count * gap.low] };

/** Rows that one thread sums at least in the first of two passes: a tall matrix would otherwise keep only `mod` threads busy. */
const shortest = 64;
/** Chunks are one dimension of a grid. */
const mostChunks = 65535;

/** `x` as [groups, count, width], summed over count in one pass, times `factor`: [groups, width]. */
const sumGroups = (x: Tensor, groups: number, count: number, width: number, factor: number): Tensor => {
  check(groups <= mostChunks, "sum", () => `${groups} sums over a gap, of at most ${mostChunks}`);
  const at = { outer: 1, mod: groups * width, div: 1, gap: { count, low: width } };
  return apply(
    {
      name: "sum",
      lower: () => [
        {
          kernel: "reduce",
          constants: { PARTIAL: true },
          dims: [groups * count, width, 1, count, f32(factor)],
          operands: [input(0), output(0)],
          grid: [Math.ceil(width / 64), groups, 1],
        },
      ],
      vjp: (_, [dy]) => [dy && expand(dy, at, x.shape, factor)],
    },
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
  const chunk = Math.max(shortest, Math.ceil(outer / mostChunks));
  const chunks = outer > 2 * shortest ? Math.ceil(outer / chunk) : 0;
  const whole = (target: Target, from: typeof input, index: number, rows: number, inner: number): Launch => ({
    kernel: "reduce",
    constants: { GROUP: target.adapter.kind === "gpu" },
    dims: [rows, mod, inner, 0, f32(factor)],
    operands: [from(index), output(0)],
    grid: foldGroups(target.adapter.kind === "gpu" ? mod : Math.ceil(mod / 64)),
  });
  const partial: Launch = {
    kernel: "reduce",
    constants: { PARTIAL: true },
    dims: [outer, mod, div, chunk, f32(1)],
    operands: [input(0), output(1)],
    grid: [Math.ceil(mod / 64), chunks, 1],
  };
  return apply(
    {
      name: "sum",
      lower: (target) => (chunks === 0 ? [whole(target, input, 0, outer, div)] : [partial, whole(target, output, 1, chunks, 1)]),
      vjp: (_, [dy]) => [dy && expand(dy, at, x.shape, factor)],
    },
    [x],
    floats(shape),
    ...(chunks === 0 ? [] : [floats([chunks, mod])]),
  );
};

/** Repeats `mod` elements to [outer, mod, div], times `factor`: the adjoint of {@link sumTo}. */
export const expand = (x: Tensor, at: Pattern, shape: Shape, factor = 1): Tensor => {
  const { constants, words } = gapOf(at);
  const count = size(shape);
  return apply(
    {
      name: "expand",
      lower: () => [
        { kernel: "expand", constants, dims: [count, at.div, at.mod, f32(factor), ...words], operands: [input(0), output(0)], grid: elementGrid(count) },
      ],
      vjp: (_, [dy]) => [dy && sumTo(dy, at, x.shape, factor)],
    },
    [x],
    floats(shape),
  );
};

/** The sum of all elements, shape []. */
export const sum = (x: Tensor, factor = 1): Tensor => sumTo(x, { outer: 1, mod: 1, div: size(x.shape) }, [], factor);
/** The mean of all elements, shape []. */
export const mean = (x: Tensor): Tensor => sum(x, 1 / size(x.shape));
/** Column sums of a [rows, columns] matrix (leading dimensions count as rows): [columns]. */
export const sumRows = (x: Tensor): Tensor => {
  const columns = x.shape[x.shape.length - 1];
  return sumTo(x, { outer: size(x.shape.slice(0, -1)), mod: columns, div: 1 }, [columns]);
};
