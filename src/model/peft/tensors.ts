/** The tensors of an adapter: the factors A and B by layer, under the keys that PEFT has had for them. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../../failure.ts";
import { notFinite, type HostTensor, type Tensors } from "../../formats/hostTensor.ts";
import type { Linear } from "../network.ts";
import { linearsOf, listed, namesOf, type Base } from "./linears.ts";

/** The factors of a layer as they stand in a file, and the name that it has there. */
export interface Found {
  readonly linear: Linear;
  /** The name in the file. */
  readonly module: string;
  readonly A: HostTensor;
  readonly B: HostTensor;
}

const keyOf = /^(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.([^.]+))?\.weight$/;

/** What a tensor is that is no factor of a linear layer. */
const otherThan = (key: string): string => {
  if (key.includes("lora_magnitude_vector")) return "belongs to DoRA, which is not read";
  if (key.includes("lora_embedding_")) return "belongs to a LoRA of an embedding, and linear layers alone are adapted here";
  if (/\.lora_[AB]\.(?:[^.]+\.)?bias$/.test(key)) return "is a bias of a factor, which is not read";
  if (key.includes("modules_to_save")) return "belongs to a layer that was trained in full (modules_to_save), which is not read";
  if (/(\.base_layer|embed_tokens|lm_head)\.weight$/.test(key))
    return "is a weight of the base model, which is not read; save the adapter with save_embedding_layers=False";
  return "is no factor of a LoRA (a name that ends in lora_A.weight or lora_B.weight)";
};

/** The linear layers of a model under every name that an adapter may have for them. */
const byModule = (base: Base): ReadonlyMap<string, Linear> =>
  new Map(linearsOf(base).flatMap((linear) => namesOf(base, linear).map((name) => [name, linear] as const)));

/** Why a tensor cannot be a factor of a layer. */
const faultOf = (factor: string, { shape, data, dtype = "F32" }: HostTensor, { in: columns, out }: Linear): string | undefined => {
  if (!/^(F|BF)/.test(dtype)) return `is of ${dtype}; floats are read`;
  if (shape.length > 2) return `is [${shape.join(", ")}], the factor of a convolution, and linear layers alone are adapted here`;
  const [wanted, side] = factor === "A" ? [`[r, ${columns}]`, shape[1] === columns] : [`[${out}, r]`, shape[0] === out];
  return shape.length === 2 && side ? notFinite(data) : `is [${shape.join(", ")}] where the model needs ${wanted}`;
};

/** The factors of all layers in a file. Fails with `BadTensor`, which names the first tensor that has no place here. */
export const factorsIn = (tensors: Tensors, base: Base, path: string): E.Either<Failure, readonly Found[]> => {
  const bad = (tensor: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadTensor", path, tensor, detail });
  const known = byModule(base);
  const parts = new Map<string, { module: string; A?: HostTensor; B?: HostTensor }>();
  const adapters = new Set<string>();
  for (const [key, tensor] of tensors) {
    const [, module, factor, adapter = ""] = keyOf.exec(key) ?? [];
    if (module === undefined) return bad(key, otherThan(key));
    const linear = known.get(module);
    if (linear === undefined) return bad(key, `belongs to ${module}, which is no linear layer of a ${base.architecture.name} here; there are ${listed(base)}`);
    const fault = faultOf(factor, tensor, linear);
    if (fault !== undefined) return bad(key, fault);
    const found = parts.get(linear.name) ?? { module };
    if (found.module !== module || found[factor as "A" | "B"] !== undefined) return bad(key, `is there twice, under another name`);
    parts.set(linear.name, { ...found, [factor]: tensor });
    if (adapters.add(adapter).size > 1) return bad(key, "belongs to another adapter than those before it, and a folder holds one");
  }
  const all: Found[] = [];
  for (const { module, A, B } of parts.values()) {
    if (A === undefined || B === undefined) return bad(`${module}.lora_${A === undefined ? "A" : "B"}.weight`, "is missing");
    if (A.shape[0] !== B.shape[1]) return bad(`${module}.lora_B.weight`, `is [${B.shape.join(", ")}] beside a lora_A of rank ${A.shape[0]}`);
    all.push({ linear: known.get(module)!, module, A, B });
  }
  return all.length > 0 ? E.right(all) : bad("lora_A.weight", "is missing: the file holds no factor of any layer");
};
