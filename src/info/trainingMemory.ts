/** What a step of a training needs of memory on a GPU. It is traced and planned from the shapes of a model: no weight is read, and no device opened. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Precision } from "../device/device.ts";
import { described, type Target } from "../kernels/target.ts";
import { pictureTokensOf } from "../language/asking.ts";
import { linearHead } from "../model/adapters/heads.ts";
import { lora } from "../model/adapters/lora.ts";
import type { Model } from "../model/model.ts";
import { pipeline } from "../stages/stage.ts";
import { gradient, update } from "../stages/steps.ts";
import { plannedBytes } from "../tensor/planned.ts";
import type { Recompute } from "../tensor/program.ts";
import { matching } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { constantly } from "../training/schedule.ts";
import { traceStep } from "../training/step.ts";
import type { BatchShape } from "../training/trainee.ts";

/** The rank at which adapters are counted. */
export const countedRank = 16;

/** The bytes of a step on a device: the weights that it reads, and all else. */
export interface StepMemory {
  readonly weights: number;
  readonly rest: number;
}

/** What a step of a training needs of memory: LoRA on all layers and AdamW, with the loss that most methods have. */
export interface TrainingMemory {
  /** The pictures and the texts of its batch, and the tokens of a text, those of a picture among them. Where classes have no texts they are counted as such. */
  readonly batch: { readonly images: number; readonly texts: number; readonly tokens: number };
  /** In f32; with the blocks computed again for the backward pass; in mixed precision. */
  readonly plain: StepMemory;
  readonly recomputed: StepMemory;
  readonly mixed: StepMemory;
}

type Shapes = Pick<Model, "architecture" | "config" | "weights">;

/** The batch of methods where nothing else is said, and a usual number of classes with usual prompts. */
const usual = { images: 64, texts: 10 } as const;
const promptTokens = 16;

/** Options of {@link stepMemory}: the pictures and the classes of a batch, and how it is computed. */
export interface StepMemoryOptions {
  /** Default 64; questions are counted one at a time. */
  readonly images?: number;
  /** Default 10. */
  readonly texts?: number;
  /** Default f32. */
  readonly precision?: Precision;
  /** What of the forward pass is computed again for the backward pass. Default: what costs little. */
  readonly recompute?: Recompute;
}

/** A GPU with bindings of 2 GiB, and with f16 as nearly all have it: what is planned for it is what most GPUs need. */
const commonGpu = { line: "", key: "", kind: "gpu", features: new Set(["shader-f16"]), subgroupSize: 0 } as const;

const targetOf = (precision: Precision): Target => described({ adapter: commonGpu, maxBinding: 2 ** 29 - 64, precision });

/** A batch of a model: pictures and classes, or one question. */
const batchOf = (model: Shapes, { images, texts: classes }: Required<Pick<StepMemoryOptions, "images" | "texts">>): BatchShape => {
  const { architecture, config } = model;
  const { decoder, texts } = architecture;
  if (decoder === undefined) return { images, texts: classes, length: Math.min(promptTokens, texts?.context(config) ?? 0), previous: 0 };
  const pictures = pictureTokensOf(model);
  const length = Math.min(decoder.context(config), pictures + 128);
  return { images: pictures > 0 ? 1 : 0, texts: 1, length, positions: Math.min(length, 32), previous: 0 };
};

/**
 * What a step of a training needs of memory, planned from the shapes of a model alone. A model that nothing can be trained of, or that has no such loss, needs
 * none: undefined.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const vit = model.initialModel(model.vit, { vision }, 1);
 * const [small, large] = [stepMemory(vit, { images: 8 }), stepMemory(vit, { images: 64 })];
 * assert.ok(small !== undefined && large !== undefined && small.rest < large.rest);
 * ```
 */
export const stepMemory = (model: Shapes, { precision = "f32", recompute, ...rest }: StepMemoryOptions = {}): StepMemory | undefined => {
  const { decoder, readout } = model.architecture;
  const batch = batchOf(model, { ...usual, ...rest });
  const layers = lora({ rank: countedRank });
  const adapter = decoder !== undefined || readout?.texts !== undefined ? layers : linearHead(batch.texts, layers);
  const step = pipeline(gradient(matching), update(adamW({ lr: constantly(1e-4) })));
  return pipe(
    traceStep<string>({ model, adapter, step, batch, steps: 1, precision, recompute }),
    E.map(({ program }) => plannedBytes(program, targetOf(precision))),
    E.map(({ all, frozen }) => ({ weights: frozen, rest: all - frozen })),
    E.getOrElseW(() => undefined),
  );
};

/** What a step of a training needs of memory in three ways; undefined where {@link stepMemory} is. */
export const trainingMemory = (model: Shapes): TrainingMemory | undefined => {
  const batch = batchOf(model, usual);
  const [plain, recomputed, mixed] = [stepMemory(model), stepMemory(model, { recompute: "blocks" }), stepMemory(model, { precision: "mixed" })];
  if (plain === undefined || recomputed === undefined || mixed === undefined) return undefined;
  return { batch: { images: batch.images, texts: batch.texts, tokens: batch.length }, plain, recomputed, mixed };
};
