/** The weights of a model: checked against its configuration, or drawn anew. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import { elements, notFinite, type Dtype, type HostTensor, type Tensors } from "../formats/hostTensor.ts";
import { random } from "../random.ts";
import type { Architecture } from "./architecture.ts";
import { spellings } from "./spelling.ts";

const fileOf = (dir: string): string => join(dir, "model.safetensors");

/** Weights of which every number is finite. Fails with `BadTensor`, which names the first tensor that has another one; `dir` is for its message. */
export const finiteWeights = (weights: Tensors, dir: string): E.Either<Failure, Tensors> => {
  for (const [tensor, { data }] of weights) {
    const detail = notFinite(data);
    if (detail !== undefined) return E.left({ _tag: "BadTensor", path: fileOf(dir), tensor, detail });
  }
  return E.right(weights);
};

/**
 * Weights under the names of an architecture, with the shapes of a configuration; all numbers are finite. What belongs to no block and is no parameter, such as
 * `position_ids` or a classifier, is dropped. Failures: `BadTensor`.
 */
export const checkedWeights = <C>(architecture: Architecture<C>, config: C, tensors: Tensors, dir: string): E.Either<Failure, Tensors> => {
  const path = fileOf(dir);
  const bad = (tensor: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadTensor", path, tensor, detail });
  const weights = new Map<string, HostTensor>();
  const used = new Set<string>();
  for (const { name, shape, optional } of architecture.parameters(config)) {
    const [stored, ...more] = spellings(architecture, name).filter((spelling) => tensors.has(spelling));
    if (stored === undefined && optional) continue;
    if (stored === undefined) return bad(name, "is missing, and config.json asks for it");
    if (more.length > 0) return bad(stored, `is there twice, as ${more[0]} too`);
    used.add(stored);
    const tensor = tensors.get(stored)!;
    if (tensor.data.length !== elements(shape) || (tensor.shape.length === shape.length && !tensor.shape.every((d, i) => d === shape[i]))) {
      return bad(stored, `is [${tensor.shape.join(", ")}] where config.json asks for [${shape.join(", ")}]`);
    }
    const fault = notFinite(tensor.data);
    if (fault !== undefined) return bad(stored, fault);
    weights.set(name, { shape, data: tensor.data });
  }
  const surplus = [...tensors.keys()].find((name) => !used.has(name) && /\.layers?\.\d+\./.test(name));
  return surplus === undefined ? E.right(weights) : bad(surplus, "is not in the model that config.json describes");
};

/** The element types that are narrower than f32. */
export type NarrowDtype = "f16" | "bf16";

/** The element type of most numbers of a file, where it is a narrow one. */
export const narrowDtype = (tensors: Tensors): { readonly dtype?: NarrowDtype } => {
  const numbers = (wanted: (dtype: Dtype | undefined) => boolean): number =>
    [...tensors.values()].reduce((n, { dtype, data }) => n + (wanted(dtype) ? data.length : 0), 0);
  const half = numbers(() => true) / 2;
  if (numbers((dtype) => dtype === "F16") > half) return { dtype: "f16" };
  return numbers((dtype) => dtype === "BF16") > half ? { dtype: "bf16" } : {};
};

/** Random initial weights, with the deviations that the architecture states; equal seeds give equal weights. */
export const initialWeights = <C>(architecture: Architecture<C>, config: C, seed: number): Tensors =>
  new Map(
    architecture.parameters(config).map(({ name, shape, initial }): [string, HostTensor] => {
      const length = elements(shape);
      if ("value" in initial) return [name, { shape, data: new Float32Array(length).fill(initial.value) }];
      const draw = random(seed, `initial ${name}`);
      return [name, { shape, data: Float32Array.from({ length }, () => initial.deviation * draw.normal()) }];
    }),
  );
