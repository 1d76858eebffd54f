/** What a decoder needs of memory: its weights, and what generation keeps of every token. Computed from its shapes: no weight is read. */
import * as E from "fp-ts/lib/Either.js";
import { elements } from "../formats/hostTensor.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { outputsOf, type Model } from "../model/model.ts";
import type { Parameter } from "../model/network.ts";
import { storageOf } from "../device/resident.ts";
import { leafBook } from "../tensor/leaves.ts";
import { trace } from "../tensor/program.ts";
import { indices, type Tensor } from "../tensor/tensor.ts";

/** What a decoder needs of memory, in bytes. */
export interface DecoderMemory {
  /** Its weights in their files. */
  readonly stored: number;
  /** Its weights on a device, by the storage of its matrices there. */
  readonly weights: { readonly f32: number; readonly f16: number };
  /** The keys and values of one token, which generation keeps. */
  readonly token: number;
}

type Shapes = Pick<Model, "architecture" | "config" | "weights">;

const bytesOnDevice = (parameters: readonly Parameter[], storage: "f32" | "f16"): number =>
  parameters.reduce((n, { shape }) => n + elements(shape) * (storageOf(shape, storage) === "f16" ? 2 : 4), 0);

/** What generation keeps of a token: the widths of the keys and values of all blocks. */
const bytesOfToken = (model: Shapes): number => {
  let bytes = 0;
  trace({}, () => {
    const leaves = leafBook();
    const cache = {
      at: leaves.input("at", indices([1])),
      extend: (_: number, keys: Tensor, values: Tensor) => {
        bytes += 4 * (keys.shape[2] + values.shape[2]);
        return { keys, values };
      },
    };
    return E.right({ outputs: { hidden: outputsOf(model, leaves, { images: 0, texts: 1, length: 1 }, undefined, cache).hidden } });
  });
  return bytes;
};

/** What a decoder needs of memory, from its shapes and from where its weights lie. */
export const decoderMemory = (model: Shapes, places: readonly StoredTensor[]): DecoderMemory => {
  const all = model.architecture.parameters(model.config);
  return {
    stored: places.reduce((n, { begin, end }) => n + end - begin, 0),
    weights: { f32: bytesOnDevice(all, "f32"), f16: bytesOnDevice(all, "f16") },
    token: bytesOfToken(model),
  };
};
