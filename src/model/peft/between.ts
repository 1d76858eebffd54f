/** What training has added to a model, from the weights before and after it. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../../failure.ts";
import { fromBf16, fromF16, toBf16, toF16 } from "../../formats/half.ts";
import type { HostTensor } from "../../formats/hostTensor.ts";
import { lowRankProduct } from "../../linalg/factors.ts";
import type { Factors, Update } from "../adapters/update.ts";
import type { Linear } from "../network.ts";
import { linearsOf, type Base } from "./linears.ts";

/** Half the distance of two numbers of the narrowest element type that holds all of these, relative to them. */
const unitRoundoff = (data: Float32Array): number => {
  if (data.every((x) => fromBf16(toBf16(x)) === x)) return 2 ** -8;
  return data.every((x) => fromF16(toF16(x)) === x) ? 2 ** -11 : 2 ** -24;
};

/** A weight is rounded once a task: dozens of roundings add up to about so many. */
const roundings = 4;

const lengthOf = (row: Float32Array): number => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));

/** What is to be added to a weight to get another, but for the rounding of that. */
const difference = ({ in: columns, out: rows }: Linear, before: HostTensor, after: HostTensor): Factors => {
  const change = Float64Array.from(after.data, (x, i) => x - before.data[i]);
  const rounding = roundings * unitRoundoff(after.data);
  const tolerance = Float64Array.from({ length: rows }, (_, row) => rounding * lengthOf(after.data.subarray(row * columns, (row + 1) * columns)));
  return lowRankProduct(change, rows, columns, tolerance);
};

const same = (a: HostTensor | undefined, b: HostTensor | undefined): boolean =>
  a !== undefined && b !== undefined && a.data.length === b.data.length && a.data.every((x, i) => x === b.data[i]);

/**
 * What was added to the linear layers of a model on the way to another: for each layer the difference of its weights as B A, of the rank that it has beyond the
 * rounding of the weights after it. Fails with `BadTensor` where the models have other shapes, or where another weight differs, such as a bias or a norm: no
 * low-rank adapter can say so.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const before = model.initialModel(model.vit, { vision }, 1);
 * const factors = new Map([["encoder.layer.0.output.dense", { rank: 1, B: new Float64Array(8).fill(1), A: new Float32Array(16).fill(2) }]]);
 * const found = updateBetween(before, adapter.mergeUpdate(before, { factors }));
 * assert.deepEqual(found._tag === "Right" && [...found.right.factors].map(([layer, { rank }]) => [layer, rank]), [["encoder.layer.0.output.dense", 1]]);
 * ```
 */
export const updateBetween = (before: Base, after: Base): E.Either<Failure, Update> => {
  const bad = (tensor: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadTensor", path: "the model after training", tensor, detail });
  const linears = new Map(linearsOf(before).map((linear) => [`${linear.name}.weight`, linear]));
  for (const name of new Set([...before.weights.keys(), ...after.weights.keys()])) {
    const [old, now] = [before.weights.get(name), after.weights.get(name)];
    if (old === undefined || now === undefined) return bad(name, `is not in the model ${old === undefined ? "before" : "after"} it`);
    if (old.data.length !== now.data.length) return bad(name, `is [${now.shape.join(", ")}] and was [${old.shape.join(", ")}]`);
    if (!linears.has(name) && !same(old, now))
      return bad(name, "has changed, and a LoRA adapter changes the weights of linear layers alone; write the whole model");
  }
  const changed = [...linears].filter(([name]) => !same(before.weights.get(name), after.weights.get(name)));
  const factors = changed.map(([name, linear]) => [linear.name, difference(linear, before.weights.get(name)!, after.weights.get(name)!)] as const);
  return E.right({ factors: new Map(factors.filter(([, { rank }]) => rank > 0)) });
};
