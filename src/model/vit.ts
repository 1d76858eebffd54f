/** ViT folders in the Hugging Face layout, read and written: the names of a ViT's weights there, and the names of CLIP's vision tower here. */
import { join } from "../formats/path.ts";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { readJson } from "../formats/files.ts";
import type { HostTensor, Tensors } from "../formats/hostTensor.ts";
import { readModelTensors } from "../formats/safetensors.ts";
import { decodeVitConfig, encodeVitConfig, type VitConfig } from "./config.ts";
import { checkedWeights, readCompanions, writeModelFolder, type WriteModelOptions } from "./folder.ts";
import { readPreprocess, vitPreprocess, type Preprocess } from "../data/preprocess.ts";

/** A ViT as plain data: a vision tower whose feature is the class token after the last norm, without pooler and classifier. */
export interface Vit {
  readonly config: VitConfig;
  /** Under the names of a CLIP's vision tower. */
  readonly weights: Tensors;
  readonly preprocess: Preprocess;
  /** The files of the image processor as they were read, written back as they are. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What stands in a name of CLIP's vision tower, and what stands there in a name of a ViT. */
const renamings = [
  ["vision_model.", ""],
  ["class_embedding", "cls_token"],
  ["position_embedding.weight", "position_embeddings"],
  ["patch_embedding.", "patch_embeddings.projection."],
  ["encoder.layers.", "encoder.layer."],
  ["self_attn.q_proj", "attention.attention.query"],
  ["self_attn.k_proj", "attention.attention.key"],
  ["self_attn.v_proj", "attention.attention.value"],
  ["self_attn.out_proj", "attention.output.dense"],
  ["mlp.fc1", "intermediate.dense"],
  ["mlp.fc2", "output.dense"],
  ["layer_norm1", "layernorm_before"],
  ["layer_norm2", "layernorm_after"],
  ["post_layernorm", "layernorm"],
] as const;

const vitName = (name: string): string => renamings.reduce((renamed, [clip, vit]) => renamed.replace(clip, vit), name);

/** Leading dimensions that the class token and the positions have there: a batch of one. */
const leading: Readonly<Record<string, readonly number[]>> = { "embeddings.cls_token": [1, 1], "embeddings.position_embeddings": [1] };

/**
 * Reads a ViT folder: `config.json`, `model.safetensors` (f32, f16 or bf16, also sharded) of a ViTModel, or of a ViTForImageClassification,
 * whose names begin with `vit.`; `preprocessor_config.json` (optional). Fails with the file, and the tensor where one does not match the
 * configuration.
 */
export const readVit = (dir: string): TE.TaskEither<Failure, Vit> =>
  pipe(
    TE.Do,
    TE.bind("config", () =>
      pipe(
        readJson(join(dir, "config.json")),
        TE.chainEitherK((json) => decodeVitConfig(join(dir, "config.json"), json)),
      ),
    ),
    TE.bind("weights", ({ config }) =>
      pipe(
        readModelTensors(dir),
        TE.chainEitherK((tensors) => {
          const prefix = [...tensors.keys()].some((name) => name.startsWith("vit.")) ? "vit." : "";
          return checkedWeights(dir, config, tensors, (name) => prefix + vitName(name));
        }),
      ),
    ),
    TE.bind("preprocess", ({ config }) => readPreprocess(dir, config.vision.imageSize, vitPreprocess)),
    TE.bind("files", () => readCompanions(dir)),
  );

/** Writes the folder of a ViTModel that `transformers` loads; the folder appears whole or not at all. */
export const writeVit = (dir: string, vit: Vit, options: WriteModelOptions = {}): TE.TaskEither<Failure, void> => {
  const weights = new Map(
    [...vit.weights].map(([ours, { shape, data }]): [string, HostTensor] => {
      const name = vitName(ours);
      return [name, { shape: [...(leading[name] ?? []), ...shape], data }];
    }),
  );
  return writeModelFolder(dir, { config: encodeVitConfig(vit.config), weights, files: vit.files }, options);
};
