/** The parameters of a CLIP, by their Hugging Face names: shapes, modules, counts, and random initial values. */
import type { HostTensor, Tensors } from "../formats/hostTensor.ts";
import { random } from "../random.ts";
import type { ClipConfig, TowerConfig } from "./config.ts";

/** One of the two towers of a CLIP. */
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
  q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj", out: "self_attn.out_proj", fc1: "mlp.fc1", fc2: "mlp.fc2",
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

/** The linear layers of the given kinds in the given towers: vision before text, block by block. */
export const modules = (config: ClipConfig, kinds: readonly ModuleKind[] = allLinears, towers: readonly Tower[] = both): readonly Module[] =>
  towers.flatMap((tower) =>
    Array.from({ length: config[tower].layers }, (_, layer) =>
      kinds.map((kind): Module => {
        const { width, mlpWidth } = config[tower];
        return {
          name: `${tower}_model.encoder.layers.${layer}.${paths[kind]}`, tower, layer, kind,
          in: kind === "fc2" ? mlpWidth : width, out: kind === "fc1" ? mlpWidth : width,
        };
      }),
    ).flat(),
  );

const norm = (name: string, width: number): readonly (readonly [string, readonly number[]])[] => [[`${name}.weight`, [width]], [`${name}.bias`, [width]]];

const blocks = (tower: Tower, c: TowerConfig): readonly (readonly [string, readonly number[]])[] =>
  Array.from({ length: c.layers }, (_, i) => `${tower}_model.encoder.layers.${i}`).flatMap((at) => [
    ...(["q", "k", "v", "out"] as const).flatMap((kind) =>
      [[`${at}.${paths[kind]}.weight`, [c.width, c.width]], [`${at}.${paths[kind]}.bias`, [c.width]]] as const),
    ...norm(`${at}.layer_norm1`, c.width),
    [`${at}.mlp.fc1.weight`, [c.mlpWidth, c.width]], [`${at}.mlp.fc1.bias`, [c.mlpWidth]],
    [`${at}.mlp.fc2.weight`, [c.width, c.mlpWidth]], [`${at}.mlp.fc2.bias`, [c.width]],
    ...norm(`${at}.layer_norm2`, c.width),
  ] as const);

/** Every parameter of a CLIP with its shape. */
export const parameters = ({ vision, text, embed }: ClipConfig): ReadonlyMap<string, readonly number[]> =>
  new Map<string, readonly number[]>([
    ["logit_scale", []],
    ["text_model.embeddings.token_embedding.weight", [text.vocabulary, text.width]],
    ["text_model.embeddings.position_embedding.weight", [text.context, text.width]],
    ...blocks("text", text),
    ...norm("text_model.final_layer_norm", text.width),
    ["vision_model.embeddings.class_embedding", [vision.width]],
    ["vision_model.embeddings.patch_embedding.weight", [vision.width, vision.channels, vision.patchSize, vision.patchSize]],
    ["vision_model.embeddings.position_embedding.weight", [(vision.imageSize / vision.patchSize) ** 2 + 1, vision.width]],
    ...norm("vision_model.pre_layrnorm", vision.width),
    ...blocks("vision", vision),
    ...norm("vision_model.post_layernorm", vision.width),
    ["visual_projection.weight", [embed, vision.width]],
    ["text_projection.weight", [embed, text.width]],
  ]);

/** Random initial values with the deviations that OpenAI's CLIP used; biases 0, gains 1. */
export const initialParameters = (config: ClipConfig, seed: number): Tensors => {
  const deviation = (name: string): number => {
    const tower = name.startsWith("text") ? config.text : config.vision;
    if (name.includes("token_embedding")) return 0.02;
    if (name.includes("text_model.embeddings.position")) return 0.01;
    if (name.includes("embeddings") || name.includes("_proj") && name.includes("projection")) return tower.width ** -0.5;
    if (name.endsWith("projection.weight")) return tower.width ** -0.5;
    const residual = (2 * tower.layers) ** -0.5;
    if (name.includes("fc1")) return (2 * tower.width) ** -0.5;
    return tower.width ** -0.5 * (name.includes("out_proj") || name.includes("fc2") ? residual : 1);
  };
  return new Map(
    [...parameters(config)].map(([name, shape]): [string, HostTensor] => {
      const count = shape.reduce((a, b) => a * b, 1);
      if (name === "logit_scale") return [name, { shape, data: Float32Array.of(config.initialLogitScale) }];
      if (name.endsWith("bias")) return [name, { shape, data: new Float32Array(count) }];
      if (shape.length === 1 && name.endsWith("weight")) return [name, { shape, data: new Float32Array(count).fill(1) }];
      const draw = random(seed, `initial ${name}`);
      const sd = deviation(name);
      return [name, { shape, data: Float32Array.from({ length: count }, () => sd * draw.normal()) }];
    }),
  );
};
