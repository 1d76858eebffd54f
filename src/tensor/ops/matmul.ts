/**
 * Matrix products in every transpose form, batched over attention heads, with a bias and a low-rank pair in the epilogue.
 *
 *     C = scale · op(A) op(B) + P op(Q) + bias
 *
 * An operand is laid out as `rows` (all leading dimensions are rows of one matrix), as `heads` ([batch, heads, rows, columns]) or
 * as `split` ([batch, rows, heads · columns]): the last is how a transformer's projections leave their heads, read with strides
 * instead of being transposed in memory.
 */
import { f32, input, output, rowWindows, windowOf, type Bounds, type Launch, type Operand } from "../../kernels/launch.ts";
import type { Target } from "../../kernels/target.ts";
import type { MatmulShape } from "../../kernels/matmul.ts";
import { apply, check, floats, show, size, type Node, type Shape, type Spec, type Tensor } from "../tensor.ts";
import { add } from "./elementwise.ts";
import { sumRows } from "./reduce.ts";

type Layout = "rows" | "heads" | "split";

/** A tensor as a batch of matrices: rows, columns and the strides between rows, batches and heads, in elements. */
interface Matrices {
  readonly rows: number;
  readonly columns: number;
  readonly ld: number;
  readonly outer: number;
  readonly head: number;
  readonly batch: number;
}

const matrices = (shape: Shape, layout: Layout, heads: number): Matrices => {
  const [last, ...lead] = [...shape].reverse();
  if (layout === "rows") return { rows: size(lead), columns: last, ld: last, outer: 0, head: 0, batch: 1 };
  if (layout === "heads") {
    const rows = shape[shape.length - 2];
    return { rows, columns: last, ld: last, outer: heads * rows * last, head: rows * last, batch: size(lead.slice(1)) };
  }
  const rows = shape[shape.length - 2];
  return { rows, columns: last / heads, ld: last, outer: rows * last, head: last / heads, batch: size(lead.slice(1)) * heads };
};

/** What a product is, apart from its tensors. */
interface Form {
  /** A is stored transposed, [k, m]. */
  readonly ta: boolean;
  /** B is stored transposed, [n, k], as in x·Wᵀ. */
  readonly tb: boolean;
  readonly heads: number;
  readonly layouts: readonly [a: Layout, b: Layout, c: Layout];
  readonly scale: number;
}

/** The pair of the low-rank epilogue p qᵀ: p [m, r] and q, stored like B with r in the place of k. */
export interface LowRank {
  readonly p: Tensor;
  readonly q: Tensor;
}

type Activation = "quickGelu" | "gelu";

const plain: Form = { ta: false, tb: false, heads: 1, layouts: ["rows", "rows", "rows"], scale: 1 };

const product = (a: Tensor, b: Tensor, form: Form, shape: Shape, bias?: Tensor, lowRank?: LowRank, activation?: Activation): Tensor => {
  const { ta, tb, heads, layouts, scale } = form;
  const am = matrices(a.shape, layouts[0], heads);
  const bm = matrices(b.shape, layouts[1], heads);
  const cm = matrices(shape, layouts[2], heads);
  const [m, k] = ta ? [am.columns, am.rows] : [am.rows, am.columns];
  const [kb, n] = tb ? [bm.columns, bm.rows] : [bm.rows, bm.columns];
  const r = lowRank === undefined ? 0 : lowRank.p.shape[lowRank.p.shape.length - 1];
  check(
    k === kb && m === cm.rows && n === cm.columns && am.batch === bm.batch && am.batch === cm.batch,
    "matmul",
    () => `${show(a)}${ta ? "ᵀ" : ""} times ${show(b)}${tb ? "ᵀ" : ""} does not make [${shape.join(", ")}]`,
  );
  check(bias === undefined || size(bias.shape) === n, "matmul", () => `bias ${show(bias!)} for ${n} columns`);
  check(
    lowRank === undefined || (size(lowRank.p.shape) === m * r && size(lowRank.q.shape) === n * r),
    "matmul",
    () => `low-rank pair ${show(lowRank!.p)}, ${show(lowRank!.q)} for [${m}, ${n}]`,
  );

  const words: MatmulShape = {
    m,
    n,
    k,
    r,
    ta,
    tb,
    batch: cm.batch,
    heads,
    lda: am.ld,
    ldb: bm.ld,
    ldc: cm.ld,
    aOuter: am.outer,
    aHead: am.head,
    bOuter: bm.outer,
    bHead: bm.head,
    cOuter: cm.outer,
    cHead: cm.head,
    bias: bias !== undefined,
    lowRank: lowRank !== undefined,
    activation,
  };
  // A B larger than a binding is read in windows of its rows: each gives some columns of C, or (not transposed) some terms of its sums.
  const parts = (bounds: Bounds) => {
    const whole = size(b.shape) <= bounds.maxBinding || cm.batch > 1 || (!tb && activation !== undefined);
    const windows = whole ? [{ first: 0, count: bm.rows }] : rowWindows(bounds, bm.rows, bm.ld);
    return windows.map(({ first, count }, i) => {
      const epilogue = tb || i === windows.length - 1;
      const part = tb ? { n: count } : { k: count, add: i > 0, bias: words.bias && epilogue, lowRank: words.lowRank && epilogue };
      return { first, count, whole, shape: { ...words, ...part } };
    });
  };
  const inputs = [a, b, ...(bias === undefined ? [] : [bias]), ...(lowRank === undefined ? [] : [lowRank.p, lowRank.q])];
  const after = bias === undefined ? 2 : 3;
  return apply(
    {
      name: "matmul",
      attributes: {
        form,
        bias,
        lowRank,
        a,
        b,
        inner: k,
        activated: (f: Activation) => (activation === undefined ? product(a, b, form, shape, bias, lowRank, f).node : undefined),
      },
      products: (bounds) => parts(bounds).map((part) => part.shape),
      lower: (target: Target) =>
        parts(target).map(({ first, count, whole, shape: form }): Launch => {
          const plan = target.matmul(form);
          const cut = (operand: Operand, stride: number, rows: number): Operand => (whole ? operand : windowOf(operand, first * stride, rows * stride));
          const from = (operand: Operand, t: Spec, offset: number): Operand => (whole ? operand : windowOf(operand, offset, size(t.shape) - offset));
          const inB = (operand: Operand, stride: number): Operand => (tb ? cut(operand, stride, count) : operand);
          return {
            kernel: plan.kernel,
            constants: plan.constants,
            dims: [m, form.n, form.k, r, am.ld, bm.ld, cm.ld, heads, am.outer, am.head, bm.outer, bm.head, cm.outer, cm.head, f32(scale), cm.batch],
            operands: [
              tb ? input(0) : from(input(0), a, ta ? first * am.ld : first),
              cut(input(1), bm.ld, count),
              tb ? from(output(0), floats(shape), first) : output(0),
              form.bias ? inB(input(2), 1) : undefined,
              form.lowRank ? input(after) : undefined,
              form.lowRank ? inB(input(after + 1), r) : undefined,
            ],
            grid: plan.grid,
          };
        }),
      vjp: (_, [dc], needed) => {
        if (dc === undefined) return [];
        const [la, lb, lc] = layouts;
        // With F the stored factor: C = AB, A Bᵀ, AᵀB or AᵀBᵀ; each gradient is again a product of one of these forms.
        const da = (): Tensor =>
          ta
            ? product(b, dc, { ta: tb, tb: true, heads, scale, layouts: [lb, lc, la] }, a.shape)
            : product(dc, b, { ta: false, tb: !tb, heads, scale, layouts: [lc, lb, la] }, a.shape);
        const db = (): Tensor =>
          tb
            ? product(dc, a, { ta: true, tb: ta, heads, scale, layouts: [lc, la, lb] }, b.shape)
            : product(a, dc, { ta: !ta, tb: false, heads, scale, layouts: [la, lc, lb] }, b.shape);
        const grads: (Tensor | undefined)[] = [needed[0] ? da() : undefined, needed[1] ? db() : undefined];
        if (bias !== undefined) grads.push(needed[2] ? sumRows(dc) : undefined);
        if (lowRank !== undefined) {
          const { p, q } = lowRank;
          grads.push(needed[after] ? product(dc, q, { ...plain, tb: !tb }, p.shape) : undefined);
          grads.push(needed[after + 1] ? (tb ? product(dc, p, { ...plain, ta: true }, q.shape) : product(p, dc, { ...plain, ta: true }, q.shape)) : undefined);
        }
        return grads;
      },
    },
    inputs,
    floats(shape),
  );
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
  product(x, weight, { ...plain, tb: true }, [...x.shape.slice(0, -1), weight.shape[0]], bias, lowRank);

/** Scores of attention, `scale · Q Kᵀ` per head: [batch, queries, width] × [batch, keys, width] → [batch, heads, queries, keys]. */
export const attentionScores = (q: Tensor, k: Tensor, heads: number, scale: number): Tensor =>
  product(q, k, { ta: false, tb: true, heads, layouts: ["split", "split", "heads"], scale }, [q.shape[0], heads, q.shape[1], k.shape[1]]);

/** `P V` per head: [batch, heads, queries, keys] × [batch, keys, width] → [batch, queries, width]. */
export const attentionValues = (p: Tensor, v: Tensor, heads: number): Tensor =>
  product(p, v, { ta: false, tb: false, heads, layouts: ["heads", "split", "split"], scale: 1 }, [v.shape[0], p.shape[2], v.shape[2]]);

/** The node of a product with an activation in its epilogue; it has no gradient. Undefined for anything else than a plain product. */
export const withActivation = (node: Node, activation: Activation): Node | undefined => {
  if (node.kind !== "apply" || node.op.name !== "matmul") return undefined;
  const fused = (node.op.attributes as { readonly activated: (f: Activation) => Node | undefined }).activated(activation);
  // The product may have been rewritten itself: its inputs are those of the node, not those it was made from.
  return fused?.kind === "apply" ? { ...fused, inputs: node.inputs } : undefined;
};

/** What a product keeps of how it was made; another operation keeps no form. */
interface Made {
  readonly form?: Form;
  readonly bias?: Tensor;
  readonly lowRank?: LowRank;
  readonly a: Tensor;
  readonly b: Tensor;
}

/** The widest product that is worth folding into another's epilogue; wider ones cost more there than an addition. */
const epilogueRank = 64;

/**
 * The sum of two gradients. Where one is a thin product of the same form as the other (the path through a low-rank adapter beside
 * the path through its weight), it becomes that one's epilogue, and the addition costs nothing.
 */
export const accumulate = (x: Tensor, y: Tensor): Tensor => {
  const fold = (wide: Tensor, thin: Tensor): Tensor | undefined => {
    if (wide.node.kind !== "apply" || thin.node.kind !== "apply") return undefined;
    const w = wide.node.op.attributes as Made | undefined;
    const t = thin.node.op.attributes as Made | undefined;
    if (w?.form === undefined || t?.form === undefined) return undefined;
    const fits =
      [w.form, t.form].every((form) => form.layouts.every((l) => l === "rows") && !form.ta && form.scale === 1) &&
      [w, t].every(({ bias, lowRank }) => bias === undefined && lowRank === undefined);
    if (!fits || w.form.tb !== t.form.tb || t.a.shape[t.a.shape.length - 1] > epilogueRank) return undefined;
    return product(w.a, w.b, w.form, wide.shape, undefined, { p: t.a, q: t.b });
  };
  return fold(x, y) ?? fold(y, x) ?? add(x, y);
};
