/**
 * The training steps that benches time and tests count: a model's shapes, its adapters and the arrow of a step. They are traced without weights; `weightsOf`
 * draws some for a run.
 */
import { readFileSync } from "node:fs";
import * as E from "fp-ts/lib/Either.js";
import { flag, oneOf, optional, whole } from "../src/cli/flags.ts";
import type { Precision } from "../src/device/device.ts";
import type { Failure } from "../src/failure.ts";
import type { Tensors } from "../src/formats/hostTensor.ts";
import type { Adapter } from "../src/model/adapters/adapter.ts";
import { gatedLora, lora } from "../src/model/adapters/lora.ts";
import { depthScale } from "../src/model/adapters/scale.ts";
import { attentionLinears, type TowerConfig } from "../src/model/blocks.ts";
import { clip, type ClipConfig } from "../src/model/clip.ts";
import { decodeConfig } from "../src/model/config.ts";
import type { LanguageConfig } from "../src/model/languageConfig.ts";
import { llama } from "../src/model/llama.ts";
import { networkOf, type Model } from "../src/model/model.ts";
import { layersOf } from "../src/model/network.ts";
import { random, type Random } from "../src/random.ts";
import { rankSelect, softThreshold } from "../src/stages/rankSelect.ts";
import { gradient, repeat, update } from "../src/stages/steps.ts";
import type { HostRecord } from "../src/tensor/replay.ts";
import { size } from "../src/tensor/tensor.ts";
import { imageToText, matching, unlessAnswers } from "../src/training/objective.ts";
import { adamW } from "../src/training/optimizer.ts";
import { cosine, oneCycle, oneCycleMomentum, ramp } from "../src/training/schedule.ts";
import { traceStep, type StepOptions, type TracedStep } from "../src/training/step.ts";
import type { BatchShape } from "../src/training/trainee.ts";

/** What is trained: a model without weights, the shape of its batches, and random ones. */
interface Subject {
  readonly model: Pick<Model, "architecture" | "config" | "weights">;
  readonly batch: BatchShape;
  readonly data: (draw: Random) => HostRecord;
  readonly told: string;
}

/** A subject with adapters and the arrow of a step. */
export interface Work extends Subject {
  /** The step, for a device of a precision. Default: f32. */
  readonly traced: (precision?: Precision) => E.Either<Failure, TracedStep>;
  /** The values of the adapters before the first step. */
  readonly initial: (weights: Tensors) => HostRecord;
}

/** Steps that schedules are made for. */
const steps = 500;

const workOf = <G extends string, T extends G>(subject: Subject, adapter: Adapter<G, T>, { step }: Pick<StepOptions<G>, "step">): Work => ({
  ...subject,
  traced: (precision) => traceStep({ ...subject, adapter, step, steps, seed: 1, precision }),
  initial: (weights) => adapter.initial(networkOf(subject.model), weights, 1, 0),
});

const tower = (width: number, layers: number, heads: number): TowerConfig => ({
  width,
  mlpWidth: 4 * width,
  layers,
  heads,
  activation: "quick_gelu",
  eps: 1e-5,
});

/** The shape of a small CLIP: 64 pixels in patches of 16. */
const nano: ClipConfig = {
  embed: 512,
  initialLogitScale: 2.6592,
  vision: { ...tower(192, 6, 3), imageSize: 64, patchSize: 16, channels: 3 },
  text: { ...tower(128, 3, 2), vocabulary: 8194, context: 32, eosId: 8193 },
};

/** OpenAI's ViT-B/16. */
const vitB16: ClipConfig = {
  embed: 512,
  initialLogitScale: Math.log(100),
  vision: { ...tower(768, 12, 12), imageSize: 224, patchSize: 16, channels: 3 },
  text: { ...tower(512, 12, 8), vocabulary: 49408, context: 77, eosId: 49407 },
};

/** The configuration of models/icon-nano. */
const iconNano = (): ClipConfig => {
  const path = "models/icon-nano/config.json";
  const config = decodeConfig(clip, path, JSON.parse(readFileSync(path, "utf8")));
  if (E.isLeft(config)) throw new Error(JSON.stringify(config.left));
  return config.right;
};

/** SmolLM2-135M. */
const smollm2: LanguageConfig = {
  family: "llama",
  ...{ width: 576, mlpWidth: 1536, layers: 30, heads: 9, keyHeads: 3, headWidth: 64, eps: 1e-5, theta: 1e5, biased: [] },
  ...{ vocabulary: 49152, context: 8192, tied: true, eos: [2] },
};

/** A llama with grouped keys that is traced in a moment. */
const smallLlama: LanguageConfig = { ...smollm2, width: 128, mlpWidth: 384, layers: 4, heads: 4, keyHeads: 2, headWidth: 32, vocabulary: 512, context: 256 };

const range = (n: number, of: (i: number) => number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => of(i));

/** Images and class texts for a CLIP. */
const pictures = (config: ClipConfig, images: number, texts: number, length: number): Subject => ({
  model: { architecture: clip, config, weights: new Map() },
  batch: { images, texts, length, previous: 0 },
  data: (draw) => {
    const { channels, imageSize } = config.vision;
    const targets = new Float32Array(images * texts);
    for (let i = 0; i < images; i++) targets[i * texts + (i % texts)] = 1;
    const transposedTargets = new Float32Array(images * texts);
    for (let i = 0; i < images; i++) transposedTargets[(i % texts) * images + i] = 1;
    return {
      pixels: Float32Array.from({ length: images * channels * imageSize ** 2 }, () => draw.normal()),
      targets,
      transposedTargets,
      ids: range(texts * length, () => draw.integer(config.text.vocabulary)),
      ends: range(texts, (i) => i * length + length - 1),
    };
  },
  told: `batch ${images}, ${texts} texts of ${length} tokens`,
});

/** Questions and answers for a language model. */
const answered = (config: LanguageConfig, texts: number, length: number, answer: number): Subject => {
  const positions = texts * answer;
  return {
    model: { architecture: llama, config, weights: new Map() },
    batch: { images: 0, texts, length, positions, previous: 0 },
    data: (draw) => ({
      ids: range(texts * length, () => draw.integer(config.vocabulary)),
      starts: new Uint32Array(texts),
      positions: range(positions, (i) => (Math.floor(i / answer) + 1) * length - answer - 1 + (i % answer)),
      next: range(positions, () => draw.integer(config.vocabulary)),
      share: new Float32Array(positions).fill(1 / positions),
    }),
    told: `batch ${texts} of ${length} tokens, ${answer} of them answers`,
  };
};

const threshold = rankSelect(softThreshold(ramp(0.005)));

/** The step of `codyra`: gated LoRA on all linear layers, AdamW, a soft threshold. */
const codyra = (subject: Subject, rank = 16): Work =>
  workOf(subject, gatedLora({ rank }), repeat(steps, gradient(matching), update(adamW({ lr: cosine(5e-4), betas: [0.9, 0.9999] })), threshold));

/** The step of `sequential-lora`: LoRA on all linear layers, AdamW. */
const sequentialLora = (subject: Subject, rank = 16): Work =>
  workOf(subject, lora({ rank }), repeat(steps, gradient(matching), update(adamW({ lr: cosine(5e-4) }))));

/** The step of `keeplora++`: a frozen A on the attention's linear layers, scaled by depth; B is trained. */
const keeplora = (subject: Subject, rank = 16): Work => {
  const modules = attentionLinears;
  const layers = layersOf(networkOf(subject.model), { modules, towers: "all" });
  const directions = new Map(layers.map((layer) => [layer.name, { A: { shape: [rank, layer.in], data: new Float32Array(rank * layer.in).fill(0.02) } }]));
  const descent = adamW({ lr: oneCycle(1e-3), betas: [oneCycleMomentum(), 0.999], weightDecay: 0.01 });
  const adapter = lora({ rank, modules, directions, scale: depthScale({ base: 1 / rank }) });
  return workOf(subject, adapter, repeat(steps, gradient(unlessAnswers(imageToText)), update(descent)));
};

/** A work by the size of its batch. */
export interface Usual {
  /** The batch and the number of steps that it is timed with. */
  readonly batch: number;
  readonly steps: number;
  readonly of: (batch: number) => Work;
}

/** The works by name; that of a name without a method is `codyra`'s. */
export const works = {
  nano: { batch: 32, steps: 12, of: (batch) => codyra(pictures(nano, batch, 101, 10)) },
  /** What the examples train: models/icon-nano on a task of 54 classes. */
  icon: { batch: 32, steps: 12, of: (batch) => codyra(pictures(iconNano(), batch, 54, 12)) },
  "icon-lora": { batch: 32, steps: 12, of: (batch) => sequentialLora(pictures(iconNano(), batch, 54, 12)) },
  "icon-keeplora": { batch: 32, steps: 12, of: (batch) => keeplora(pictures(iconNano(), batch, 54, 12)) },
  b16: { batch: 4, steps: 3, of: (batch) => codyra(pictures(vitB16, batch, 10, 10)) },
  "b16-lora": { batch: 4, steps: 3, of: (batch) => sequentialLora(pictures(vitB16, batch, 10, 10)) },
  "b16-keeplora": { batch: 4, steps: 3, of: (batch) => keeplora(pictures(vitB16, batch, 10, 10)) },
  smollm2: { batch: 4, steps: 4, of: (batch) => codyra(answered(smollm2, batch, 64, 16)) },
  "small-llama": { batch: 4, steps: 12, of: (batch) => sequentialLora(answered(smallLlama, batch, 32, 8)) },
} as const satisfies Readonly<Record<string, Usual>>;

/** The name of a work. */
export type WorkName = keyof typeof works;

/** What benches of one step take: a name, and how large and how often where that is not the usual. */
export const stepOperands = (name: WorkName, steps = "the usual of the name") => ({
  name: flag(oneOf(...(Object.keys(works) as WorkName[])), "NAME", `the step: ${Object.keys(works).join(", ")}`, name),
  batch: optional(whole(1, 65536), "N", "examples of a batch", "the usual of the name"),
  steps: optional(whole(1), "N", "how often it is run", steps),
});

/** Random weights for a work. Large tensors repeat the draws of a block: what a run takes does not depend on them. */
export const weightsOf = ({ model: { architecture, config } }: Work): Tensors => {
  const draw = random(1, "weights");
  const block = Float32Array.from({ length: 2 ** 16 + 1 }, () => draw.normal());
  return new Map(
    architecture.parameters(config).map(({ name, shape, initial }) => {
      const data = new Float32Array(size(shape));
      if ("value" in initial) data.fill(initial.value);
      else for (let i = 0; i < data.length; i++) data[i] = initial.deviation * block[i % block.length];
      return [name, { shape, data }] as const;
    }),
  );
};
