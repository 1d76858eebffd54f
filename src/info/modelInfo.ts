/** What there is to know of a model, or of a learner. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { elements } from "../formats/hostTensor.ts";
import { trainableParameters } from "../model/adapters/adapter.ts";
import { allParameters } from "../model/adapters/inFull.ts";
import { expertPool, gatedLora, lora } from "../model/adapters/lora.ts";
import { heldParameters, narrowDtype } from "../model/weights.ts";
import { decoderMemory, type DecoderMemory } from "./decoderMemory.ts";
import { countedRank, trainingMemory, type TrainingMemory } from "./trainingMemory.ts";
import { readModelPlaces } from "../formats/safetensors.ts";
import type { Architecture } from "../model/architecture.ts";
import type { Learner } from "../model/learner.ts";
import { bytesKept } from "../model/memory.ts";
import { examplesKept } from "../training/kept.ts";
import { architectureOf, networkOf, readModelAs, type Model, type WriteModelOptions } from "../model/model.ts";
import { depthOf, type Network } from "../model/network.ts";
import type { Files } from "../platform/files.ts";
import { isLearner, readLearnerOrModel } from "../runs/checkpoint.ts";

/** What an adapter would train of a model. */
export interface AdapterInfo {
  readonly name: string;
  readonly trainableParameters: number;
}

/** A tower: its blocks, and the layers that adapters attach to. */
export interface TowerInfo {
  readonly name: string;
  readonly blocks: number;
  readonly layers: number;
  readonly kinds: readonly string[];
}

/** A model. */
export interface ModelInfo {
  readonly kind: "model";
  readonly folder: string;
  readonly architecture: string;
  /** The width and the height of its pictures. */
  readonly imageSize: number | null;
  /** How many tokens a picture becomes among those of a text; null where none does. */
  readonly pictureTokens: number | null;
  /** How many tokens a text may have, how many it knows, and whether it continues texts; null where it reads none, or does not say. */
  readonly texts: { readonly context: number; readonly vocabulary: number | null; readonly continued: boolean } | null;
  readonly towers: readonly TowerInfo[];
  readonly parameters: number;
  /** The element type of its file; a file of several says f32. */
  readonly dtype: NonNullable<WriteModelOptions["dtype"]>;
  /** The element type in which an export writes it, unless another is asked for. */
  readonly exported: NonNullable<WriteModelOptions["dtype"]>;
  /** What it needs of memory, where it continues texts. */
  readonly memory: DecoderMemory | null;
  /** What a step of a training of it needs of memory. */
  readonly training: TrainingMemory | null;
  /** What adapters on all layers would train, of rank 16 where they have one. */
  readonly adapters: readonly AdapterInfo[];
}

/** A learner: a model, and what it remembers. */
export interface LearnerInfo extends Omit<ModelInfo, "kind"> {
  readonly kind: "learner";
  /** The classes that it has learned, in their order. */
  readonly seen: readonly string[];
  /** The kind and the rows of its head; null where it has none. */
  readonly head: { readonly kind: string; readonly rows: number } | null;
  /** The stages that remember something, by their names. */
  readonly remembers: readonly string[];
  readonly bytesKept: number;
  /** Examples of past tasks that it keeps for replay: references to their data. */
  readonly examplesKept: number;
}

const rank = countedRank;

/** What each kind of adapter trains. */
const counts: Readonly<Record<string, (net: Network) => number>> = {
  LoRA: (net) => trainableParameters(lora({ rank }), net),
  "gated LoRA": (net) => trainableParameters(gatedLora({ rank }), net),
  "LoRA with a given A": (net) => trainableParameters(lora({ rank, directions: new Map() }), net),
  "pool of experts": (net) => trainableParameters(expertPool({ rank }), net),
  "all parameters": (net) => trainableParameters(allParameters(), net),
};

const towersOf = (net: Network): readonly TowerInfo[] =>
  Object.keys(net.towers).map((name) => {
    const layers = net.layers.filter(({ tower }) => tower === name);
    return { name, blocks: depthOf(net, name), layers: layers.length, kinds: [...new Set(layers.map(({ kind }) => kind))] };
  });

const textsOf = ({ architecture: { texts, decoder }, config }: Model): ModelInfo["texts"] => {
  const read = texts ?? decoder;
  return read === undefined ? null : { context: read.context(config), vocabulary: read.vocabulary?.(config) ?? null, continued: decoder !== undefined };
};

const modelInfo = (folder: string, { model }: Pick<Learner, "model">, memory: DecoderMemory | null = null): ModelInfo => {
  const { architecture, config, dtype = "f32" } = model;
  const { decoder, images } = architecture;
  const net = networkOf(model);
  return {
    kind: "model",
    folder,
    architecture: architecture.name,
    imageSize: images?.size(config) ?? null,
    pictureTokens: decoder?.pictures?.tokens(config) ?? null,
    texts: textsOf(model),
    towers: towersOf(net),
    parameters: [...net.parameters.values()].reduce((n, { shape }) => n + elements(shape), 0),
    dtype,
    exported: dtype,
    memory,
    training: trainingMemory(model) ?? null,
    adapters: Object.entries(counts).map(([name, of]) => ({ name, trainableParameters: of(net) })),
  };
};

const learnerInfo = (folder: string, learner: Learner): LearnerInfo => {
  const { head, memory, seen } = learner;
  return {
    ...modelInfo(folder, learner),
    kind: "learner",
    // Its model may have been read in another; a learner is kept in this one, so that a run goes on to the same bits.
    dtype: "f32",
    seen,
    head: head === undefined ? null : { kind: head.kind, rows: head.bias.length },
    remembers: Object.keys(memory),
    bytesKept: bytesKept(learner),
    examplesKept: examplesKept(learner),
  };
};

/** A decoder may be larger than the memory of the process: its shapes and the headers of its files are read, and no weight. */
const decoderInfo = (folder: string, architecture: Architecture, files: Files): TE.TaskEither<Failure, ModelInfo> =>
  pipe(
    readModelPlaces(folder, files),
    TE.bindTo("places"),
    TE.bind("model", ({ places }) =>
      readModelAs(architecture, folder, files, (_, config) =>
        pipe(
          TE.fromEither(heldParameters(architecture, config, places, folder)),
          TE.map(() => ({ weights: new Map(), ...narrowDtype([...places.values()]) })),
        ),
      ),
    ),
    TE.map(({ model, places }) => modelInfo(folder, { model }, decoderMemory(model, [...places.values()]))),
  );

/** Tells of the model or the learner in a folder. Fails as `readModel` and `readLearner` do. */
export const readModelInfo = (folder: string, files: Files): TE.TaskEither<Failure, ModelInfo | LearnerInfo> =>
  pipe(
    TE.Do,
    TE.bind("remembers", () => TE.fromTask(isLearner(folder, files))),
    TE.bind("architecture", () => architectureOf(folder, { files })),
    TE.chain(({ architecture, remembers }): TE.TaskEither<Failure, ModelInfo | LearnerInfo> => {
      if (architecture.decoder !== undefined && !remembers) return decoderInfo(folder, architecture, files);
      return pipe(
        readLearnerOrModel(folder, { files }),
        TE.map((learner) => (remembers ? learnerInfo : modelInfo)(folder, learner)),
      );
    }),
  );
