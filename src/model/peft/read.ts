/** Reading the folder of an adapter that PEFT wrote. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { unreadable } from "../../formats/files.ts";
import type { Tensors } from "../../formats/hostTensor.ts";
import { readSafetensors } from "../../formats/safetensors.ts";
import { join } from "../../formats/path.ts";
import { platform } from "../../platform/default.ts";
import type { Files } from "../../platform/files.ts";
import { livingFactors, type Factors, type Update } from "../adapters/update.ts";
import { peftNames, readPeftConfig, type PeftConfig } from "./config.ts";
import { linearsOf, listed, namesOf, type Base } from "./linears.ts";
import { byPattern, targeted } from "./matching.ts";
import { factorsIn, type Found } from "./tensors.ts";

/** What reading needs to know of the folder that is read. */
interface Reading {
  readonly config: PeftConfig;
  readonly base: Base;
  /** Refuses what the configuration says. */
  readonly badConfig: (detail: string) => E.Either<Failure, never>;
  readonly badTensor: (tensor: string, detail: string) => E.Either<Failure, never>;
}

/** The names that a configuration may have for a layer, that of the file first. */
const spelt = (base: Base, { linear, module }: Pick<Found, "linear" | "module">): readonly string[] => [...new Set([module, ...namesOf(base, linear)])];

/** Whether configuration and file speak of the same layers: towers that the file has no part of are those of a larger model. */
const checkTargets = (found: readonly Found[], { config, base, badConfig, badTensor }: Reading): E.Either<Failure, void> => {
  const chooses = targeted(config);
  if (E.isLeft(chooses)) return badConfig(chooses.left);
  const stray = found.find((one) => !spelt(base, one).some(chooses.right));
  if (stray !== undefined) return badTensor(`${stray.module}.lora_A.weight`, `belongs to a layer that target_modules does not name; there are ${listed(base)}`);
  const adapted = new Set(found.map(({ linear }) => linear.name));
  const layers = base.architecture.layers(base.config);
  const towers = new Set(layers.filter(({ name }) => adapted.has(name)).map(({ tower }) => tower));
  const missing = layers.find((linear) => towers.has(linear.tower) && !adapted.has(linear.name) && namesOf(base, linear).some(chooses.right));
  return missing === undefined ? E.right(undefined) : badTensor(`${missing.name}.lora_A.weight`, "is missing, and target_modules asks for it");
};

/** The factors of one layer, with the scale that the configuration gives it. */
const scaled = (one: Found, { config, base, badConfig, badTensor }: Reading): E.Either<Failure, Factors> => {
  const [ranks, alphas] = [byPattern(config.rank_pattern), byPattern(config.alpha_pattern)];
  if (E.isLeft(ranks)) return badConfig(ranks.left);
  if (E.isLeft(alphas)) return badConfig(alphas.left);
  const first = <A>(of: (name: string) => A | undefined, otherwise: A): A =>
    spelt(base, one)
      .map(of)
      .find((value) => value !== undefined) ?? otherwise;
  const [r, alpha] = [first(ranks.right, config.r), first(alphas.right, config.lora_alpha)];
  const [rank] = one.A.shape;
  if (rank !== r) return badTensor(`${one.module}.lora_A.weight`, `has rank ${rank} where ${peftNames.config} asks for ${r}`);
  const scale = alpha / (config.use_rslora ? Math.sqrt(r) : r);
  return E.right(
    livingFactors(
      Float64Array.from(one.B.data, (x) => scale * x),
      one.A.data,
      r,
    ),
  );
};

/** The tensors in the folder of an adapter; of one that has them in a format of torch alone it is said what helps. */
const readTensors = (dir: string, files: Files): TE.TaskEither<Failure, Tensors> =>
  pipe(
    readSafetensors(join(dir, peftNames.tensors), files),
    TE.orElse((failure) => async () => {
      const pickled = (await files.exists(join(dir, "adapter_model.bin"))()) && failure._tag === "FileUnreadable";
      const detail =
        "its tensors are in adapter_model.bin, which is not read; load it with peft and write it again: save_pretrained(DIR, safe_serialization=True)";
      return E.left(pickled ? unreadable(dir)(detail) : failure);
    }),
  );

/**
 * Reads a LoRA adapter that PEFT wrote (`adapter_config.json`, `adapter_model.safetensors`) for a model: what it adds to the weights, its scale folded in.
 * `r`, `rank_pattern`, `alpha_pattern`, `use_rslora`, `target_modules` in all its forms and `exclude_modules` are heeded as PEFT does. Fails with `BadConfig`
 * where the adapter is of another kind or has more than two factors a layer, with `BadTensor` where a tensor has no place in the model or does not fit; nothing
 * is passed over.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const base = model.initialModel(model.vit, { vision }, 1);
 * const factors = new Map([["encoder.layer.0.output.dense", { rank: 1, B: new Float64Array(8).fill(1), A: new Float32Array(16).fill(2) }]]);
 * assert.equal((await writePeft(`${folder}/adapter`, base, { factors }, { base: "google/vit-base-patch16-224" })())._tag, "Right");
 * const read = await readPeft(`${folder}/adapter`, base)();
 * assert.ok(read._tag === "Right");
 * const merged = adapter.mergeUpdate(base, read.right);
 * assert.ok(merged.weights.get("encoder.layer.0.output.dense.weight")!.data[0] > 1);
 * ```
 */
export const readPeft = (dir: string, model: Base, { files = platform.files }: { readonly files?: Files } = {}): TE.TaskEither<Failure, Update> => {
  const path = join(dir, peftNames.tensors);
  return pipe(
    TE.Do,
    TE.bind("config", () => readPeftConfig(dir, files)),
    TE.bind("tensors", () => readTensors(dir, files)),
    TE.chainEitherK(({ config, tensors }) => {
      const reading: Reading = {
        config,
        base: model,
        badConfig: (detail) => E.left({ _tag: "BadConfig", path: join(dir, peftNames.config), detail }),
        badTensor: (tensor, detail) => E.left({ _tag: "BadTensor", path, tensor, detail }),
      };
      return pipe(
        factorsIn(tensors, model, path),
        E.chainFirst((found) => checkTargets(found, reading)),
        E.chain(
          E.traverseArray((one) =>
            pipe(
              scaled(one, reading),
              E.map((factors) => [one.linear.name, factors] as const),
            ),
          ),
        ),
        E.map((factors): Update => {
          const byLayer = new Map(factors);
          // In the order of the model's layers, whatever that of the file is.
          return { factors: new Map(linearsOf(model).flatMap(({ name }) => (byLayer.has(name) ? [[name, byLayer.get(name)!] as const] : []))) };
        }),
      );
    }),
  );
};
