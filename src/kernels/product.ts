/** How a matrix product becomes launches: the kernel that the target chooses, in windows where B is larger than a binding. */
import type { BindingBound, Bounds } from "./bounds.ts";
import { input, launch, output, type Launch, type Operand } from "./launch.ts";
import { matmulDims, registerPlans, type MatmulShape } from "./matmul.ts";
import type { Target } from "./target.ts";
import { rowWindows, windowOf } from "./windows.ts";

/** A window of the rows of B as it is stored, and the product that it gives. */
interface Part {
  readonly first: number;
  readonly count: number;
  readonly whole: boolean;
  readonly shape: MatmulShape;
}

/** Each window of B gives some columns of C where B is transposed, else some terms of its sums. An activation needs whole sums. */
const partsOf = (bounds: BindingBound, shape: MatmulShape): readonly Part[] => {
  const { tb, n, k, ldb, batch, bias, lowRank, activation } = shape;
  const rows = tb ? n : k;
  if (rows * ldb <= bounds.maxBinding || batch > 1 || (!tb && activation !== undefined)) return [{ first: 0, count: rows, whole: true, shape }];
  return rowWindows(bounds, rows, ldb).map(({ first, count }, i, { length }) => {
    const last = i === length - 1;
    const part = tb ? { n: count } : { k: count, add: i > 0, bias: bias && last, lowRank: lowRank && last };
    return { first, count, whole: false, shape: { ...shape, ...part } };
  });
};

/** The products that are computed for one product within the bounds of a device. */
export const productShapes = (bounds: BindingBound, shape: MatmulShape): readonly MatmulShape[] => partsOf(bounds, shape).map((part) => part.shape);

/** The launches of a product. Its inputs are A, B and, where the shape says so, the bias, P and Q, in this order. */
export const productLaunches = (target: Target, shape: MatmulShape, scale: number): readonly Launch[] =>
  partsOf(target, shape).map(({ first, count, whole, shape: part }) => {
    const { m, r, k, ta, tb, lda, ldb, ldc } = shape;
    const rows = (operand: Operand, width: number): Operand => (whole ? operand : windowOf(operand, first * width, count * width));
    const from = (operand: Operand, offset: number, elements: number): Operand => (whole ? operand : windowOf(operand, offset, elements - offset));
    const a = tb ? input(0) : from(input(0), ta ? first * lda : first, (ta ? k : m) * lda);
    const c = tb ? from(output(0), first, m * ldc) : output(0);
    const epilogue = (index: number, width: number): Operand => (tb ? rows(input(index), width) : input(index));
    const p = shape.bias ? 3 : 2;
    const operands = [
      a,
      rows(input(1), ldb),
      c,
      part.bias ? epilogue(2, 1) : undefined,
      part.lowRank ? input(p) : undefined,
      part.lowRank ? epilogue(p + 1, r) : undefined,
    ];
    const plan = target.matmul(part);
    return launch(plan.kernel, matmulDims(part, scale), operands, plan.grid, plan.constants);
  });

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
