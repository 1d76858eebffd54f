/** What people take for a model folder, called what it is, with what helps. Looked at only where a folder cannot be read. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { readJson, unreadable } from "../formats/files.ts";
import { dirname, join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { firstBytes, isLfsPointer, lfsAdvice } from "../platform/pictures.ts";
import { record } from "./config.ts";

/** Whether the file at `path` is a pointer of Git LFS. */
const isPointer = async (path: string, files: Files): Promise<boolean> => {
  const start = await files.open(path, (file) => {
    const bytes = new Uint8Array(Math.min(firstBytes, file.size));
    return pipe(
      file.read(bytes, 0),
      TE.map(() => bytes),
    );
  })();
  return E.isRight(start) && isLfsPointer(start.right);
};

/** How weights of other libraries are made safetensors, by the class of transformers that a configuration names: another one leaves parts out. */
const convert = async (dir: string, files: Files): Promise<string> => {
  const config = await readJson(join(dir, "config.json"), files)();
  const { architectures } = record(E.isRight(config) ? config.right : undefined);
  const named: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  const kind = typeof named === "string" && /^\w{1,80}$/.test(named) ? named : "AutoModel";
  return `python -c "from transformers import ${kind} as M; M.from_pretrained('${dir}').save_pretrained('${dir}')"`;
};

/** What a folder without `model.safetensors` has instead; undefined where it has nothing that is known. */
const otherWeights = async (dir: string, names: readonly string[], files: Files): Promise<string | undefined> => {
  const torch = names.find((name) => /^pytorch_model.*\.bin(\.index\.json)?$/.test(name)) ?? names.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  if (torch !== undefined) return `its weights are in ${torch}, which is not read; write them as model.safetensors: ${await convert(dir, files)}`;
  const safetensors = names.find((name) => name.endsWith(".safetensors"));
  if (safetensors !== undefined) return `its weights are in ${safetensors}; model.safetensors is read, with the names of transformers`;
  const foreign = names.find((name) => /\.(h5|msgpack|onnx|gguf|tflite)$/.test(name));
  return foreign === undefined ? undefined : `its weights are in ${foreign}, which is not read; model.safetensors is`;
};

/** What a folder without `config.json` is; undefined where it is nothing that is known. */
const otherFolder = async (dir: string, names: readonly string[], files: Files): Promise<string | undefined> => {
  if (names.includes("adapter_config.json")) {
    const config = await readJson(join(dir, "adapter_config.json"), files)();
    const { base_model_name_or_path: base } = record(E.isRight(config) ? config.right : undefined);
    const model = typeof base === "string" ? ` (${base})` : "";
    const how = `reads its base model${model} and merges it with readPeft and mergeUpdate, but no adapter on an adapter`;
    return `it is a PEFT adapter and no model; openLearner, as every command, ${how}`;
  }
  if (names.includes("model") && (await files.exists(join(dir, "model", "config.json"))())) return `its model is in ${join(dir, "model")}; give that folder`;
  if (names.includes("snapshots")) return `it is a folder of the Hugging Face cache; give the folder in ${join(dir, "snapshots")}`;
  if (names.some((name) => name.startsWith("open_clip_"))) return "it is a folder of OpenCLIP; its model in the layout of transformers is read";
  if (names.includes("model_index.json")) return "it is a pipeline of diffusers, and no model folder";
  if (names.includes("modules.json")) return "it is a folder of sentence-transformers; give the folder of its CLIP, such as 0_CLIPModel";
  if (names.includes("classnames.txt") || names.includes("train")) return "it is a dataset, and no model";
  return undefined;
};

/** What is said of a folder instead of `failure`, which kept it from being read as a model: what it is, where that is known. */
export const namedMistake =
  <A>(dir: string, files: Files) =>
  (failure: Failure): TE.TaskEither<Failure, A> =>
  async () => {
    if (!("path" in failure)) return E.left(failure);
    if (failure._tag !== "BadTensor" && (await isPointer(failure.path, files))) return E.left(unreadable(failure.path)(lfsAdvice));
    if (failure._tag !== "FileUnreadable") return E.left(failure);
    const listed = await files.list(dir)();
    if (E.isLeft(listed)) {
      const there = await files.exists(dir)();
      return E.left(there ? unreadable(dir)(`it is a file; a model is a folder, such as ${dirname(dir)}`) : failure);
    }
    const names = listed.right.map(({ name }) => name).sort();
    const said = async (): Promise<string | undefined> => {
      if (failure.path === join(dir, "config.json") && !names.includes("config.json")) return otherFolder(dir, names, files);
      return failure.path === join(dir, "model.safetensors") && !names.includes("model.safetensors") ? otherWeights(dir, names, files) : undefined;
    };
    const detail = await said();
    return E.left(detail === undefined ? failure : unreadable(dir)(detail));
  };
