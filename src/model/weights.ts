/** The weights of a model: checked against its configuration, or drawn anew. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import { elements, notFinite, type Dtype, type HostTensor, type Tensors } from "../formats/hostTensor.ts";
import { random } from "../random.ts";
import type { Architecture } from "./architecture.ts";
import type { Parameter } from "./network.ts";
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
 * The parameters that files hold, each with what is said of it there, by names and shapes. What belongs to no block and is no parameter, such as `position_ids`
 * or a classifier, is left out. Fails with `BadTensor` where one is missing or has another shape than the configuration says; `dir` is for messages.
 */
export const heldParameters = <C, T extends { readonly shape: readonly number[]; readonly path?: string }>(
  architecture: Architecture<C>,
  config: C,
  tensors: ReadonlyMap<string, T>,
  dir: string,
): E.Either<Failure, readonly (readonly [parameter: Parameter, stored: T, name: string])[]> => {
  const bad = (tensor: string, detail: string): E.Either<Failure, never> =>
    E.left({ _tag: "BadTensor", path: tensors.get(tensor)?.path ?? fileOf(dir), tensor, detail });
  const held: (readonly [Parameter, T, string])[] = [];
  for (const parameter of architecture.parameters(config)) {
    const { name, shape, optional } = parameter;
    const [stored, ...more] = spellings(architecture, name).filter((spelling) => tensors.has(spelling));
    if (stored === undefined && optional) continue;
    if (stored === undefined) return bad(name, "is missing, and config.json asks for it");
    if (more.length > 0) return bad(stored, `is there twice, as ${more[0]} too`);
    const tensor = tensors.get(stored)!;
    if (elements(tensor.shape) !== elements(shape) || (tensor.shape.length === shape.length && !tensor.shape.every((d, i) => d === shape[i]))) {
      return bad(stored, `is [${tensor.shape.join(", ")}] where config.json asks for [${shape.join(", ")}]`);
    }
    held.push([parameter, tensor, stored]);
  }
  const used = new Set(held.map(([, , name]) => name));
  const surplus = [...tensors.keys()].find((name) => !used.has(name) && /\.layers?\.\d+\./.test(name) && !architecture.derived?.test(name));
  return surplus === undefined ? E.right(held) : bad(surplus, "is not in the model that config.json describes");
};

/** Weights under the names of an architecture, with the shapes of a configuration; all numbers are finite. Fails as {@link heldParameters} does. */
export const checkedWeights = <C>(architecture: Architecture<C>, config: C, tensors: Tensors, dir: string): E.Either<Failure, Tensors> =>
  pipe(
    heldParameters(architecture, config, tensors, dir),
    E.chain((held): E.Either<Failure, Tensors> => {
      const weights = new Map<string, HostTensor>();
      for (const [{ name, shape }, { data }, tensor] of held) {
        const detail = notFinite(data);
        if (detail !== undefined) return E.left({ _tag: "BadTensor", path: fileOf(dir), tensor, detail });
        weights.set(name, { shape, data });
      }
      return E.right(weights);
    }),
  );

/** The element types that are narrower than f32. */
export type NarrowDtype = "f16" | "bf16";

/** The element type of most numbers of a file, where it is a narrow one. */
export const narrowDtype = (tensors: Iterable<{ readonly dtype?: Dtype; readonly shape: readonly number[] }>): { readonly dtype?: NarrowDtype } => {
  const all = [...tensors];
  const numbers = (wanted: (dtype: Dtype | undefined) => boolean): number => all.reduce((n, { dtype, shape }) => n + (wanted(dtype) ? elements(shape) : 0), 0);
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
