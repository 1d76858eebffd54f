/**
 * How a matrix product becomes launches: the kernel that the target chooses, in windows where an operand is larger than a binding, in parts along k where its
 * result is small.
 */
import type { BindingBound, Bounds } from "./bounds.ts";
import { epilogueBindings } from "./epilogue.ts";
import { input, launch, output, scratch, type Launch, type Operand, type Operands } from "./launch.ts";
import { isHalf, matmulDims, multiplied, type MatmulShape } from "./matmul.ts";
import { registerPlans } from "./registers.ts";
import { partial, partialElements, partsFor, sumLaunch } from "./split.ts";
import type { Target } from "./target.ts";
import { rowWindows, windowOf } from "./windows.ts";

/** A run of the rows of C, of its columns, or of the terms of its sums. */
interface Range {
  readonly first: number;
  readonly count: number;
}

/** A block of a product whose operands each fit a binding, and the product that it is. */
interface Block {
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
 * A product in blocks: an axis is cut where a matrix is larger than a binding that is stored along it. Windows of k are added up, the bias and the
 * low-rank pair with the last; an epilogue needs whole sums. A batch of products is not cut.
 */
const blocksOf = (bounds: BindingBound, shape: MatmulShape): readonly Block[] => {
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

/** What the launches of a product depend on. Without an adapter nothing is split along k. */
export type ProductBounds = BindingBound & Partial<Pick<Bounds, "adapter">>;

/** The products that are computed for one product within the bounds of a device. */
export const productShapes = (bounds: ProductBounds, shape: MatmulShape): readonly MatmulShape[] =>
  blocksOf(bounds, shape).map((block) => {
    const parts = partsFor(bounds.adapter, block.shape);
    return parts === 1 ? block.shape : partial(block.shape, parts);
  });

/** Elements that the launches of a product need between them. */
export const productScratch = (bounds: ProductBounds, shape: MatmulShape): number =>
  Math.max(...productShapes(bounds, shape).map((block) => (block.parts === undefined ? 0 : partialElements(block, block.parts))));

/** The launches of a product. Its inputs are A, B and, where the shape says so, the bias, P, Q and what its epilogue reads, in this order. */
export const productLaunches = (target: Target, shape: MatmulShape, scale: number): readonly Launch[] => {
  const { r, ta, tb, lda, ldb, ldc } = shape;
  const blocks = blocksOf(target, shape);
  return blocks.flatMap(({ rows, columns, terms, shape: product }) => {
    // A batch has strides of its own, and is whole.
    const block = (operand: Operand, down: Range, across: Range, stride: number): Operand =>
      blocks.length === 1 ? operand : windowOf(operand, down.first * stride + across.first, Math.max(0, (down.count - 1) * stride + across.count));
    const rank = { first: 0, count: r };
    const p = shape.bias ? 3 : 2;
    const all = { first: 0, count: 1 };
    const first = p + (shape.lowRank ? 2 : 0);
    const extras = (product.epilogue?.operands ?? []).map((meeting, j): Operand => {
      if (meeting === "same") return block(input(first + j), rows, columns, ldc);
      return meeting === "column" ? block(input(first + j), all, columns, 0) : input(first + j);
    });
    const c = block(output(0), rows, columns, ldc);
    const bias = product.bias ? block(input(2), all, columns, 0) : undefined;
    const factors = [
      ta ? block(input(0), terms, rows, lda) : block(input(0), rows, terms, lda),
      tb ? block(input(1), columns, terms, ldb) : block(input(1), terms, columns, ldb),
    ];
    const lowRank = [
      product.lowRank ? block(input(p), rows, rank, r) : undefined,
      // Q is stored as B is.
      product.lowRank ? (tb ? block(input(p + 1), columns, rank, r) : input(p + 1)) : undefined,
    ];
    const beside = product.epilogue === undefined ? [] : epilogueBindings(product.epilogue, block(output(1), rows, columns, ldc), extras);
    const compute = (whole: MatmulShape, ...to: Operands): Launch => {
      const plan = target.matmul(multiplied(target.precision, whole));
      return launch(plan.kernel, matmulDims(whole, scale), [...factors, ...to], plan.grid, plan.constants);
    };
    const parts = partsFor(target.adapter, product);
    return parts === 1
      ? [compute(product, c, bias, ...lowRank, ...beside)]
      : [
          compute(partial(product, parts), scratch(0), undefined, ...lowRank),
          sumLaunch(product, parts, [scratch(0), undefined, c, bias, undefined, undefined, ...beside]),
        ];
  });
};

/** The launch that computes the parts of a product, which has nothing but A and B, and nothing else: its output is all of them. */
export const partsLaunch = (target: Target, shape: MatmulShape, scale: number, parts: number): Launch => {
  const whole = partial(shape, parts);
  const plan = target.matmul(multiplied(target.precision, whole));
  return launch(plan.kernel, matmulDims(whole, scale), [input(0), input(1), output(0)], plan.grid, plan.constants);
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
