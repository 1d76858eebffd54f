/** Model folders in the Hugging Face layout, read, checked and written: what all have in common, and those of CLIP. */
import { join } from "../formats/path.ts";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { exists, readBytes, readJson, writeAtomic, writeFolderAtomic, writeJson } from "../formats/files.ts";
import { elements, type HostTensor, type Tensors } from "../formats/hostTensor.ts";
import { readModelTensors, writeSafetensors } from "../formats/safetensors.ts";
import { decodeConfig, encodeConfig, type ClipConfig, type ModelConfig } from "./config.ts";
import { parameters } from "./parameters.ts";
import { readPreprocess, type Preprocess } from "../data/preprocess.ts";
import { readTokenizer, type Tokenizer } from "./tokenizer.ts";

/** A CLIP as plain data, and the two functions that make its inputs. */
export interface Clip {
  readonly config: ClipConfig;
  readonly weights: Tensors;
  readonly tokenizer: Tokenizer;
  readonly preprocess: Preprocess;
  /** The files of tokenizer and image processor as they were read, written back as they are. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const companions = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "vocab.json",
  "merges.txt",
  "preprocessor_config.json",
  "processor_config.json",
];

/**
 * Weights under the names of the configuration, with its shapes; `stored` is the name of a parameter in the file. What belongs to no block
 * and is no parameter, such as `position_ids` or a classifier, is dropped. Failures: `BadTensor`.
 */
export const checkedWeights = (
  dir: string,
  config: ModelConfig,
  tensors: Tensors,
  stored: (name: string) => string = (name) => name,
): E.Either<Failure, Tensors> => {
  const path = join(dir, "model.safetensors");
  const bad = (tensor: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadTensor", path, tensor, detail });
  const weights = new Map<string, HostTensor>();
  const wanted = new Set<string>();
  for (const [name, shape] of parameters(config)) {
    const inFile = stored(name);
    const t = tensors.get(inFile);
    if (t === undefined) return bad(inFile, "is missing, and config.json asks for it");
    if (t.data.length !== elements(shape) || (t.shape.length === shape.length && !t.shape.every((d, i) => d === shape[i]))) {
      return bad(inFile, `is [${t.shape.join(", ")}] where config.json asks for [${shape.join(", ")}]`);
    }
    weights.set(name, { shape, data: t.data });
    wanted.add(inFile);
  }
  const surplus = [...tensors.keys()].find((name) => !wanted.has(name) && /\.layers?\.\d+\./.test(name));
  return surplus === undefined ? E.right(weights) : bad(surplus, "is not in the model that config.json describes");
};

/** The files of tokenizer and image processor in a folder, by name. */
export const readCompanions =
  (dir: string): TE.TaskEither<Failure, ReadonlyMap<string, Uint8Array>> =>
  async () => {
    const files = new Map<string, Uint8Array>();
    for (const name of companions) {
      const path = join(dir, name);
      if (!(await exists(path))) continue;
      const bytes = await readBytes(path)();
      if (E.isLeft(bytes)) return bytes;
      files.set(name, bytes.right);
    }
    return E.right(files);
  };

/**
 * Reads a CLIP folder: `config.json`, `model.safetensors` (f32, f16 or bf16, also sharded), `tokenizer.json` or `vocab.json` and
 * `merges.txt`, `preprocessor_config.json` (optional). Fails with the file, and the tensor where one does not match the configuration.
 */
export const readClip = (dir: string): TE.TaskEither<Failure, Clip> =>
  pipe(
    TE.Do,
    TE.bind("config", () =>
      pipe(
        readJson(join(dir, "config.json")),
        TE.chainEitherK((json) => decodeConfig(join(dir, "config.json"), json)),
      ),
    ),
    TE.bind("weights", ({ config }) =>
      pipe(
        readModelTensors(dir),
        TE.chainEitherK((tensors) => checkedWeights(dir, config, tensors)),
      ),
    ),
    TE.bind("tokenizer", () => readTokenizer(dir)),
    TE.bind("preprocess", ({ config }) => readPreprocess(dir, config.vision.imageSize)),
    TE.bind("files", () => readCompanions(dir)),
    TE.chainEitherK((clip) => {
      const largest = Math.max(clip.tokenizer.bos, clip.tokenizer.eos, clip.tokenizer.pad);
      const { vocabulary } = clip.config.text;
      if (largest < vocabulary) return E.right(clip);
      const detail = `vocab_size ${vocabulary} has no room for the tokenizer's id ${largest}`;
      return E.left<Failure, Clip>({ _tag: "BadConfig", path: join(dir, "config.json"), detail });
    }),
  );

/** Options of {@link writeClip}, `writeVit` and `writeModel`. */
export interface WriteModelOptions {
  /** Element type of the weights on disk. Default `f32`. */
  readonly dtype?: "f32" | "f16" | "bf16";
}

const dtypes = { f32: "float32", f16: "float16", bf16: "bfloat16" } as const;

/** What a model folder holds, as it stands in its files. */
export interface ModelFolder {
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: Tensors;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Writes `config.json`, `model.safetensors` and the files beside them; the folder appears whole or not at all. */
export const writeModelFolder = (dir: string, { config, weights, files }: ModelFolder, { dtype = "f32" }: WriteModelOptions): TE.TaskEither<Failure, void> =>
  writeFolderAtomic(dir, (temp) =>
    pipe(
      writeJson(join(temp, "config.json"), { ...config, torch_dtype: dtypes[dtype] }),
      TE.chain(() => writeSafetensors(join(temp, "model.safetensors"), weights, { dtype, metadata: { format: "pt" } })),
      TE.chain(() => TE.traverseSeqArray(([name, bytes]: readonly [string, Uint8Array]) => writeAtomic(join(temp, name), [bytes]))([...files])),
      TE.map(() => undefined),
    ),
  );

/** Writes a folder that `transformers` loads; the folder appears whole or not at all. */
export const writeClip = (dir: string, clip: Clip, options: WriteModelOptions = {}): TE.TaskEither<Failure, void> =>
  writeModelFolder(dir, { ...clip, config: encodeConfig(clip.config) }, options);
