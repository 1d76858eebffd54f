/** A decoder on a device: the prompts of a batch at once, and then a token of each a step. The keys and values of earlier tokens stay on the device. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../device/device.ts";
import type { Resident } from "../device/resident.ts";
import type { Failure } from "../failure.ts";
import type { BatchSize, KeyValueCache } from "../model/architecture.ts";
import { through, type Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import { networkOf, outputsOf } from "../model/model.ts";
import { frozenScope } from "../model/scope.ts";
import type { Leaves } from "../tensor/leaves.ts";
import { put } from "../tensor/ops/put.ts";
import type { Results } from "../tensor/program.ts";
import type { HostRecord } from "../tensor/replay.ts";
import { openSession, type Session } from "../tensor/session.ts";
import { indices, type Tensor } from "../tensor/tensor.ts";

/** The sizes that the programs of a batch are made for. */
export interface DecodingShape {
  readonly texts: number;
  /** Tokens of a prompt, with the padding before it. */
  readonly length: number;
  /** Pictures of all prompts together. */
  readonly images: number;
  /** Places for tokens of a prompt and its answer, padding included. */
  readonly capacity: number;
}

/** What decodes batches of one shape. Prompts come first, then steps; prompts again begin anew. */
export interface Decoding {
  /** The logits [texts, vocabulary] of the first tokens behind the prompts. `inputs` are `ids`, `starts` and what belongs to pictures. */
  readonly prompts: (inputs: HostRecord) => TE.TaskEither<Failure, Float32Array>;
  /** The logits [texts, vocabulary] of the tokens that follow these, one of each text. Fails with `ShapeMismatch` where the capacity is used up. */
  readonly next: (tokens: Uint32Array) => TE.TaskEither<Failure, Float32Array>;
  readonly release: () => void;
}

/** What decodings need. */
export interface DecodingOptions {
  readonly learner: Learner;
  readonly device: Device;
  /** The weights of the model, on the device. */
  readonly weights: Resident;
  /** What the model is run through. */
  readonly branch?: Branch;
}

/**
 * A program that reads `size.length` tokens of each text, puts their keys and values into the cache, and gives the logits behind the last ones. They see what
 * is in the cache, or, where all tokens so far are theirs, just one another.
 */
const step =
  ({ learner, branch }: DecodingOptions, size: BatchSize, capacity: number, sees: "cache" | "themselves") =>
  (leaves: Leaves): E.Either<Failure, Results> => {
    const state: Record<string, Tensor> = {};
    const at = leaves.input("at", indices([1]));
    const keep = (name: string, rows: Tensor): Tensor => {
      state[name] = put(leaves.state(name, [size.texts, capacity, rows.shape[2]]), rows, at);
      return sees === "cache" ? state[name] : rows;
    };
    const cache: KeyValueCache = { at, extend: (depth, keys, values) => ({ keys: keep(`keys ${depth}`, keys), values: keep(`values ${depth}`, values) }) };
    const scope = through(branch, learner, frozenScope(networkOf(learner.model), leaves.frozen), leaves.constant);
    const { logits } = outputsOf(learner.model, leaves, size, scope, cache);
    return E.right({ state, outputs: { logits } });
  };

/** The places of the last tokens among those of all texts. */
const lastOf = (texts: number, length: number): Uint32Array => Uint32Array.from({ length: texts }, (_, i) => (i + 1) * length - 1);

const run = (session: Session, inputs: HostRecord): TE.TaskEither<Failure, Float32Array> =>
  pipe(
    TE.fromEither(session.run(inputs)),
    TE.chain(() => session.read("logits")),
  );

/** Binds the two programs of a shape, which share the cache. They must be released. Fails as sessions do. */
export const openDecoding = (options: DecodingOptions, { texts, length, images, capacity }: DecodingShape): TE.TaskEither<Failure, Decoding> => {
  const { device, weights } = options;
  const open = (size: BatchSize, sees: "cache" | "themselves", states?: Resident): TE.TaskEither<Failure, Session> =>
    openSession(device, step(options, size, capacity, sees), { weights, states, label: "generation" });
  return async () => {
    const one = await open({ images: 0, texts, length: 1, positions: texts }, "cache")();
    if (E.isLeft(one)) return one;
    const all = await open({ images, texts, length, positions: texts }, "themselves", one.right.states)();
    if (E.isLeft(all)) {
      one.right.release();
      return all;
    }
    let [starts, at] = [new Uint32Array(texts), 0];
    return E.right({
      prompts: (inputs) => {
        [starts, at] = [Uint32Array.from(inputs.starts), length];
        return run(all.right, { ...inputs, at: Uint32Array.of(0), positions: lastOf(texts, length) });
      },
      next: (ids) => {
        if (at === capacity) return TE.left({ _tag: "ShapeMismatch", op: "decoding", detail: `the cache has ${capacity} places, and all are taken` });
        at += 1;
        return run(one.right, { ids, starts, at: Uint32Array.of(at - 1), positions: lastOf(texts, 1) });
      },
      release: () => {
        all.right.release();
        one.right.release();
      },
    });
  };
};
