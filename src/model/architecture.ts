/**
 * An architecture as a value: all that Cambium knows of CLIP, of ViT, or of a network of your own.
 *
 * ```ts
 * interface Architecture<Config, Out> { name; config; parameters; layers; towers; inputs; images; texts; forward; readout; decoder }
 * ```
 *
 * No stage, adapter or objective knows one by name. They see a {@link Network}, which is plain data, and the named outputs of `forward`.
 */
import * as E from "fp-ts/lib/Either.js";
import type { Type } from "io-ts";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Preprocess } from "../data/preprocess.ts";
import type { Failure } from "../failure.ts";
import type { Files } from "../platform/files.ts";
import type { Tensors } from "../formats/hostTensor.ts";
import { check, type Spec, type Tensor } from "../tensor/tensor.ts";
import type { Layer, Linear, Network, Parameter, Tower } from "./network.ts";
import type { Scope } from "./scope.ts";
import type { TextBatch, Tokenizer } from "../formats/tokenizer.ts";

/** How many images and texts are in a batch, and how many tokens a text has. */
export interface BatchSize {
  readonly images: number;
  readonly texts: number;
  readonly length: number;
  /** Of a decoder: how many tokens, of all texts together, are predicted. Default 0. */
  readonly positions?: number;
  /** Where images are seen with patches hidden: how many patches of each are seen. */
  readonly visible?: number;
}

/** Tensors by name; each is traced when it is first asked for. */
export type Outputs = Readonly<Record<string, Tensor>>;

/** How the features of images are compared with classes. */
export interface Readout {
  /** The output that heads are fed with: [images, width]. */
  readonly features: string;
  /** The output that is compared with the features of texts, or that a head scores: [images, width]. */
  readonly images: string;
  /** The output with the features of a class's text: [texts, width]. Where there is none, a head tells classes apart. */
  readonly texts?: string;
  /** What the inner product of both is multiplied with. Default 1. */
  readonly scale?: (weights: Tensors) => number;
}

/** The keys and values of a decoder's earlier tokens, which a program keeps from run to run. */
export interface KeyValueCache {
  /** u32 [1]: the place of this run's first token among all. */
  readonly at: Tensor;
  /** The keys and values [texts, capacity, width] of all tokens so far in the block at a depth, those of this run [texts, length, width] put in. */
  readonly extend: (depth: number, keys: Tensor, values: Tensor) => { readonly keys: Tensor; readonly values: Tensor };
}

/** How a network compares images with classes. Throws a `ShapeError` where it does not, as one that answers in words. */
export const readoutOf = ({ name, readout }: Pick<Architecture, "name" | "readout">): Readout => {
  check(readout !== undefined, "readout", () => `a ${name} answers in words and does not tell classes apart`);
  return readout!;
};

/** How a network compares images with classes. Fails with `BadOption` where it does not, as one that answers in words. */
export const readoutFor = ({ name, readout }: Pick<Architecture, "name" | "readout">): E.Either<Failure, Readout> =>
  readout === undefined
    ? E.left({ _tag: "BadOption", option: "model", detail: `a ${name} answers in words and does not tell classes apart` })
    : E.right(readout);

/** What a forward function is given: the network's parameters and layers, and the inputs of the batch by name. */
export interface ForwardArguments<C> {
  readonly config: C;
  readonly scope: Scope;
  readonly input: (name: string) => Tensor;
  /** Of a decoder: what it keeps of earlier tokens. Default: nothing, and a run starts at the first token. */
  readonly cache?: KeyValueCache;
  /** Outputs that are known already: the others are computed from them. */
  readonly given?: Outputs;
}

/** How a network continues texts. */
export interface Decoder<C> {
  /** The most tokens that it takes. */
  readonly context: (config: C) => number;
  /** How many tokens it has embeddings of. */
  readonly vocabulary: (config: C) => number;
  /** The chat template that its models are tuned with, such as `vicuna`, unless their tokenizers speak for another. */
  readonly chat?: string;
  /** How pictures stand among its tokens, where it sees any: the id that stands for a token of one, and how many one becomes. */
  readonly pictures?: { readonly token: (config: C) => number; readonly tokens: (config: C) => number };
}

/** Everything there is to know of a kind of network, and nothing of its weights. `Out` are the outputs of its forward function. */
export interface Architecture<C = any, Out = any> {
  /** The `model_type` of its `config.json`. */
  readonly name: string;
  /** From the JSON of `config.json` to a configuration and back. Errors may carry a message of their own. */
  readonly config: Type<C, Readonly<Record<string, unknown>>, unknown>;
  readonly parameters: (config: C) => readonly Parameter[];
  readonly layers: (config: C) => readonly Layer[];
  /** Linear layers that stand outside of the blocks: adapters that others have trained may change them. */
  readonly projections?: (config: C) => readonly Linear[];
  /** The kinds of its layers. */
  readonly kinds: readonly string[];
  readonly towers: Readonly<Record<string, Tower>>;
  readonly width: (config: C) => number;
  /** What names of parameters may begin with in a file, and what stands there here. Of several the longest counts. */
  readonly prefixes?: Readonly<Record<string, string>>;
  /** What of a block some files hold that follows from `config.json`, by its name: it is not read. */
  readonly derived?: RegExp;
  /** The inputs of a batch, by name. */
  readonly inputs: (config: C, size: BatchSize) => Readonly<Record<string, Spec>>;
  /** How images become pixels, where the network sees any: square ones of `size`, transformed as `preprocess` says where a folder says nothing. */
  readonly images?: {
    readonly size: (config: C) => number;
    readonly preprocess: (size: number) => Preprocess;
    /** How many patches one becomes, where some of them may be hidden: `inputs` then has `visible`. */
    readonly patches?: (config: C) => number;
  };
  /** How texts become inputs, where the network reads any. */
  readonly texts?: {
    readonly tokenizer: (dir: string, config: C, files: Files) => TaskEither<Failure, Tokenizer>;
    /** Texts as `ids` and `ends`, as long as the longest, or as `length` says; `context` is the longest that the network takes. */
    readonly encode: (config: C, tokenizer: Tokenizer, texts: readonly string[], length?: number) => TextBatch;
    readonly context: (config: C) => number;
    /** How many tokens it has embeddings of: texts with an id beyond are refused. */
    readonly vocabulary?: (config: C) => number;
  };
  /** The outputs, each traced when it is asked for. */
  readonly forward: (args: ForwardArguments<C>) => Out;
  /** How images are compared with classes, where they are. */
  readonly readout?: Readout;
  /** How texts are continued, where they are. */
  readonly decoder?: Decoder<C>;
}

/** The network of a configuration. Parameters that are optional are in it where `has` says so. */
export const network = <C>(architecture: Architecture<C>, config: C, has: (name: string) => boolean = () => true): Network => ({
  name: architecture.name,
  parameters: new Map(architecture.parameters(config).flatMap((p) => (p.optional && !has(p.name) ? [] : [[p.name, p] as const]))),
  layers: architecture.layers(config),
  towers: architecture.towers,
  width: architecture.width(config),
});

/** An object whose properties are computed when they are first read, and then kept; some may be given. */
export const lazily = <T extends object>(compute: { readonly [K in keyof T]: () => T[K] }, given: Partial<T> = {}): T => {
  const computed = {} as T;
  for (const key of Object.keys(compute) as (keyof T)[]) {
    Object.defineProperty(computed, key, {
      configurable: true,
      enumerable: true,
      get: () => {
        const value = key in given ? given[key] : compute[key]();
        Object.defineProperty(computed, key, { value, enumerable: true });
        return value;
      },
    });
  }
  return computed;
};
