/** The operation of a matrix product, in every transpose form, batched over heads or over operands that lie evenly, with all that happens to its sums. */
import type { Epilogue } from "../../kernels/epilogue.ts";
import { valuesOf } from "../../kernels/expression.ts";
import type { MatmulShape } from "../../kernels/matmul.ts";
import { productLaunches, productScratch, productShapes } from "../../kernels/product.ts";
import { productShape, type ProductForm } from "../../kernels/productShape.ts";
import { applyAll, check, show, size, type Halves, type Node, type Span, type Shape, type Tensor } from "../tensor.ts";
import { sumRows, sumTo } from "./reduce.ts";

/** The pair of the low-rank epilogue p qᵀ: p [m, r] and q, stored like B with r in the place of k. */
export interface LowRank {
  readonly p: Tensor;
  readonly q: Tensor;
}

/** The form of a product of two matrices. */
export const plain: ProductForm = { ta: false, tb: false, heads: 1, layouts: ["rows", "rows", "rows"], scale: 1 };

/** The operands of a product beside A and B, and what it is stored as. */
export interface Beside {
  readonly bias?: Tensor;
  readonly lowRank?: LowRank;
  /** C is stored as f16. */
  readonly half?: boolean;
  /** The product is multiplied in f32 in every precision. Its gradients are not. */
  readonly exact?: boolean;
}

/** How a product was made: kept for rewrites that look at neighbours. */
export interface Recipe extends Beside {
  readonly form: ProductForm;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly shape: Shape;
  /** What is computed of the sums with their bias; what that reads are the last inputs of the node. */
  readonly more?: Epilogue;
  /** Several products of this recipe in one. */
  readonly batch?: Batch;
}

/** How many products, and the elements from the factors and values of one to those of the next. */
export interface Steps {
  readonly count: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Several products in one. */
export interface Batch extends Steps {
  /** Of operands of the epilogue that have an element for every column. */
  readonly columns?: number;
  /** Each of them is several itself. */
  readonly within?: Steps;
}

/** The values of a batch: their shape, and where they lie if there are gaps between them. Without gaps their own shape stands behind the count. */
const valuesOfBatch = ({ count, c, within }: Batch, shape: Shape): { readonly shape: Shape; readonly writes?: readonly Span[] } => {
  const length = size(shape);
  const inner = { count: 1, c: 0, ...within };
  const writes = Array.from({ length: count * inner.count }, (_, i) => ({ first: Math.floor(i / inner.count) * c + (i % inner.count) * inner.c, length }));
  const all = writes[writes.length - 1].first + length;
  if (all > writes.length * length) return { shape: [all], writes };
  return { shape: within === undefined ? [count, ...shape] : [all] };
};

/** Strides of products that are several each, as those of heads. */
const within = (outer: number, { count, a, b, c }: Steps): Partial<MatmulShape> => ({ batch: outer * count, heads: count, aHead: a, bHead: b, cHead: c });

/** The sizes and strides of a product as its kernels take them. Throws where its operands do not fit. */
export const sizesOf = ({ form, a, b, shape, bias, lowRank, more, half, exact, batch }: Recipe): MatmulShape => {
  const sizes = productShape(form, { a: a.shape, b: b.shape, c: shape });
  check(sizes !== undefined, "matmul", () => `${show(a)}${form.ta ? "ᵀ" : ""} times ${show(b)}${form.tb ? "ᵀ" : ""} does not make [${shape.join(", ")}]`);
  const { m, n } = sizes!;
  check(bias === undefined || size(bias.shape) === n, "matmul", () => `bias ${show(bias!)} for ${n} columns`);
  const r = lowRank === undefined ? 0 : lowRank.p.shape[lowRank.p.shape.length - 1];
  check(
    lowRank === undefined || (size(lowRank.p.shape) === m * r && size(lowRank.q.shape) === n * r),
    "matmul",
    () => `low-rank pair ${show(lowRank!.p)}, ${show(lowRank!.q)} for [${m}, ${n}]`,
  );
  const many = batch && {
    ...{ batch: batch.count, aOuter: batch.a, bOuter: batch.b, cOuter: batch.c, columnStep: batch.columns ?? 0, separate: true as const },
    ...(batch.within && within(batch.count, batch.within)),
  };
  const types = Object.entries({ a: a.dtype === "f16", b: b.dtype === "f16", c: half === true }).filter(([, stored]) => stored);
  return {
    ...{ ...sizes!, ...many, r, bias: bias !== undefined, lowRank: lowRank !== undefined, epilogue: more },
    ...(types.length === 0 ? {} : { types: Object.fromEntries(types.map(([operand]) => [operand, "f16" as const])) }),
    ...(types.length > 0 && exact === true ? { multiply: "f32" } : {}),
  };
};

/** The gradients of a product's inputs from that of its output: products again, since C = AB, A Bᵀ, AᵀB or AᵀBᵀ of the stored factors. */
const gradients = ({ form, a, b, bias, lowRank }: Recipe, dc: Tensor, needed: readonly boolean[]): readonly (Tensor | undefined)[] => {
  const {
    ta,
    tb,
    heads,
    share = 1,
    scale,
    layouts: [la, lb, lc],
  } = form;
  const da = (): Tensor =>
    ta
      ? product(b, dc, { ta: tb, tb: true, heads, scale, layouts: [lb, lc, la] }, a.shape)
      : product(dc, b, { ta: false, tb: !tb, heads, share, scale, layouts: [lc, lb, la] }, a.shape);
  // What the heads that share a matrix of B give it is summed.
  const [width, ...lead] = [...b.shape].reverse();
  const unshared = [...lead.reverse(), width * share];
  const dbs = (): Tensor =>
    tb
      ? product(dc, a, { ta: true, tb: ta, heads, scale, layouts: [lc, la, lb] }, unshared)
      : product(a, dc, { ta: !ta, tb: false, heads, scale, layouts: [la, lc, lb] }, unshared);
  const low = (width * share) / heads;
  const db = (): Tensor => (share === 1 ? dbs() : sumTo(dbs(), { outer: 1, mod: size(b.shape), div: 1, gap: { count: share, low } }, b.shape));
  const grads: (Tensor | undefined)[] = [needed[0] ? da() : undefined, needed[1] ? db() : undefined];
  if (bias !== undefined) grads.push(needed[2] ? sumRows(dc) : undefined);
  if (lowRank !== undefined) {
    const { p, q } = lowRank;
    const [needsP, needsQ] = needed.slice(grads.length);
    grads.push(needsP ? product(dc, q, { ...plain, tb: !tb }, p.shape) : undefined);
    grads.push(needsQ ? (tb ? product(dc, p, { ...plain, ta: true }, q.shape) : product(p, dc, { ...plain, ta: true }, q.shape)) : undefined);
  }
  return grads;
};

/** How a product reads factors and writes its value as f16. */
const halves = (recipe: Recipe): Halves => ({
  inputs: [true, true, false, false, false],
  outputs: [recipe.more === undefined],
  of: (inputs, [type]) => productAll(inputs, { ...recipe, a: inputs[0], b: inputs[1], half: type === "f16" }),
});

/** A product of tensors: A, B and, where the recipe says so, the bias, P, Q and what its epilogue reads, in this order. */
export const productAll = (inputs: readonly Tensor[], recipe: Recipe): readonly Tensor[] => {
  const { form, shape, more, half, batch } = recipe;
  const sizes = sizesOf(recipe);
  const values = batch === undefined ? { shape } : valuesOfBatch(batch, shape);
  return applyAll(
    {
      name: "matmul",
      // A bias and the factors of an adapter.
      exactFrom: 2,
      attributes: { ...recipe },
      ...(values.writes && { writes: values.writes }),
      halves: halves(recipe),
      products: (bounds) => productShapes(bounds, sizes),
      scratch: (target) => [productScratch(target, sizes)].filter((elements) => elements > 0).map((elements) => ({ shape: [elements], dtype: "f32" as const })),
      lower: (target) => productLaunches(target, sizes, form.scale),
      ...(more === undefined ? { vjp: (_, [dc], needed) => (dc === undefined ? [] : gradients(recipe, dc, needed)) } : {}),
    },
    inputs,
    (more === undefined ? [0] : valuesOf(more.expression)).map(() => ({
      shape: values.shape,
      dtype: half === true ? "f16" : "f32",
    })),
  );
};

/** A product of two tensors of f32. Throws where they do not fit. */
export const product = (a: Tensor, b: Tensor, form: ProductForm, shape: Shape, beside: Beside = {}): Tensor => {
  for (const factor of [a, b]) check(factor.dtype !== "f16", "matmul", () => `${show(factor)} must be widened first`);
  const { bias, lowRank } = beside;
  const others = [...(bias === undefined ? [] : [bias]), ...(lowRank === undefined ? [] : [lowRank.p, lowRank.q])];
  return productAll([a, b, ...others], { form, a, b, shape, ...beside })[0];
};

/** The recipe of a product; undefined for another node. */
export const recipeOf = (node: Node): Recipe | undefined =>
  node.kind === "apply" && node.op.name === "matmul" ? (node.op.attributes as unknown as Recipe) : undefined;
