/** A model: an architecture, its configuration, its weights, and what makes inputs of images and texts. Read from a folder and written to one. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { readPreprocess, type Preprocess } from "../data/preprocess.ts";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import { readJson, writeAtomic, writeFolderAtomic, writeJson } from "../formats/files.ts";
import type { Tensors } from "../formats/hostTensor.ts";
import { readModelPlaces, readModelTensors, writeSafetensors } from "../formats/safetensors.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Leaves } from "../tensor/leaves.ts";
import { network, type Architecture, type BatchSize, type KeyValueCache, type Outputs } from "./architecture.ts";
import type { Network } from "./network.ts";
import { clip, type ClipConfig, type ClipOutputs } from "./clip.ts";
import { processorNames, readCompanions } from "./companions.ts";
import { decodeConfig, record } from "./config.ts";
import { faultOfImages, faultOfPreprocess } from "./inputs.ts";
import { llama, qwen2 } from "./llama.ts";
import { llava } from "./llava.ts";
import { namedMistake } from "./mistaken.ts";
import { frozenScope, type Scope } from "./scope.ts";
import { readTextTokenizer, type TextTokenizer } from "../formats/textTokenizer.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";
import { vit } from "./vit.ts";
import { checkedWeights, finiteWeights, initialWeights, narrowDtype, type NarrowDtype } from "./weights.ts";

/** A model. `Out` are the outputs of its architecture, where they are known when a program is written. */
export interface Model<Out = any, C = any> {
  readonly architecture: Architecture<C, Out>;
  readonly config: C;
  /** Under the names of the architecture's parameters. */
  readonly weights: Tensors;
  /** The element type of its file, where that is narrower than f32: it is written in that again. */
  readonly dtype?: NarrowDtype;
  /** Where the architecture sees images. */
  readonly preprocess?: Preprocess;
  /** Where the architecture reads texts. */
  readonly tokenizer?: Tokenizer;
  /** Where the architecture continues texts and its folder has a tokenizer. */
  readonly textTokenizer?: TextTokenizer;
  /** The files of tokenizer and image processor as they were read, written back as they are. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A CLIP. */
export type Clip = Model<ClipOutputs, ClipConfig>;

/** The network of a model. */
export const networkOf = ({ architecture, config, weights }: Pick<Model, "architecture" | "config" | "weights">): Network =>
  network(architecture, config, (name) => weights.has(name));

/** A model with random weights and the architecture's own preprocessing; one that reads texts needs a tokenizer too. */
export const initialModel = <C, Out>(
  architecture: Architecture<C, Out>,
  config: C,
  seed: number,
  rest: Partial<Pick<Model, "tokenizer" | "textTokenizer" | "preprocess" | "files">> = {},
): Model<Out, C> => ({
  architecture,
  config,
  weights: initialWeights(architecture, config, seed),
  ...(architecture.images === undefined ? {} : { preprocess: architecture.images.preprocess(architecture.images.size(config)) }),
  files: new Map(),
  ...rest,
});

/**
 * The outputs of a model for a batch of the given size, in a program that is being traced: as it is, or through another scope, or behind earlier tokens; some
 * may be given.
 */
export const outputsOf = (
  model: Pick<Model, "architecture" | "config" | "weights">,
  leaves: Leaves,
  size: BatchSize,
  scope: Scope = frozenScope(networkOf(model), leaves.frozen),
  cache?: KeyValueCache,
  given?: Outputs,
): Outputs => {
  const { architecture, config } = model;
  const inputs = architecture.inputs(config, size);
  return architecture.forward({ config, scope, input: (name) => leaves.input(name, inputs[name]), cache, given });
};

const refuse = (path: string, detail: string | undefined): E.Either<Failure, void> =>
  detail === undefined ? E.right(undefined) : E.left({ _tag: "BadConfig", path, detail });

/** What of a model its weights files say. */
type Stored = Pick<Model, "weights" | "dtype">;

/** A failure about a tensor, with the shard that it lies in, where weights lie in shards. */
const inShard =
  (dir: string, disk: Files) =>
  (failure: Failure): TE.TaskEither<Failure, Stored> =>
  async () => {
    if (failure._tag !== "BadTensor") return E.left(failure);
    const places = await readModelPlaces(dir, disk)();
    const { path = failure.path } = (E.isRight(places) && places.right.get(failure.tensor)) || {};
    return E.left({ ...failure, path });
  };

/** All weights of a folder, in the memory of the process. */
const readStored = <C>(architecture: Architecture<C>, config: C, dir: string, disk: Files): TE.TaskEither<Failure, Stored> =>
  pipe(
    readModelTensors(dir, disk),
    TE.chainEitherK((tensors) =>
      pipe(
        checkedWeights(architecture, config, tensors, dir),
        E.map((weights) => ({ weights, ...narrowDtype(tensors.values()) })),
      ),
    ),
    TE.orElse(inShard(dir, disk)),
  );

/**
 * Reads a model folder of a known architecture: `config.json`, `model.safetensors` (f32, f16 or bf16, also sharded), what its tokenizer needs, and
 * `preprocessor_config.json` (optional). Fails with the file, and the tensor where one does not match the configuration; what else people take for a model is
 * called what it is. `stored` reads the weights.
 */
export const readModelAs = <C, Out>(
  architecture: Architecture<C, Out>,
  dir: string,
  disk: Files = platform.files,
  stored: typeof readStored<C> = readStored,
): TE.TaskEither<Failure, Model<Out, C>> => {
  const path = join(dir, "config.json");
  const { images, texts, decoder } = architecture;
  return pipe(
    TE.Do,
    TE.bind("config", () =>
      pipe(
        readJson(path, disk),
        TE.chainEitherK((json) => decodeConfig(architecture, path, json)),
        TE.chainFirstEitherK((config) => refuse(path, faultOfImages(architecture, config))),
      ),
    ),
    TE.bind("stored", ({ config }) => stored(architecture, config, dir, disk)),
    TE.bind("tokenizer", ({ config }) => (texts === undefined ? TE.right(undefined) : texts.tokenizer(dir, config, disk))),
    TE.bind("textTokenizer", ({ config }) =>
      decoder === undefined ? TE.right(undefined) : readTextTokenizer(dir, { vocabulary: decoder.vocabulary(config), files: disk }),
    ),
    TE.bind("preprocess", ({ config }) => (images === undefined ? TE.right(undefined) : readPreprocess(dir, images.size(config), images.preprocess, disk))),
    TE.bind("files", () => readCompanions(dir, disk)),
    TE.chainFirstEitherK(({ config, preprocess, files }) =>
      refuse(join(dir, processorNames.find((name) => files.has(name)) ?? "config.json"), faultOfPreprocess(architecture, config, preprocess)),
    ),
    TE.map(({ tokenizer, textTokenizer, preprocess, stored, ...model }) => ({
      architecture,
      ...model,
      ...stored,
      ...(tokenizer === undefined ? {} : { tokenizer }),
      ...(textTokenizer === undefined ? {} : { textTokenizer }),
      ...(preprocess === undefined ? {} : { preprocess }),
    })),
    TE.orElse((failure) => namedMistake<Model<Out, C>>(dir, disk)(failure)),
  );
};

/** The architectures that come with Cambium. */
export const architectures: readonly Architecture[] = [clip, vit, llama, qwen2, llava];

/** Options of {@link readModel}. */
export interface ReadModelOptions {
  /** Those that a folder may hold. Default: {@link architectures}. */
  readonly architectures?: readonly Architecture[];
  /** Where the folder is. Default: the platform's files. */
  readonly files?: Files;
}

/** The architecture of a model folder. Fails with `BadConfig` where it is none of those that are supported. */
export const architectureOf = (
  dir: string,
  { architectures: supported = architectures, files: disk = platform.files }: ReadModelOptions,
): TE.TaskEither<Failure, Architecture> => {
  const path = join(dir, "config.json");
  return pipe(
    readJson(path, disk),
    TE.orElse((failure) => namedMistake<unknown>(dir, disk)(failure)),
    TE.chainEitherK((json): E.Either<Failure, Architecture> => {
      const { model_type: type = clip.name } = record(json);
      const architecture = supported.find(({ name }) => name === type);
      if (architecture !== undefined) return E.right(architecture);
      const names = supported.map(({ name }) => name);
      const detail = `model_type is ${printed(type)}; ${names.join(" and ")} ${names.length === 1 ? "is" : "are"} supported`;
      return E.left({ _tag: "BadConfig", path, detail });
    }),
  );
};

/**
 * Reads a model folder by the `model_type` of its `config.json` (a CLIP where none is stated). Fails as {@link readModelAs} does, and with `BadConfig` for
 * other models.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const fresh = model.initialModel(model.vit, { vision }, 1);
 * assert.equal((await writeModel(`${folder}/vit`, fresh)())._tag, "Right");
 * const read = await readModel(`${folder}/vit`)();
 * assert.ok(read._tag === "Right" && read.right.architecture === model.vit);
 * ```
 */
export const readModel = (dir: string, options: ReadModelOptions = {}): TE.TaskEither<Failure, Model> =>
  pipe(
    architectureOf(dir, options),
    TE.chain((architecture) => readModelAs(architecture, dir, options.files)),
  );

/** Options of {@link writeModel}. */
export interface WriteModelOptions {
  /** Element type of the weights on disk. Default: that of the file that the model was read from, `f32` where it was not read. */
  readonly dtype?: "f32" | "f16" | "bf16";
  /** Where the folder goes. Default: the platform's files. */
  readonly files?: Files;
}

const dtypes = { f32: "float32", f16: "float16", bf16: "bfloat16" } as const;

/**
 * Writes the folder of a model, as `transformers` loads it; the folder appears whole or not at all. Fails with `BadTensor` where a weight is not finite or does
 * not fit the element type, and with `FileUnwritable`.
 */
export const writeModel = (
  dir: string,
  { architecture, config, weights, files, dtype: stored }: Model,
  { dtype = stored ?? "f32", files: disk = platform.files }: WriteModelOptions = {},
): TE.TaskEither<Failure, void> =>
  pipe(
    TE.fromEither(finiteWeights(weights, dir)),
    TE.chain(() =>
      writeFolderAtomic(
        dir,
        (temp) =>
          pipe(
            writeJson(join(temp, "config.json"), { ...architecture.config.encode(config), torch_dtype: dtypes[dtype] }, disk),
            TE.chain(() => writeSafetensors(join(temp, "model.safetensors"), weights, { dtype, metadata: { format: "pt" } }, disk)),
            TE.chain(() => TE.traverseSeqArray(([name, bytes]: readonly [string, Uint8Array]) => writeAtomic(join(temp, name), [bytes], disk))([...files])),
            TE.map(() => undefined),
          ),
        disk,
      ),
    ),
  );
