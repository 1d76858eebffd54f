/** Unit features of images and texts under a model, in batches of one shape. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { imageFeatures, textFeatures } from "../model/clip.ts";
import { frozenParameters } from "../model/frozen.ts";
import { isClip } from "../model/model.ts";
import { plainScope, type Scope } from "../model/transformer.ts";
import { evaluationBatches } from "../data/batches.ts";
import type { Task } from "../data/task.ts";
import { decoderOf } from "../data/decode.ts";
import type { Example } from "../data/example.ts";
import { instantiate, type Executable } from "../tensor/executable.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import { trace } from "../tensor/program.ts";
import { resident, type Resident } from "../tensor/resident.ts";
import { floats, indices, leaf, type Spec, type Tensor } from "../tensor/tensor.ts";
import { through, type Branch } from "../model/branch.ts";
import { encodeTexts, transformOf } from "./encode.ts";
import type { Learner } from "../training/lesson.ts";
import { skippedReporter, type Runtime } from "../training/runtime.ts";

/** Rows of features: [count, embed]; unit rows for a CLIP. */
export interface Features {
  readonly count: number;
  readonly data: Float32Array;
}

/** Features of images, and what there is to know of each. */
export interface ImageFeatures extends Features {
  readonly labels: Uint32Array;
  /** What a branch noted of the images: [count, k], by name. */
  readonly notes: Readonly<Record<string, Float32Array>>;
}

/** Encodes images and texts by one learner's model until it is released. */
export interface Encoder {
  /** Features of examples of a task, in their order; of those only that could be decoded. */
  readonly images: (task: Task, examples: readonly Example[]) => TE.TaskEither<Failure, ImageFeatures>;
  /** Unit features of texts; a ViT has none, and fails with `ShapeMismatch`. */
  readonly texts: (texts: readonly string[]) => TE.TaskEither<Failure, Features>;
  readonly release: () => void;
}

/** Images that are encoded at a time; a batch that is not full is filled with zeros. */
const imageBatch = 64;
const textsAtATime = 128;

/** Uploads a learner's model, with the branch if there is one, and makes its encoder; programs are bound when first used. */
export const encoder = (learner: Learner, runtime: Runtime, branch?: Branch): E.Either<Failure, Encoder> => {
  const { device } = runtime;
  const { model } = learner;
  const { config } = model;
  const own = [...(branch?.tensors(learner) ?? [])].map(([name, value]) => [`branch ${name}`, value] as const);
  const uploaded = resident(device, [...model.weights, ...own]);
  if (E.isLeft(uploaded)) return uploaded;
  const weights: Resident = uploaded.right;
  const executables = new Map<string, Executable>();
  type Forward = (scope: Scope, inputs: Readonly<Record<string, Tensor>>) => Tensor;
  const bind = async (key: string, inputs: Readonly<Record<string, Spec>>, forward: Forward): Promise<E.Either<Failure, Executable>> => {
    const known = executables.get(key);
    if (known !== undefined) return E.right(known);
    const program = trace({ inputs }, (args) => {
      const notes: Record<string, Tensor> = {};
      const constants = new Map<string, Tensor>();
      const constant = (name: string, { shape }: { readonly shape: readonly number[] }): Tensor => {
        const tensor = constants.get(name) ?? leaf("frozen", `branch ${name}`, floats(shape));
        constants.set(name, tensor);
        return tensor;
      };
      const scope = through(branch, learner, plainScope(frozenParameters(config)), constant, (name, value) => void (notes[name] = value));
      const features = forward(scope, args.inputs);
      return E.right({ outputs: { ...notes, features: isClip(model) ? normalize(features) : features } });
    });
    if (E.isLeft(program)) return program;
    noted.set(
      key,
      Object.keys(program.right.outputs).filter((name) => name !== "features"),
    );
    const made = await instantiate(device, program.right, weights)();
    if (E.isRight(made)) executables.set(key, made.right);
    return made;
  };
  /** The names that a branch noted something under, by program. */
  const noted = new Map<string, readonly string[]>();

  const images: Encoder["images"] = (task, examples) => async () => {
    const batch = Math.min(imageBatch, Math.max(1, examples.length));
    const { channels, imageSize } = config.vision;
    const shape = floats([batch, channels, imageSize, imageSize]);
    const key = `images ${batch}`;
    const bound = await bind(key, { pixels: shape }, (scope, { pixels }) => imageFeatures(scope, config, pixels));
    if (E.isLeft(bound)) return bound;
    const source = evaluationBatches({
      examples,
      decode: decoderOf(task),
      batch,
      transform: transformOf(model),
      cache: runtime.images,
      onCorrupt: runtime.onCorrupt,
    });
    const data = new Float32Array(examples.length * config.embed);
    const labels = new Uint32Array(examples.length);
    const notes: Record<string, number[]> = Object.fromEntries(noted.get(key)!.map((name) => [name, []]));
    const full = new Float32Array(batch * channels * imageSize * imageSize);
    let count = 0;
    let next = source.steps > 0 ? source.at(0)() : undefined;
    for (let step = 0; step < source.steps; step++) {
      if (runtime.signal?.aborted) return E.left({ _tag: "Interrupted" });
      const loaded = await next!;
      if (E.isLeft(loaded)) return loaded;
      full.fill(0);
      full.set(loaded.right.pixels);
      const ran = bound.right.run({ pixels: full });
      if (E.isLeft(ran)) return ran;
      next = step + 1 < source.steps ? source.at(step + 1)() : undefined;
      const features = await bound.right.read("features")();
      if (E.isLeft(features)) return features;
      data.set(features.right.subarray(0, loaded.right.count * config.embed), count * config.embed);
      labels.set(loaded.right.labels, count);
      for (const [name, list] of Object.entries(notes)) {
        const values = await bound.right.read(name)();
        if (E.isLeft(values)) return values;
        list.push(...values.right.subarray(0, (values.right.length / batch) * loaded.right.count));
      }
      count += loaded.right.count;
    }
    skippedReporter(runtime.emit)(source.skipped());
    return E.right({
      count,
      data: data.subarray(0, count * config.embed),
      labels: labels.subarray(0, count),
      notes: Object.fromEntries(Object.entries(notes).map(([name, list]) => [name, Float32Array.from(list)])),
    });
  };

  const texts: Encoder["texts"] = (list) => async () => {
    if (!isClip(model)) return E.left({ _tag: "ShapeMismatch", op: "texts", detail: "this model has no text tower" });
    const data = new Float32Array(list.length * config.embed);
    for (let at = 0; at < list.length; at += textsAtATime) {
      const part = list.slice(at, at + textsAtATime);
      const { ids, ends, count, length } = encodeTexts(model, part);
      const shapes = { ids: indices([count, length]), ends: indices([count]) };
      const bound = await bind(`texts ${count} ${length}`, shapes, (scope, args) => textFeatures(scope, model.config, args.ids, args.ends));
      if (E.isLeft(bound)) return bound;
      const ran = bound.right.run({ ids, ends });
      if (E.isLeft(ran)) return ran;
      const features = await bound.right.read("features")();
      if (E.isLeft(features)) return features;
      data.set(features.right, at * config.embed);
    }
    return E.right({ count: list.length, data });
  };

  return E.right({
    images,
    texts,
    release: () => {
      executables.forEach((e) => e.release());
      weights.release();
    },
  });
};
