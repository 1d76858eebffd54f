/** How a matrix product becomes launches: the kernel that the target chooses, in windows where B is larger than a binding. */
import type { BindingBound, Bounds } from "./bounds.ts";
import { epilogueBindings } from "./epilogue.ts";
import { input, launch, output, type Launch, type Operand } from "./launch.ts";
import { isHalf, matmulDims, multiplied, type MatmulShape } from "./matmul.ts";
import { registerPlans } from "./registers.ts";
import type { Target } from "./target.ts";
import { rowWindows, windowOf } from "./windows.ts";

/** A run of the rows of C, of its columns, or of the terms of its sums. */
interface Range {
  readonly first: number;
  readonly count: number;
}

/** A part of a product whose operands each fit a binding, and the product that it is. */
interface Part {
  readonly rows: Range;
  readonly columns: Range;
  readonly terms: Range;
  readonly shape: MatmulShape;
}

/** An axis in windows, where a matrix with so many elements for each of its steps is larger than a binding. */
const rangesOf = (bounds: BindingBound, half: boolean, extent: number, ...strides: readonly number[]): readonly Range[] => {
  const width = Math.max(...strides);
  if (extent * width <= bounds.maxBinding) return [{ first: 0, count: extent }];
  if (!half) return rowWindows(bounds, extent, width);
  // Windows of pairs of steps begin where a binding may in matrices of two bytes an element, too.
  const pairs = rowWindows(bounds, Math.ceil(extent / 2), 2 * width);
  return pairs.map(({ first, count }) => ({ first: 2 * first, count: Math.min(2 * count, extent - 2 * first) }));
};

/**
 * A product in parts: an axis is cut where a matrix is larger than a binding that is stored along it. Windows of k are added up, the bias and the low-rank pair
 * with the last; an epilogue needs whole sums. A batch of products is not cut.
 */
const partsOf = (bounds: BindingBound, shape: MatmulShape): readonly Part[] => {
  const { ta, tb, m, n, k, lda, ldb, ldc, batch, bias, lowRank, epilogue } = shape;
  const half = isHalf(shape);
  const whole = (count: number): readonly Range[] => [{ first: 0, count }];
  const rows = batch > 1 ? whole(m) : rangesOf(bounds, half, m, ta ? 0 : lda, ldc);
  const columns = batch > 1 ? whole(n) : rangesOf(bounds, half, n, tb ? ldb : 0);
  const terms = batch > 1 || epilogue !== undefined ? whole(k) : rangesOf(bounds, half, k, ta ? lda : 0, tb ? 0 : ldb);
  const sums = (i: number): Partial<MatmulShape> => {
    const last = i === terms.length - 1;
    return terms.length === 1 ? {} : { add: i > 0, bias: bias && last, lowRank: lowRank && last };
  };
  return rows.flatMap((row) =>
    columns.flatMap((column) =>
      terms.map((term, i) => ({ rows: row, columns: column, terms: term, shape: { ...shape, m: row.count, n: column.count, k: term.count, ...sums(i) } })),
    ),
  );
};

/** The products that are computed for one product within the bounds of a device. */
export const productShapes = (bounds: BindingBound, shape: MatmulShape): readonly MatmulShape[] => partsOf(bounds, shape).map((part) => part.shape);

/** The launches of a product. Its inputs are A, B and, where the shape says so, the bias, P, Q and what its epilogue reads, in this order. */
export const productLaunches = (target: Target, shape: MatmulShape, scale: number): readonly Launch[] => {
  const { r, ta, tb, lda, ldb, ldc } = shape;
  const parts = partsOf(target, shape);
  return parts.map(({ rows, columns, terms, shape: part }) => {
    // A batch has strides of its own, and is whole.
    const block = (operand: Operand, down: Range, across: Range, stride: number): Operand =>
      parts.length === 1 ? operand : windowOf(operand, down.first * stride + across.first, Math.max(0, (down.count - 1) * stride + across.count));
    const rank = { first: 0, count: r };
    const p = shape.bias ? 3 : 2;
    const all = { first: 0, count: 1 };
    const first = p + (shape.lowRank ? 2 : 0);
    const extras = (part.epilogue?.operands ?? []).map((meeting, j): Operand => {
      if (meeting === "same") return block(input(first + j), rows, columns, ldc);
      return meeting === "column" ? block(input(first + j), all, columns, 0) : input(first + j);
    });
    const operands = [
      ta ? block(input(0), terms, rows, lda) : block(input(0), rows, terms, lda),
      tb ? block(input(1), columns, terms, ldb) : block(input(1), terms, columns, ldb),
      block(output(0), rows, columns, ldc),
      part.bias ? block(input(2), all, columns, 0) : undefined,
      part.lowRank ? block(input(p), rows, rank, r) : undefined,
      // Q is stored as B is.
      part.lowRank ? (tb ? block(input(p + 1), columns, rank, r) : input(p + 1)) : undefined,
      ...(part.epilogue === undefined ? [] : epilogueBindings(part.epilogue, block(output(1), rows, columns, ldc), extras)),
    ];
    const plan = target.matmul(multiplied(target.precision, part));
    return launch(plan.kernel, matmulDims(part, scale), operands, plan.grid, plan.constants);
  });
};

/** The product C Mᵀ of coefficients [rows, rank] with a basis M [width, rank]. */
export const projectionShape = (rows: number, width: number, rank: number): MatmulShape => ({
  ...{ m: rows, n: width, k: rank, r: 0, ta: false, tb: true, batch: 1, heads: 1, lda: rank, ldb: rank, ldc: width },
  ...{ aOuter: 0, aHead: 0, bOuter: 0, bHead: 0, cOuter: 0, cHead: 0, bias: false, lowRank: false },
});

/** Subtracts C Mᵀ from x: the inputs are C, M and x, the output is like x. */
export const projectionLaunch = ({ adapter }: Bounds, shape: MatmulShape): Launch => {
  const [plan] = registerPlans(adapter, shape);
  return launch("project", matmulDims(shape), [input(0), input(1), output(0), undefined, undefined, undefined, input(2)], plan.grid, plan.constants);
};
