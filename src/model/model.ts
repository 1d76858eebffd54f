/** A model of either kind: a CLIP, which has a text tower, or a ViT, which has none. */
import { join } from "../formats/path.ts";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { readJson } from "../formats/files.ts";
import { hasText } from "./config.ts";
import { readClip, writeClip, type Clip, type WriteModelOptions } from "./folder.ts";
import { readVit, writeVit, type Vit } from "./vit.ts";

/** A CLIP or a ViT as plain data. */
export type Model = Clip | Vit;

/** Whether a model is a CLIP: it has a text tower and a tokenizer. */
export const isClip = (model: Model): model is Clip => hasText(model.config);

/**
 * Reads the folder of a CLIP or a ViT, by the `model_type` of its `config.json` (`clip`, also where none is stated, or `vit`). Fails as
 * {@link readClip} and {@link readVit} do, and with `BadConfig` for other models.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const config = { vision, embed: 8 };
 * const vit = { config, weights: model.initialParameters(config, 1), preprocess: data.vitPreprocess(8), files: new Map() };
 * assert.equal((await writeModel(`${folder}/vit`, vit)())._tag, "Right");
 * const read = await readModel(`${folder}/vit`)();
 * assert.ok(read._tag === "Right" && !isClip(read.right));
 * ```
 */
export const readModel = (dir: string): TE.TaskEither<Failure, Model> => {
  const path = join(dir, "config.json");
  return pipe(
    readJson(path),
    TE.chain((json): TE.TaskEither<Failure, Model> => {
      const type = (json as Readonly<Record<string, unknown>> | null)?.model_type;
      if (type === "vit") return readVit(dir);
      if (type === undefined || type === "clip") return readClip(dir);
      return TE.left({ _tag: "BadConfig", path, detail: `model_type is ${JSON.stringify(type)}; clip and vit are supported` });
    }),
  );
};

/** Writes the folder of a model, as `transformers` loads it; the folder appears whole or not at all. */
export const writeModel = (dir: string, model: Model, options: WriteModelOptions = {}): TE.TaskEither<Failure, void> =>
  isClip(model) ? writeClip(dir, model, options) : writeVit(dir, model, options);
