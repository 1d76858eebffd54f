/** Which files of a model folder are read. */
import * as E from "fp-ts/lib/Either.js";
import { missingParts } from "../formats/parts.ts";
import { companions } from "./companions.ts";

/** Files that are weights of other formats. */
const otherWeights = /\.(bin|pt|pth|ckpt|h5|msgpack|onnx|gguf)$/;

/** Weights by the name of their file: whole, in parts with an index, or those of adapters. The first that is there is read. */
const weightsOf = (names: readonly string[]): readonly string[] => {
  if (names.includes("model.safetensors")) return ["model.safetensors"];
  const index = "model.safetensors.index.json";
  if (names.includes(index)) return [index, ...names.filter((name) => /^model-\d+-of-\d+\.safetensors$/.test(name))];
  return names.filter((name) => name === "adapter_model.safetensors");
};

/**
 * The files among the paths of a folder that are read of a model, of a learner or of adapters, so that nothing else has to be there. On the left, what it
 * lacks, as the end of a sentence.
 *
 * ```ts
 * const paths = ["config.json", "flax_model.msgpack", "model.safetensors", "onnx/model.onnx", "vocab.json"];
 * assert.deepEqual(model.modelPaths(paths), { _tag: "Right", right: ["config.json", "model.safetensors", "vocab.json"] });
 * ```
 */
export const modelPaths = (paths: readonly string[]): E.Either<string, readonly string[]> => {
  const names = paths.filter((path) => !path.includes("/"));
  const weights = weightsOf(names);
  if (!names.includes("config.json") && !names.includes("adapter_config.json")) return E.left("has no config.json, which every model has");
  if (weights.length === 0) {
    const others = names.filter((name) => otherWeights.test(name));
    const instead = others.length === 0 ? "" : `, but ${others.join(", ")}`;
    return E.left(`has no model.safetensors${instead}; a pull request to it may have (NAME@refs/pr/1), or another repository of the same model`);
  }
  const missing = missingParts(weights);
  if (missing.length > 0) return E.left(`lacks ${missing.join(", ")}`);
  const read = new Set(["config.json", "adapter_config.json", "learner.json", "learner.safetensors", ...companions, ...weights]);
  return E.right(names.filter((name) => read.has(name)));
};
