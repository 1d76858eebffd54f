/** A matrix product as its kernels take it: sizes, strides and epilogue. */
import type { Precision } from "../device/device.ts";
import type { Dims } from "./dims.ts";
import { epilogueConstants, type Epilogue } from "./epilogue.ts";
import type { Grid } from "./launch.ts";
import type { Constants } from "./template.ts";

/** The operands of a product that are stored as f16; the others are f32, and so are its sums. */
export interface ProductTypes {
  readonly a?: "f16";
  readonly b?: "f16";
  readonly c?: "f16";
}

/**
 * `C[z] = f(scale · op(A[z]) op(B[z]) + P op(Q) + bias)`, z = outer · heads + head < batch; op(A) is [m, k], op(B) is [k, n].
 * Strides are in elements: `ld*` between stored rows, `*Outer` and `*Head` between matrices; B's of a head is head / share.
 */
export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly r: number;
  /** A is stored transposed, [k, m]. */
  readonly ta: boolean;
  /** B is stored transposed, [n, k]. */
  readonly tb: boolean;
  readonly batch: number;
  readonly heads: number;
  /** Consecutive heads that have one matrix of B in common. Default 1. */
  readonly share?: number;
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
  readonly aOuter: number;
  readonly aHead: number;
  readonly bOuter: number;
  readonly bHead: number;
  readonly cOuter: number;
  readonly cHead: number;
  /** The matrices of the batch are products of their own: each is split along k as it would be alone. */
  readonly separate?: true;
  readonly bias: boolean;
  /** P [m, r] and Q, stored as B is, with r in the place of k; for one matrix only. */
  readonly lowRank: boolean;
  /** Elements from the numbers of one matrix's columns to those of the next, for operands of the epilogue that have some for each. Default 0. */
  readonly columnStep?: number;
  /** What is computed of the sums. */
  readonly epilogue?: Epilogue;
  /** C += instead of C =. */
  readonly add?: boolean;
  /**
   * The product is split along k: C is so many parts of [batch, m, n], laid out as wgsl/parts/split.wgsl says, without an epilogue but P op(Q), which comes
   * with the last. A launch of `matmul-parts` adds them up.
   */
  readonly parts?: number;
  /** What the operands are stored as. Default: all f32. Kernels that read or write f16 need `shader-f16`. */
  readonly types?: ProductTypes;
  /**
   * What operands may be multiplied as where the adapter has units for it, whatever they are stored as: rounded to f16. With "f32" they are f32 whatever a
   * precision says. Default: f32, in mixed precision as {@link multiplied} says.
   */
  readonly multiply?: "f32" | "f16";
}

/** A product as it is multiplied in a precision: in mixed precision, where A or B is stored as f16, the other is rounded to f16. */
export const multiplied = (precision: Precision, shape: MatmulShape): MatmulShape =>
  precision === "mixed" && (shape.types?.a ?? shape.types?.b) !== undefined && shape.multiply === undefined ? { ...shape, multiply: "f16" } : shape;

/** Multiplications with an addition that a product takes, its epilogue left out. */
export const matmulWork = ({ batch, m, n, k }: MatmulShape): number => batch * m * n * k;

/** The kernels that compute products. */
export const matmulKernels = ["matmul-registers", "matmul-tiled", "matmul-matrix"] as const;

/** The name of a kernel that computes products. */
export type MatmulKernel = (typeof matmulKernels)[number];

/** Terms of a sum that is split into so many parts: all but the last have these. The number is a multiple of the steps that kernels take along k. */
export const partTerms = (k: number, parts: number): number => 32 * Math.ceil(k / parts / 32);

/** The uniform of a product; `scale` multiplies op(A) op(B). */
export const matmulDims = (shape: MatmulShape, scale = 1): Dims<MatmulKernel> => {
  const { m, n, k, r, lda, ldb, ldc, heads, share = 1, aOuter, aHead, bOuter, bHead, cOuter, cHead, batch, parts = 1, columnStep = 0 } = shape;
  return { m, n, k, r, lda, ldb, ldc, heads, aOuter, aHead, bOuter, bHead, cOuter, cHead, scale, batch, share, part: partTerms(k, parts), zero: 0, columnStep };
};

/** A way to compute one shape: a kernel, its constants and its grid. */
export interface MatmulPlan {
  readonly kernel: MatmulKernel;
  readonly constants: Constants;
  readonly grid: Grid;
}

/** Whether an operand of a product is stored as f16. */
export const isHalf = ({ types = {} }: MatmulShape): boolean => Object.values(types).includes("f16");

/** The constants that all kernels of products have in common: the transpose forms and the epilogue. */
export const formConstants = (s: MatmulShape): Constants => ({
  HALF: isHalf(s),
  C: s.types?.c ?? "f32",
  TA: s.ta,
  TB: s.tb,
  BIAS: s.bias,
  LOW_RANK: s.lowRank,
  ADD: s.add === true,
  ...epilogueConstants(s.epilogue),
});

/** Whether an operand can be read four elements at a time: its strides, and the extent that it is stored along. */
export const aligned = (extent: number, ...strides: readonly number[]): boolean => [extent, ...strides].every((x) => x % 4 === 0);

const fours = { f32: "vec4f", f16: "vec4h" } as const;

/** What an operand is stored as, one element at a time or four. */
export const stored = (type: "f16" | undefined, vec4: boolean): string => (vec4 ? fours[type ?? "f32"] : (type ?? "f32"));

/** A plan with what it is thought to cost, in units that the plans of one kernel share. */
export interface Costed {
  readonly plan: MatmulPlan;
  readonly cost: number;
}

/** By cost, cheapest first, each text once. */
export const ranked = (candidates: readonly Costed[]): readonly MatmulPlan[] => {
  const plans = [...candidates].sort((x, y) => x.cost - y.cost).map(({ plan }): readonly [string, MatmulPlan] => [JSON.stringify(plan), plan]);
  return [...new Map(plans).values()];
};
