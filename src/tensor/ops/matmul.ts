/**
 * Matrix products in every transpose form, batched over attention heads, with a bias and a low-rank pair in the epilogue.
 *
 *     C = scale · op(A) op(B) + P op(Q) + bias
 */
import type { BindingBound } from "../../kernels/bounds.ts";
import { mostExtras, type Epilogue } from "../../kernels/epilogue.ts";
import { expressionOf, valuesOf } from "../../kernels/expression.ts";
import type { MatmulShape } from "../../kernels/matmul.ts";
import { productLaunches, productScratch, productShapes } from "../../kernels/product.ts";
import { productShape, type ProductForm } from "../../kernels/productShape.ts";
import { applyAll, check, inputsOf, reshape, show, size, type Halves, type Node, type Shape, type Tensor } from "../tensor.ts";
import { add } from "./elementwise.ts";
import { sumRows, sumTo } from "./reduce.ts";

/** The pair of the low-rank epilogue p qᵀ: p [m, r] and q, stored like B with r in the place of k. */
export interface LowRank {
  readonly p: Tensor;
  readonly q: Tensor;
}

const plain: ProductForm = { ta: false, tb: false, heads: 1, layouts: ["rows", "rows", "rows"], scale: 1 };

/** The operands of a product beside A and B, and what it is stored as. */
interface Beside {
  readonly bias?: Tensor;
  readonly lowRank?: LowRank;
  /** C is stored as f16. */
  readonly half?: boolean;
}

/** How a product was made: kept for rewrites that look at neighbours. */
interface Recipe extends Beside {
  readonly form: ProductForm;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly shape: Shape;
  /** What is computed of the sums with their bias; what that reads are the last inputs of the node. */
  readonly more?: Epilogue;
}

/** The sizes and strides of a product as its kernels take them. Throws where its operands do not fit. */
const shapeOf = ({ form, a, b, shape, bias, lowRank, more, half }: Recipe): MatmulShape => {
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
  const types = Object.entries({ a: a.dtype === "f16", b: b.dtype === "f16", c: half === true }).filter(([, stored]) => stored);
  return {
    ...{ ...sizes!, r, bias: bias !== undefined, lowRank: lowRank !== undefined, epilogue: more },
    ...(types.length === 0 ? {} : { types: Object.fromEntries(types.map(([operand]) => [operand, "f16" as const])) }),
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

/** Storage bindings of a product at most. */
const mostBindings = 8;

/** How a product reads factors and writes its value as f16. */
const halves = (recipe: Recipe): Halves => ({
  inputs: [true, true, false, false, false],
  outputs: [true],
  of: (inputs, [type]) => productAll(inputs, { ...recipe, a: inputs[0], b: inputs[1], half: type === "f16" }),
});

/** A product of tensors: A, B and, where the recipe says so, the bias, P, Q and what its epilogue reads, in this order. */
const productAll = (inputs: readonly Tensor[], recipe: Recipe): readonly Tensor[] => {
  const { form, shape, more, half } = recipe;
  const sizes = shapeOf(recipe);
  return applyAll(
    {
      name: "matmul",
      attributes: { ...recipe },
      ...(sizes.types === undefined ? {} : { readsHalf: true }),
      ...(more === undefined ? { halves: halves(recipe) } : {}),
      products: (bounds) => productShapes(bounds, sizes),
      scratch: (target) => [productScratch(target, sizes)].filter((elements) => elements > 0).map((elements) => ({ shape: [elements], dtype: "f32" as const })),
      lower: (target) => productLaunches(target, sizes, form.scale),
      ...(more === undefined ? { vjp: (_, [dc], needed) => (dc === undefined ? [] : gradients(recipe, dc, needed)) } : {}),
    },
    inputs,
    (more === undefined ? [0] : valuesOf(more.expression)).map(() => ({ shape, dtype: half === true ? "f16" : "f32" })),
  );
};

const product = (a: Tensor, b: Tensor, form: ProductForm, shape: Shape, beside: Beside = {}): Tensor => {
  for (const factor of [a, b]) check(factor.dtype !== "f16", "matmul", () => `${show(factor)} must be widened first`);
  const { bias, lowRank } = beside;
  const others = [...(bias === undefined ? [] : [bias]), ...(lowRank === undefined ? [] : [lowRank.p, lowRank.q])];
  return productAll([a, b, ...others], { form, a, b, shape, ...beside })[0];
};

/** Options of {@link matmul}. */
export interface MatmulOptions {
  readonly ta?: boolean;
  readonly tb?: boolean;
  readonly scale?: number;
}

/** `scale · op(a) op(b)` of two matrices; leading dimensions of an untransposed `a` count as rows. */
export const matmul = (a: Tensor, b: Tensor, { ta = false, tb = false, scale = 1 }: MatmulOptions = {}): Tensor => {
  const n = tb ? size(b.shape.slice(0, -1)) : b.shape[b.shape.length - 1];
  const lead = ta ? [a.shape[a.shape.length - 1]] : a.shape.slice(0, -1);
  return product(a, b, { ...plain, ta, tb, scale }, [...lead, n]);
};

/** `x Wᵀ + bias + p qᵀ`: a linear layer, W [out, in], with an optional low-rank update p [rows, r], q [out, r]. */
export const linear = (x: Tensor, weight: Tensor, bias?: Tensor, lowRank?: LowRank): Tensor =>
  product(x, weight, { ...plain, tb: true }, [...x.shape.slice(0, -1), weight.shape[0]], { bias, lowRank });

/** How many queries' heads share a head of keys and values. Fails where the heads of keys do not divide those of queries. */
const sharing = (op: string, heads: number, keyHeads: number): number => {
  check(heads % keyHeads === 0, op, () => `${keyHeads} heads of keys for ${heads} of queries`);
  return heads / keyHeads;
};

/**
 * Scores of attention, `scale · Q Kᵀ` per head: [batch, queries, heads · d] × [batch, keys, keyHeads · d] → [batch, heads, queries, keys]. With fewer heads of
 * keys than of queries (Ainslie et al., 2023) each serves heads / keyHeads consecutive heads of queries; nothing is repeated in memory.
 */
export const attentionScores = (q: Tensor, k: Tensor, heads: number, scale: number, keyHeads: number = heads): Tensor => {
  const share = sharing("attentionScores", heads, keyHeads);
  const [batch, queries, width] = q.shape;
  const shape = [batch, heads, queries, k.shape[1]];
  const form: ProductForm = { ta: false, tb: true, heads, share, layouts: ["split", "split", "heads"], scale };
  if (queries !== 1 || share === 1) return product(q, k, form, shape);
  // One query a sample, while generating: the heads that share keys are the rows of one product.
  const rows = reshape(q, [batch, keyHeads, share, width / heads]);
  return reshape(product(rows, k, { ...form, heads: keyHeads, share: 1, layouts: ["heads", "split", "heads"] }, [batch, keyHeads, share, k.shape[1]]), shape);
};

/** `P V` per head: [batch, heads, queries, keys] × [batch, keys, keyHeads · d] → [batch, queries, heads · d]; shared as in {@link attentionScores}. */
export const attentionValues = (p: Tensor, v: Tensor, heads: number, keyHeads: number = heads): Tensor => {
  const share = sharing("attentionValues", heads, keyHeads);
  const [batch, , queries, keys] = p.shape;
  const d = v.shape[2] / keyHeads;
  const shape = [batch, queries, heads * d];
  const form: ProductForm = { ta: false, tb: false, heads, share, layouts: ["heads", "split", "split"], scale: 1 };
  if (queries !== 1 || share === 1) return product(p, v, form, shape);
  const rows = reshape(p, [batch, keyHeads, share, keys]);
  return reshape(product(rows, v, { ...form, heads: keyHeads, share: 1, layouts: ["heads", "split", "heads"] }, [batch, keyHeads, share, d]), shape);
};

/** The recipe of a product; undefined for another node. */
const recipeOf = (node: Node): Recipe | undefined =>
  node.kind === "apply" && node.op.name === "matmul" ? (node.op.attributes as unknown as Recipe) : undefined;

/** The form of a product that has nothing but its two operands; undefined for another node. */
export const formOf = (node: Node): ProductForm | undefined => (inputsOf(node).length === 2 ? recipeOf(node)?.form : undefined);

/**
 * The outputs of a product that computes more of its sums before it stores them; they have no gradient. `extras` are what the expression reads behind the
 * product's value. Undefined for another node, for a product of two outputs or of f16, for too many tensors, and where sums are cut into windows.
 */
export const withEpilogue = (
  node: Node,
  { expression, operands }: Epilogue,
  extras: readonly Tensor[],
  bounds: BindingBound,
): readonly Tensor[] | undefined => {
  const recipe = recipeOf(node);
  if (node.kind !== "apply" || recipe === undefined || node.outputs.length > 1 || node.outputs[0].dtype !== "f32") return undefined;
  const read = recipe.more?.operands ?? [];
  const all = expressionOf(1 + read.length + operands.length);
  const [value] = recipe.more === undefined ? [0] : all.append(recipe.more.expression, [0, ...read.map((_, i) => 1 + i)]);
  const values = all.append(expression, [value, ...operands.map((_, i) => 1 + read.length + i)]);
  const more: Epilogue = { expression: all.whole(values), operands: [...read, ...operands] };
  const bindings = node.inputs.length + extras.length + values.length;
  if (more.operands.length > mostExtras || bindings > mostBindings || node.op.products!(bounds).some(({ add }) => add === true)) return undefined;
  return productAll([...node.inputs, ...extras], { ...recipe, a: node.inputs[0], b: node.inputs[1], more });
};

/** The widest product that is worth folding into another's epilogue; wider ones cost more there than an addition. */
const epilogueRank = 64;

/**
 * The sum of two products, where the second is a thin one of the same form (the path through a low-rank adapter beside the path through its weight): it becomes
 * the epilogue of the first. Undefined where it cannot.
 */
export const withThin = (wide: Tensor, thin: Tensor): Tensor | undefined => {
  const [w, t] = [recipeOf(wide.node), recipeOf(thin.node)];
  if (w === undefined || t === undefined) return undefined;
  const fits =
    [w.form, t.form].every((form) => form.layouts.every((l) => l === "rows") && !form.ta && form.scale === 1) &&
    [w, t].every(({ bias, lowRank, more }) => bias === undefined && lowRank === undefined && more === undefined);
  if (!fits || w.form.tb !== t.form.tb || t.a.shape[t.a.shape.length - 1] > epilogueRank) return undefined;
  // Products may have been rewritten: their inputs are those of the nodes.
  const [[a, b], [p, q]] = [inputsOf(wide.node), inputsOf(thin.node)];
  if ([p, q, wide, thin].some(({ dtype }) => dtype !== "f32")) return undefined;
  return productAll([a, b, p, q], { ...w, a, b, lowRank: { p, q } })[0];
};

/** The sum of two gradients. Where one is a thin product beside the other, the addition costs nothing. */
export const accumulate = (x: Tensor, y: Tensor): Tensor => withThin(x, y) ?? withThin(y, x) ?? add(x, y);
