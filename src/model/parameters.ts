/**
 * The parameters of a model: shapes, modules, and random initial values. Their names are those of Hugging Face's CLIP; a ViT is a vision
 * tower and has the same names.
 */
import { elements, type HostTensor, type Tensors } from "../formats/hostTensor.ts";
import { random } from "../random.ts";
import { hasText, type ModelConfig, type TextConfig, type TowerConfig, type VisionConfig } from "./config.ts";

/** One of the two towers of a CLIP; a ViT has the first. */
export type Tower = "vision" | "text";

/** The linear layers of a block, by the names that papers use. */
export type ModuleKind = "q" | "k" | "v" | "out" | "fc1" | "fc2";
/** All linear layers of a block. */
export const allLinears: readonly ModuleKind[] = ["q", "k", "v", "out", "fc1", "fc2"];
/** The linear layers of attention. */
export const attentionLinears: readonly ModuleKind[] = ["q", "k", "v", "out"];
/** Both towers, vision first. */
export const both: readonly Tower[] = ["vision", "text"];

const paths: Readonly<Record<ModuleKind, string>> = {
  q: "self_attn.q_proj",
  k: "self_attn.k_proj",
  v: "self_attn.v_proj",
  out: "self_attn.out_proj",
  fc1: "mlp.fc1",
  fc2: "mlp.fc2",
};

/** A linear layer of a block: its weight is [out, in]. */
export interface Module {
  readonly name: string;
  readonly tower: Tower;
  readonly layer: number;
  readonly kind: ModuleKind;
  readonly in: number;
  readonly out: number;
}

/** The linear layers of the given kinds in the given towers: vision before text, block by block. A tower that the model lacks has none. */
export const modules = (config: ModelConfig, kinds: readonly ModuleKind[] = allLinears, towers: readonly Tower[] = both): readonly Module[] =>
  towers.flatMap((tower) => {
    const shape = config[tower];
    if (shape === undefined) return [];
    const { layers, width, mlpWidth } = shape;
    return Array.from({ length: layers }, (_, layer) =>
      kinds.map(
        (kind): Module => ({
          name: `${tower}_model.encoder.layers.${layer}.${paths[kind]}`,
          tower,
          layer,
          kind,
          in: kind === "fc2" ? mlpWidth : width,
          out: kind === "fc1" ? mlpWidth : width,
        }),
      ),
    ).flat();
  });

type Entry = readonly [string, readonly number[]];

const norm = (name: string, width: number): readonly Entry[] => [
  [`${name}.weight`, [width]],
  [`${name}.bias`, [width]],
];

const blocks = (tower: Tower, c: TowerConfig): readonly Entry[] =>
  Array.from({ length: c.layers }, (_, i) => `${tower}_model.encoder.layers.${i}`).flatMap(
    (at) =>
      [
        ...(["q", "k", "v", "out"] as const).flatMap(
          (kind) =>
            [
              [`${at}.${paths[kind]}.weight`, [c.width, c.width]],
              [`${at}.${paths[kind]}.bias`, [c.width]],
            ] as const,
        ),
        ...norm(`${at}.layer_norm1`, c.width),
        [`${at}.mlp.fc1.weight`, [c.mlpWidth, c.width]],
        [`${at}.mlp.fc1.bias`, [c.mlpWidth]],
        [`${at}.mlp.fc2.weight`, [c.width, c.mlpWidth]],
        [`${at}.mlp.fc2.bias`, [c.width]],
        ...norm(`${at}.layer_norm2`, c.width),
      ] as const,
  );

const textTower = (c: TextConfig): readonly Entry[] => [
  ["text_model.embeddings.token_embedding.weight", [c.vocabulary, c.width]],
  ["text_model.embeddings.position_embedding.weight", [c.context, c.width]],
  ...blocks("text", c),
  ...norm("text_model.final_layer_norm", c.width),
];

const visionTower = (c: VisionConfig, patchBias: readonly Entry[], firstNorm: readonly Entry[]): readonly Entry[] => [
  ["vision_model.embeddings.class_embedding", [c.width]],
  ["vision_model.embeddings.patch_embedding.weight", [c.width, c.channels, c.patchSize, c.patchSize]],
  ...patchBias,
  ["vision_model.embeddings.position_embedding.weight", [(c.imageSize / c.patchSize) ** 2 + 1, c.width]],
  ...firstNorm,
  ...blocks("vision", c),
  ...norm("vision_model.post_layernorm", c.width),
];

/** Every parameter of a model with its shape. */
export const parameters = (config: ModelConfig): ReadonlyMap<string, readonly number[]> => {
  const { vision, embed } = config;
  if (!hasText(config)) return new Map(visionTower(vision, [["vision_model.embeddings.patch_embedding.bias", [vision.width]]], []));
  return new Map<string, readonly number[]>([
    ["logit_scale", []],
    ...textTower(config.text),
    ...visionTower(vision, [], norm("vision_model.pre_layrnorm", vision.width)),
    ["visual_projection.weight", [embed, vision.width]],
    ["text_projection.weight", [embed, config.text.width]],
  ]);
};

/** Random initial values with the deviations that OpenAI's CLIP used; biases 0, gains 1. */
export const initialParameters = (config: ModelConfig, seed: number): Tensors => {
  const deviation = (name: string): number => {
    const tower = name.startsWith("text") && hasText(config) ? config.text : config.vision;
    if (name.includes("token_embedding")) return 0.02;
    if (name.includes("text_model.embeddings.position")) return 0.01;
    if (name.includes("embeddings") || name.endsWith("projection.weight")) return tower.width ** -0.5;
    const residual = (2 * tower.layers) ** -0.5;
    if (name.includes("fc1")) return (2 * tower.width) ** -0.5;
    return tower.width ** -0.5 * (name.includes("out_proj") || name.includes("fc2") ? residual : 1);
  };
  return new Map(
    [...parameters(config)].map(([name, shape]): [string, HostTensor] => {
      const count = elements(shape);
      if (name === "logit_scale" && hasText(config)) return [name, { shape, data: Float32Array.of(config.initialLogitScale) }];
      if (name.endsWith("bias")) return [name, { shape, data: new Float32Array(count) }];
      if (shape.length === 1 && name.endsWith("weight")) return [name, { shape, data: new Float32Array(count).fill(1) }];
      const draw = random(seed, `initial ${name}`);
      const sd = deviation(name);
      return [name, { shape, data: Float32Array.from({ length: count }, () => sd * draw.normal()) }];
    }),
  );
};
