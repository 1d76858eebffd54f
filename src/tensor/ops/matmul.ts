/**
 * Matrix products in every transpose form, batched over attention heads, with a bias and a low-rank pair in the epilogue.
 *
 *     C = scale · op(A) op(B) + P op(Q) + bias
 */
import { check, reshape, size, type Tensor } from "../tensor.ts";
import type { ProductForm } from "../../kernels/productShape.ts";
import { add } from "./elementwise.ts";
import { plain, product, type LowRank } from "./product.ts";
import { withThin } from "./productRewrites.ts";

export type { LowRank } from "./product.ts";

/** Options of {@link matmul}. */
export interface MatmulOptions {
  readonly ta?: boolean;
  readonly tb?: boolean;
  readonly scale?: number;
  /** Whether it is multiplied in f32 in mixed precision, too, as logits are. Default: false. */
  readonly exact?: boolean;
}

/** `scale · op(a) op(b)` of two matrices; leading dimensions of an untransposed `a` count as rows. */
export const matmul = (a: Tensor, b: Tensor, { ta = false, tb = false, scale = 1, exact }: MatmulOptions = {}): Tensor => {
  const n = tb ? size(b.shape.slice(0, -1)) : b.shape[b.shape.length - 1];
  const lead = ta ? [a.shape[a.shape.length - 1]] : a.shape.slice(0, -1);
  return product(a, b, { ...plain, ta, tb, scale }, [...lead, n], { exact });
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

/** The sum of two gradients. Where one is a thin product beside the other, the addition costs nothing. */
export const accumulate = (x: Tensor, y: Tensor): Tensor => withThin(x, y) ?? withThin(y, x) ?? add(x, y);
