/**
 * The sizes and strides of a matrix product, from the shapes of its tensors.
 *
 * An operand is laid out as `rows` (all leading dimensions are rows of one matrix), as `heads` ([batch, heads, rows, columns]) or
 * as `split` ([batch, rows, heads · columns]): the last is how a transformer's projections leave their heads, read with strides
 * instead of being transposed in memory.
 */
import type { MatmulShape } from "./matmul.ts";

/** How an operand is laid out. */
export type OperandLayout = "rows" | "heads" | "split";

/** What a product is, apart from its tensors. */
export interface ProductForm {
  /** A is stored transposed, [k, m]. */
  readonly ta: boolean;
  /** B is stored transposed, [n, k], as in x·Wᵀ. */
  readonly tb: boolean;
  readonly heads: number;
  /** Consecutive heads that have one matrix of B in common, as grouped attention's do. Default 1. */
  readonly share?: number;
  readonly layouts: readonly [a: OperandLayout, b: OperandLayout, c: OperandLayout];
  readonly scale: number;
}

/** The shapes of a product's tensors. */
export interface ProductShapes {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly c: readonly number[];
}

/** A tensor as a batch of matrices: rows, columns and the strides between rows, batches and heads, in elements. */
interface Matrices {
  readonly rows: number;
  readonly columns: number;
  readonly ld: number;
  readonly outer: number;
  readonly head: number;
  readonly batch: number;
}

const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

const matrices = (shape: readonly number[], layout: OperandLayout, heads: number): Matrices => {
  const [last, ...lead] = [...shape].reverse();
  if (layout === "rows") return { rows: size(lead), columns: last, ld: last, outer: 0, head: 0, batch: 1 };
  const [rows, ...batch] = lead;
  if (layout === "heads") return { rows, columns: last, ld: last, outer: heads * rows * last, head: rows * last, batch: size(batch) };
  return { rows, columns: last / heads, ld: last, outer: rows * last, head: last / heads, batch: size(batch) * heads };
};

/** The product of a form on tensors of these shapes, without an epilogue; undefined where they do not fit. */
export const productShape = ({ ta, tb, heads, share = 1, layouts }: ProductForm, shapes: ProductShapes): MatmulShape | undefined => {
  const a = matrices(shapes.a, layouts[0], heads);
  const b = matrices(shapes.b, layouts[1], heads / share);
  const c = matrices(shapes.c, layouts[2], heads);
  const [m, k] = ta ? [a.columns, a.rows] : [a.rows, a.columns];
  const [kb, n] = tb ? [b.columns, b.rows] : [b.rows, b.columns];
  if (k !== kb || m !== c.rows || n !== c.columns || a.batch !== b.batch * share || a.batch !== c.batch) return undefined;
  return {
    ...{ m, n, k, r: 0, ta, tb, batch: c.batch, heads, ...(share === 1 ? {} : { share }), lda: a.ld, ldb: b.ld, ldc: c.ld },
    ...{ aOuter: a.outer, aHead: a.head, bOuter: b.outer, bHead: b.head, cOuter: c.outer, cHead: c.head, bias: false, lowRank: false },
  };
};
