/** Which token comes next: the likeliest, or one that is drawn. */
import type { Random } from "../random.ts";

/** How tokens are chosen. */
export interface Sampling {
  /** What logits are divided by before a token is drawn; 0 takes the likeliest token. Default 0. */
  readonly temperature?: number;
  /** A token is drawn among the likeliest, as few of them as have this share of the probability together. Default 1: among all. */
  readonly topP?: number;
}

/** The place of the largest number; of equal ones the first. */
export const argmax = (numbers: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
};

/** The softmax of `logits / temperature`, but for its denominator: the likeliest has 1. */
const weightsOf = (logits: Float32Array, temperature: number): Float64Array => {
  const top = logits[argmax(logits)];
  return Float64Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
};

/** The likeliest tokens in their order, as few as have the share `topP` of the weight together; of equal ones the first. */
const nucleus = (weights: Float64Array, topP: number): readonly number[] => {
  const total = weights.reduce((sum, w) => sum + w, 0);
  // Tokens below this weight have no more than 1 - topP of the whole, even all of them together: only the others are sorted.
  const least = ((1 - topP) * total) / weights.length;
  const order: number[] = [];
  weights.forEach((w, token) => void (w >= least && order.push(token)));
  order.sort((a, b) => weights[b] - weights[a] || a - b);
  let sum = 0;
  const last = order.findIndex((token) => {
    sum += weights[token];
    return sum >= topP * total;
  });
  return last < 0 ? order : order.slice(0, last + 1);
};

/** The token that comes next by its logits. `draw` is asked for one number where a token is drawn, and for none where the likeliest is taken. */
export const sample = (logits: Float32Array, { temperature = 0, topP = 1 }: Sampling, draw: () => Pick<Random, "uniform">): number => {
  if (temperature === 0) return argmax(logits);
  const weights = weightsOf(logits, temperature);
  const among = topP < 1 ? nucleus(weights, topP) : [...weights.keys()];
  let left = draw().uniform() * among.reduce((sum, token) => sum + weights[token], 0);
  const drawn = among.find((token) => {
    left -= weights[token];
    return left < 0;
  });
  // Rounding may leave a little behind the last one.
  return drawn ?? argmax(logits);
};
