/** Attention as one operation, which writes no scores. `passes/attention.ts` puts it in the place of scores, softmax and values where it is faster. */
import { attentionFactsLaunch, attentionLaunch, type AttentionShape } from "../../kernels/attention.ts";
import { input, output } from "../../kernels/launch.ts";
import { apply, applyAll, check, floats, indices, show, size, type Tensor } from "../tensor.ts";
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

/** What the gradients need of every query: u32 [batch, heads, queries, 4]. */
const factsOf = ({ shape, causal, starts, at }: Attention, o: Tensor, dy: Tensor, lse: Tensor): Tensor => {
  const { tensors, operands, constants } = boundPositions(3, { starts, at });
  const lower = () => [attentionFactsLaunch(shape, operands, { CAUSAL: causal, ...constants })];
  const facts = indices([shape.batch, shape.heads, shape.queries, 4]);
  return apply({ name: "attention (gradient, rows)", lower }, [o, dy, lse, ...tensors], facts);
};

const gradients = (a: Attention, inputs: readonly Tensor[], needed: readonly boolean[]): readonly (Tensor | undefined)[] => {
  const [q, k, v] = inputs;
  const read = [0, 1, 2, 3, 4].map(input);
  const dq = (): Tensor =>
    apply(
      {
        name: "attention (gradient, queries)",
        lower: (t) => [attentionLaunch(t, "attention-grad-queries", a.shape, a.scale, [...read, output(0)])],
      },
      inputs,
      floats(q.shape),
    );
  const [dk, dv] =
    needed[1] || needed[2]
      ? applyAll(
          {
            name: "attention (gradient, keys)",
            lower: (t) => [attentionLaunch(t, "attention-grad-keys", a.shape, a.scale, [...read, output(0), output(1)])],
          },
          inputs,
          [floats(k.shape), floats(v.shape)],
        )
      : [];
  return [needed[0] ? dq() : undefined, needed[1] ? dk : undefined, needed[2] ? dv : undefined];
};

/** The sizes of attention. Fails (while tracing) where shapes do not fit. */
export const attentionShape = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): AttentionShape => attentionOf(q, k, v, options).shape;

/** The gradients of q, k and v, those that are needed, from the gradient dy of attention's output o. */
export const attentionGradients = (
  [q, k, v]: readonly [q: Tensor, k: Tensor, v: Tensor],
  [o, lse]: readonly Tensor[],
  dy: Tensor,
  options: AttentionOptions,
  needed: readonly boolean[],
): readonly (Tensor | undefined)[] => {
  const a = attentionOf(q, k, v, options);
  return gradients(a, [q, k, v, dy, factsOf(a, o, dy, lse)], needed);
};

/** The output of {@link flashAttention}, and the log of every query's sum of exponentials, which its gradient reads: [batch, heads, queries]. */
export const attentionOutputs = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): readonly Tensor[] => {
  const a = attentionOf(q, k, v, options);
  const { shape, scale, causal, starts, at } = a;
  const { tensors, operands, constants } = boundPositions(3, { starts, at });
  const bound = [input(0), input(1), input(2), ...operands, output(0), output(1)];
  return applyAll(
    {
      name: "attention",
      lower: (t) => [attentionLaunch(t, "attention", shape, scale, bound, { CAUSAL: causal, ...constants })],
      vjp: (outputs, [dy], needed) => (dy === undefined ? [] : attentionGradients([q, k, v], outputs, dy, options, needed)),
    },
    [q, k, v, ...tensors],
    [floats(q.shape), floats([shape.batch, shape.heads, shape.queries])],
  );
};

/**
 * Attention, `softmax(scale · q kᵀ) v` for every head, without scores in memory (Dao et al., 2022): q [batch, queries, heads · width], k and v [batch, keys,
 * keyHeads · width] → like q. Masks are those of `softmax`; a query that sees no key gives 0, and takes no gradient. Heads are at most 128 wide, on adapters
 * with 16 KiB of workgroup memory 64. Fails (while tracing) where shapes do not fit.
 */
export const flashAttention = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor => attentionOutputs(q, k, v, options)[0];
