/** What a decoder needs of memory: its weights, what generation keeps of every token, and a step of a training. Computed from its shapes: no weight is read. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { elements } from "../formats/hostTensor.ts";
import type { StoredTensor } from "../formats/safetensors.ts";
import { pictureTokensOf } from "../language/asking.ts";
import { matmulVariants } from "../kernels/variants.ts";
import type { Target } from "../kernels/target.ts";
import { lora } from "../model/adapters/lora.ts";
import type { BatchSize } from "../model/architecture.ts";
import { outputsOf, type Model } from "../model/model.ts";
import type { Parameter } from "../model/network.ts";
import { storageOf } from "../device/resident.ts";
import { gradient, update } from "../stages/steps.ts";
import { pipeline } from "../stages/stage.ts";
import { leafBook } from "../tensor/leaves.ts";
import { optimise } from "../tensor/passes/optimise.ts";
import { plan } from "../tensor/plan.ts";
import { trace } from "../tensor/program.ts";
import { indices, type Tensor } from "../tensor/tensor.ts";
import { answers } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { constantly } from "../training/schedule.ts";
import { traceStep } from "../training/step.ts";

/** What a decoder needs of memory, in bytes. */
export interface DecoderMemory {
  /** Its weights in their files. */
  readonly stored: number;
  /** Its weights on a device, by the storage of its matrices there. */
  readonly weights: { readonly f32: number; readonly f16: number };
  /** The keys and values of one token, which generation keeps. */
  readonly token: number;
  /** A step of a training beside the weights: LoRA on all layers and AdamW, for one text of so many tokens, those of a picture among them where it sees any. */
  readonly step: { readonly tokens: number; readonly bytes: number };
}

/** The rank at which adapters are counted. */
export const countedRank = 16;

type Shapes = Pick<Model, "architecture" | "config" | "weights">;

/** A GPU without optional features, and with bindings of 2 GiB: what is planned for it is what most GPUs need. */
const commonGpu: Target = (() => {
  const adapter = { line: "", key: "", kind: "gpu", features: new Set<string>(), subgroupSize: 0 } as const;
  return { adapter, maxBinding: 2 ** 29 - 64, precision: "f32", matmul: (shape) => matmulVariants(adapter, shape)[0] };
})();

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

/** The buffers of a traced step, but those of the frozen weights. */
const bytesOfStep = (model: Shapes, size: BatchSize): number => {
  const step = pipeline(gradient(answers), update(adamW({ lr: constantly(1e-4) })));
  const traced = traceStep({ model, adapter: lora({ rank: countedRank }), step, batch: { ...size, previous: 0 }, steps: 1 });
  return pipe(
    traced,
    E.map(({ program }) =>
      plan(optimise(program, commonGpu), commonGpu).buffers.reduce((n, { label, bytes }) => n + (label.startsWith("frozen ") ? 0 : bytes), 0),
    ),
    E.getOrElse(() => NaN),
  );
};

/** What a decoder needs of memory, from its shapes and from where its weights lie. */
export const decoderMemory = (model: Shapes, places: readonly StoredTensor[]): DecoderMemory => {
  const { decoder, parameters } = model.architecture;
  const all = parameters(model.config);
  const pictures = pictureTokensOf(model);
  const tokens = Math.min(decoder!.context(model.config), pictures + 128);
  const size = { images: pictures > 0 ? 1 : 0, texts: 1, length: tokens, positions: Math.min(tokens, 32) };
  return {
    stored: places.reduce((n, { begin, end }) => n + end - begin, 0),
    weights: { f32: bytesOnDevice(all, "f32"), f16: bytesOnDevice(all, "f16") },
    token: bytesOfToken(model),
    step: { tokens, bytes: bytesOfStep(model, size) },
  };
};
