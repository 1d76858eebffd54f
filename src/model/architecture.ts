/**
 * An architecture as a value: all that Cambium knows of CLIP, of ViT, or of a network of your own.
 *
 * ```ts
 * interface Architecture<Config, Out> { name; config; parameters; layers; towers; inputs; images; texts; forward; readout }
 * ```
 *
 * No stage, adapter or objective knows one by name. They see a {@link Network}, which is plain data, and the named outputs of `forward`.
 */
import type { Type } from "io-ts";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Preprocess } from "../data/preprocess.ts";
import type { Failure } from "../failure.ts";
import type { Tensors } from "../formats/hostTensor.ts";
import { check, type Shape, type Spec, type Tensor } from "../tensor/tensor.ts";
import type { Scope } from "./scope.ts";
import type { TextBatch, Tokenizer } from "./tokenizer.ts";

/** A parameter: its name on disk, its shape, and how it is drawn for a network that nobody has trained. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  /** One value everywhere, or normal with mean 0. */
  readonly initial: { readonly value: number } | { readonly deviation: number };
  /** A folder may lack it; the network then computes without it. */
  readonly optional?: boolean;
}

/** A linear layer that adapters may attach to: its weight `NAME.weight` is [out, in]. */
export interface Layer {
  readonly name: string;
  readonly tower: string;
  /** What it does in its block, in the words of papers: `q`, `k`, `v`, `out`, `fc1`, `fc2`, … */
  readonly kind: string;
  readonly in: number;
  readonly out: number;
  /** Whether it has a `NAME.bias`. */
  readonly bias: boolean;
  /** The number of its block in the tower, from 0. */
  readonly depth: number;
}

/** A stack of blocks: the inputs that it reads, and the output that runs all of it. */
export interface Tower {
  readonly inputs: readonly string[];
  readonly output: string;
}

/** What adapters, projections and counts need of a model: plain data. */
export interface Network {
  /** The name of its architecture, for messages. */
  readonly name: string;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly layers: readonly Layer[];
  readonly towers: Readonly<Record<string, Tower>>;
  /** Width of the features that heads and prototypes are made of. */
  readonly width: number;
}

/** How many images and texts are in a batch, and how many tokens a text has. */
export interface BatchSize {
  readonly images: number;
  readonly texts: number;
  readonly length: number;
}

/** Tensors by name; each is traced when it is first asked for. */
export type Outputs = Readonly<Record<string, Tensor>>;

/** How the features of images are compared with classes. */
export interface Readout<O extends string = string> {
  /** The output that heads are fed with: [images, width]. */
  readonly features: O;
  /** The output that is compared with the features of texts, or that a head scores: [images, width]. */
  readonly images: O;
  /** The output with the features of a class's text: [texts, width]. Where there is none, a head tells classes apart. */
  readonly texts?: O;
  /** What the inner product of both is multiplied with. Default 1. */
  readonly scale?: (weights: Tensors) => number;
}

/** What a forward function is given: the network's parameters and layers, and the inputs of the batch by name. */
export interface ForwardArguments<C> {
  readonly config: C;
  readonly scope: Scope;
  readonly input: (name: string) => Tensor;
}

/** Everything there is to know of a kind of network, and nothing of its weights. `Out` are the outputs of its forward function. */
export interface Architecture<C = any, Out = any> {
  /** The `model_type` of its `config.json`. */
  readonly name: string;
  /** From the JSON of `config.json` to a configuration and back. Errors may carry a message of their own. */
  readonly config: Type<C, Readonly<Record<string, unknown>>, unknown>;
  readonly parameters: (config: C) => readonly Parameter[];
  readonly layers: (config: C) => readonly Layer[];
  readonly towers: Readonly<Record<string, Tower>>;
  readonly width: (config: C) => number;
  /** Prefixes that the names of all parameters may have in a file. */
  readonly prefixes?: readonly string[];
  /** The inputs of a batch, by name. */
  readonly inputs: (config: C, size: BatchSize) => Readonly<Record<string, Spec>>;
  /** How images become pixels: square ones of `size`, transformed as `preprocess` says where a folder says nothing. */
  readonly images: {
    readonly size: (config: C) => number;
    readonly preprocess: (size: number) => Preprocess;
  };
  /** How texts become inputs, where the network reads any. */
  readonly texts?: {
    readonly tokenizer: (dir: string, config: C) => TaskEither<Failure, Tokenizer>;
    /** Texts as `ids` and `ends`, as long as the longest, or as `length` says; `context` is the longest that the network takes. */
    readonly encode: (config: C, tokenizer: Tokenizer, texts: readonly string[], length?: number) => TextBatch;
    readonly context: (config: C) => number;
  };
  /** The outputs, each traced when it is asked for. */
  readonly forward: (args: ForwardArguments<C>) => Out;
  readonly readout: Readout<keyof Out & string>;
}

/** The network of a configuration. Parameters that are optional are in it where `has` says so. */
export const network = <C>(architecture: Architecture<C>, config: C, has: (name: string) => boolean = () => true): Network => ({
  name: architecture.name,
  parameters: new Map(architecture.parameters(config).flatMap((p) => (p.optional && !has(p.name) ? [] : [[p.name, p] as const]))),
  layers: architecture.layers(config),
  towers: architecture.towers,
  width: architecture.width(config),
});

/** An object whose properties are computed when they are first read, and then kept. */
export const lazily = <T extends object>(compute: { readonly [K in keyof T]: () => T[K] }): T => {
  const computed = {} as T;
  for (const key of Object.keys(compute) as (keyof T)[]) {
    Object.defineProperty(computed, key, {
      configurable: true,
      enumerable: true,
      get: () => {
        const value = compute[key]();
        Object.defineProperty(computed, key, { value, enumerable: true });
        return value;
      },
    });
  }
  return computed;
};

/** Some of a network's layers, by their kinds and towers. */
export interface LayerChoice {
  /** Kinds of layers, in the order in which their adapters are drawn; or all. */
  readonly modules: "all" | readonly string[];
  readonly towers: "all" | readonly string[];
}

const distinct = (words: readonly string[]): readonly string[] => [...new Set(words)];

/**
 * Whether a name is among those that are chosen.
 *
 * ```ts
 * assert.ok(model.chooses("all", "vision") && !model.chooses(["text"], "vision"));
 * ```
 */
export const chooses = (choice: "all" | readonly string[], name: string): boolean => choice === "all" || choice.includes(name);

/** The names that are chosen among those that there are. Throws a `ShapeError` that lists both where one is not there. */
const chosen = (what: string, { name }: Network, choice: "all" | readonly string[], there: readonly string[]): readonly string[] => {
  if (choice === "all") return there;
  const unknown = choice.find((word) => !there.includes(word));
  check(unknown === undefined, "layers", () => `a ${name} has no ${what} ${unknown}; it has ${there.join(", ")}`);
  return choice;
};

/** The chosen towers. Throws a `ShapeError` where the network lacks one. */
export const towersOf = (net: Network, towers: LayerChoice["towers"]): readonly string[] => chosen("tower", net, towers, Object.keys(net.towers));

/** The layers of the chosen towers, block by block. Throws a `ShapeError` where the network lacks a tower or a kind that is named. */
export const layersOf = (net: Network, { modules, towers }: LayerChoice): readonly Layer[] => {
  const kinds = chosen("layer of the kind", net, modules, distinct(net.layers.map(({ kind }) => kind)));
  return towersOf(net, towers).flatMap((tower) => {
    const own = net.layers.filter((layer) => layer.tower === tower);
    const blocks = distinct(own.map(({ depth }) => String(depth)));
    return blocks.flatMap((block) => kinds.flatMap((kind) => own.filter((layer) => String(layer.depth) === block && layer.kind === kind)));
  });
};

/** The number of blocks in a tower. */
export const depthOf = (net: Network, tower: string): number => 1 + Math.max(-1, ...net.layers.filter((l) => l.tower === tower).map((l) => l.depth));
