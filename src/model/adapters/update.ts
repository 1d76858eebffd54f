/** What adapters add to weights, as factors: the form in which they are merged, written and read. */
import type { HostTensor, Tensors } from "../../formats/hostTensor.ts";

/** What is added to the weight [out, in] of a layer: B A. Gates and scales are folded into B; components that add nothing are left out. */
export interface Factors {
  readonly rank: number;
  /** [out, rank], row-major. */
  readonly B: Float64Array;
  /** [rank, in], row-major. */
  readonly A: Float32Array;
}

/** What training has changed of a model. */
export interface Update {
  /** By the name of the layer whose weight they are added to. */
  readonly factors: ReadonlyMap<string, Factors>;
  /** Weights that take the place of the model's, where it was trained in full. */
  readonly weights?: Tensors;
}

/** An update that changes nothing. */
export const noUpdate: Update = { factors: new Map() };

/** The factors of B [out, r] and A [r, in] without the components that add nothing. */
export const livingFactors = (B: Float64Array, A: Float32Array, r: number): Factors => {
  const [out, width] = r === 0 ? [0, 0] : [B.length / r, A.length / r];
  const living = Array.from({ length: r }, (_, k) => k).filter((k) => {
    for (let row = 0; row < out; row++) if (B[row * r + k] !== 0) return true;
    return false;
  });
  if (living.length === r) return { rank: r, B, A };
  const rank = living.length;
  const rows = new Float32Array(rank * width);
  living.forEach((k, at) => rows.set(A.subarray(k * width, (k + 1) * width), at * width));
  return { rank, B: Float64Array.from({ length: out * rank }, (_, i) => B[Math.floor(i / rank) * r + living[i % rank]]), A: rows };
};

/** A weight plus B A, summed in f64 and rounded once. */
const plus = ({ shape, data }: HostTensor, { rank, B, A }: Factors): HostTensor => {
  const [rows, columns] = shape;
  const sum = data.slice();
  const added = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    added.fill(0);
    for (let k = 0; k < rank; k++) {
      const c = B[row * rank + k];
      if (c === 0) continue;
      for (let column = 0; column < columns; column++) added[column] += c * A[k * columns + column];
    }
    for (let column = 0; column < columns; column++) sum[row * columns + column] = data[row * columns + column] + added[column];
  }
  return { shape, data: sum };
};

/**
 * A model with an update in its weights [out, in], each summed in f64 and rounded once; what is not updated is shared. The layers of the update must be the
 * model's.
 *
 * ```ts
 * const weights = new Map([["fc.weight", { shape: [1, 2], data: Float32Array.of(1, 2) }]]);
 * const factors = new Map([["fc", { rank: 1, B: Float64Array.of(3), A: Float32Array.of(1, -1) }]]);
 * assert.deepEqual([...adapter.mergeUpdate({ weights }, { factors }).weights.get("fc.weight")!.data], [4, -1]);
 * ```
 */
export const mergeUpdate = <M extends { readonly weights: Tensors }>(model: M, { factors, weights }: Update): M => {
  const all = new Map([...model.weights, ...(weights ?? [])]);
  for (const [layer, pair] of factors) all.set(`${layer}.weight`, plus(all.get(`${layer}.weight`)!, pair));
  return { ...model, weights: all };
};

/** (1 − alpha) a + alpha b, in f64 and rounded once. */
const between = (a: HostTensor, b: HostTensor, alpha: number): HostTensor =>
  a === b ? a : { shape: b.shape, data: b.data.map((x, i) => (1 - alpha) * a.data[i] + alpha * x) };

/**
 * The update to weights between the model's own and those behind an update: (1 − alpha) W + alpha W' (WiSE-FT, arXiv 2109.01903). Where `anchor` has a weight,
 * that stands for the model's own.
 *
 * ```ts
 * const weights = new Map([["fc.weight", { shape: [1, 2], data: Float32Array.of(1, 2) }]]);
 * const update = { factors: new Map(), weights: new Map([["fc.weight", { shape: [1, 2], data: Float32Array.of(3, -2) }]]) };
 * assert.deepEqual([...adapter.interpolatedUpdate({ weights }, update, 0.5).weights!.get("fc.weight")!.data], [2, 0]);
 * ```
 */
export const interpolatedUpdate = ({ weights: own }: { readonly weights: Tensors }, update: Update, alpha: number, anchor: Tensors = new Map()): Update => {
  const factors = new Map([...update.factors].map(([layer, { rank, A, B }]) => [layer, { rank, A, B: B.map((x) => alpha * x) }]));
  const names = new Set([...anchor.keys(), ...(update.weights?.keys() ?? [])]);
  if (names.size === 0) return { factors };
  const weights = [...names].map((name) => {
    const before = own.get(name)!;
    return [name, between(anchor.get(name) ?? before, update.weights?.get(name) ?? before, alpha)] as const;
  });
  return { factors, weights: new Map(weights) };
};

/** Factors side by side: the sum of both products. */
const beside = (a: Factors, b: Factors): Factors => {
  const rank = a.rank + b.rank;
  const out = Math.max(a.rank && a.B.length / a.rank, b.rank && b.B.length / b.rank);
  const B = new Float64Array(out * rank);
  for (let row = 0; row < out; row++) {
    B.set(a.B.subarray(row * a.rank, (row + 1) * a.rank), row * rank);
    B.set(b.B.subarray(row * b.rank, (row + 1) * b.rank), row * rank + a.rank);
  }
  return { rank, B, A: Float32Array.from([...a.A, ...b.A]) };
};

/** One update and then another, as one. */
export const bothUpdates = (first: Update, second: Update): Update => {
  const factors = new Map([...first.factors].filter(([layer]) => !second.weights?.has(`${layer}.weight`)));
  for (const [layer, pair] of second.factors) {
    const before = factors.get(layer);
    factors.set(layer, before === undefined ? pair : beside(before, pair));
  }
  return first.weights === undefined && second.weights === undefined
    ? { factors }
    : { factors, weights: new Map([...(first.weights ?? []), ...(second.weights ?? [])]) };
};
