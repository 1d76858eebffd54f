/** Attention as one operation, which writes no scores. `passes/attention.ts` puts it in the place of its parts where scores are small or large. */
import { attentionLaunch, widestHead, type AttentionShape } from "../../kernels/attention.ts";
import { input, output } from "../../kernels/launch.ts";
import { applyAll, check, floats, indices, show, size, type Dtype, type Halves, type Op, type Spec, type Tensor } from "../tensor.ts";
import { boundPositions, checkPositions, type Positions } from "./positions.ts";

/** Options of {@link flashAttention}. */
export interface AttentionOptions extends Positions {
  readonly heads: number;
  /** Heads of keys and values, each of which serves heads / keyHeads consecutive heads of queries. Default: `heads`. */
  readonly keyHeads?: number;
  /** What the products of queries and keys are multiplied by. Default: one over the root of a head's width. */
  readonly scale?: number;
  /** Query i sees key j only where j ≤ at + i. */
  readonly causal?: boolean;
}

/** Attention of tensors of certain shapes. */
interface Attention extends Required<Omit<AttentionOptions, keyof Positions>>, Positions {
  readonly shape: AttentionShape;
}

const attentionOf = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Attention => {
  const { heads, keyHeads = heads, starts, at, causal = false } = options;
  const name = "flashAttention";
  const half = [q, k, v].find(({ dtype }) => dtype !== "f32");
  check(half === undefined, name, () => `${show(half!)} must be widened first`);
  check(
    [q, k, v].every(({ shape }) => shape.length === 3),
    name,
    () => `${show(q)}, ${show(k)} and ${show(v)} are not all [batch, tokens, heads · width]`,
  );
  const [batch, queries, all] = q.shape;
  const [, keys, shared] = k.shape;
  const width = all / heads;
  const fits = k.shape[0] === batch && shared === keyHeads * width && size(v.shape) === size(k.shape) && v.shape[1] === keys && heads % keyHeads === 0;
  check(fits && Number.isInteger(width), name, () => `${show(q)}, ${show(k)} and ${show(v)} with ${heads} heads of queries and ${keyHeads} of keys`);
  checkPositions(name, batch, { starts, at });
  check(causal || at === undefined, name, () => `at ${show(at!)} without the causal mask`);
  const shape = { batch, heads, share: heads / keyHeads, queries, keys, width };
  return { heads, keyHeads, scale: options.scale ?? width ** -0.5, causal, starts, at, shape };
};

/** What a pass may give as f16: these inputs, and o. The operation on other inputs is made by `of`. */
const halves = (inputs: readonly number[], of: Halves["of"], o = false): Pick<Op, "halves"> => ({
  halves: { inputs: [0, 1, 2, 3, 4, 5].map((i) => inputs.includes(i)), outputs: [o], of },
});

/** What is kept of every query for the gradients. */
const factsOf = ({ shape }: Attention): Spec => indices([shape.batch, shape.heads, shape.queries, 4]);

const read = [0, 1, 2, 3, 4].map(input);

/** The gradient of q, from q, k, v, dy, the facts of every query and o; and the facts that the gradients of k and v need. */
const queriesGradient = (a: Attention, inputs: readonly Tensor[]): readonly Tensor[] => {
  const [q, k, v, , , o] = inputs;
  const types = { q: q.dtype, k: k.dtype, v: v.dtype, o: o.dtype };
  return applyAll(
    {
      name: "attention (gradient, queries)",
      ...halves([0, 1, 2, 5], (others) => queriesGradient(a, others)),
      lower: (t) => [attentionLaunch(t, "attention-grad-queries", a.shape, a.scale, [...read, input(5), output(0), output(1)], types)],
    },
    inputs,
    [floats(q.shape), factsOf(a)],
  );
};

/** The gradients of k and v, from q, k, v, dy and the facts. */
const keysGradients = (a: Attention, inputs: readonly Tensor[]): readonly Tensor[] => {
  const [q, k, v] = inputs;
  return applyAll(
    {
      name: "attention (gradient, keys)",
      ...halves([0, 1, 2], (others) => keysGradients(a, others)),
      lower: (t) => [attentionLaunch(t, "attention-grad-keys", a.shape, a.scale, [...read, output(0), output(1)], { q: q.dtype, k: k.dtype, v: v.dtype })],
    },
    inputs,
    [floats(k.shape), floats(v.shape)],
  );
};

/** The sizes of attention. Fails (while tracing) where shapes do not fit. */
export const attentionShape = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): AttentionShape => attentionOf(q, k, v, options).shape;

/** The gradients of q, k and v, those that are needed, from the gradient dy of attention's output o. */
export const attentionGradients = (
  [q, k, v]: readonly [q: Tensor, k: Tensor, v: Tensor],
  [o, facts]: readonly Tensor[],
  dy: Tensor,
  options: AttentionOptions,
  needed: readonly boolean[],
): readonly (Tensor | undefined)[] => {
  const a = attentionOf(q, k, v, options);
  const [dq, all] = queriesGradient(a, [q, k, v, dy, facts, o]);
  const [dk, dv] = needed[1] || needed[2] ? keysGradients(a, [q, k, v, dy, all]) : [];
  return [dq, dk, dv].map((gradient, i) => (needed[i] ? gradient : undefined));
};

const forward = (a: Attention, options: AttentionOptions, inputs: readonly Tensor[], type: Dtype = "f32"): readonly Tensor[] => {
  const [q, k, v] = inputs;
  const { shape, scale, causal } = a;
  const { operands, constants } = boundPositions(3, a);
  const bound = [input(0), input(1), input(2), ...operands, output(0), output(1)];
  const types = { q: q.dtype, k: k.dtype, v: v.dtype, o: type };
  return applyAll(
    {
      name: "attention",
      ...halves([0, 1, 2], (others, [other]) => forward(a, options, others, other), true),
      lower: (t) => [attentionLaunch(t, "attention", shape, scale, bound, types, { CAUSAL: causal, ...constants })],
      vjp: (outputs, [dy], needed) => (dy === undefined ? [] : attentionGradients([q, k, v], outputs, dy, options, needed)),
    },
    inputs,
    [{ shape: q.shape, dtype: type }, factsOf(a)],
  );
};

/** The output of {@link flashAttention}, and what its gradient reads of every query: u32 [batch, heads, queries, 4]. */
export const attentionOutputs = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): readonly Tensor[] => {
  const a = attentionOf(q, k, v, options);
  return forward(a, options, [q, k, v, ...boundPositions(3, a).tensors]);
};

/**
 * Attention, `softmax(scale · q kᵀ) v` for every head, without scores in memory (Dao et al., 2022): q [batch, queries, heads · width], k and v [batch, keys,
 * keyHeads · width] → like q. Masks are those of `softmax`; a query that sees no key gives 0, and takes no gradient. Heads are at most 128 wide, on adapters
 * with 16 KiB of workgroup memory 64. Fails (while tracing) where shapes do not fit.
 */
export const flashAttention = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor => {
  const { width } = attentionShape(q, k, v, options);
  check(width <= widestHead, "flashAttention", () => `heads are ${width} wide, and the kernels take ${widestHead} at most`);
  return attentionOutputs(q, k, v, options)[0];
};
