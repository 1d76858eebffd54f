/** What there is to know of an adapter of PEFT. */
import { pipe } from "fp-ts/lib/function.js";
import * as T from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { elements } from "../formats/hostTensor.ts";
import { join } from "../formats/path.ts";
import { readSafetensors } from "../formats/safetensors.ts";
import { baseOfPeft, peftNames, readPeftConfig } from "../model/peft/config.ts";
import type { Files } from "../platform/files.ts";

/** A LoRA in the folder of an adapter of PEFT. */
export interface PeftInfo {
  readonly kind: "adapter";
  readonly folder: string;
  /** The model that it was trained on: a folder, or a name of the hub; null where it does not say. */
  readonly base: string | null;
  /** The rank and alpha of layers without values of their own. */
  readonly rank: number;
  readonly alpha: number;
  /** How many layers have a rank, or an alpha, of their own. */
  readonly own: { readonly ranks: number; readonly alphas: number };
  /** A regular expression, or names. */
  readonly targets: string | readonly string[];
  /** The targets in short, where they are all layers of some kinds in all blocks of one tower, or of both. */
  readonly whole?: string;
  /** Layers that it changes. */
  readonly layers: number;
  readonly parameters: number;
}

const inWords = (names: ReadonlySet<string>): string => [...names].join(", ");

/** The layers of some names in short, such as "q, v of both towers"; undefined where some block of a tower lacks one that another has. */
export const inShort = (names: readonly string[]): string | undefined => {
  const parts = names.map((name) => /^(?:(vision|text)_model\.)?(?:\w+\.)*?(\d+)\.(?:\w+\.)*?(\w+?)(?:_proj)?$/.exec(name));
  if (names.length === 0 || parts.some((part) => part === null)) return undefined;
  const of = (i: number): ReadonlySet<string> => new Set(parts.map((part) => part?.[i] ?? ""));
  const [towers, kinds] = [of(1), of(3)];
  const blocks = new Set(parts.map((part) => `${part?.[1]} ${part?.[2]}`));
  if (blocks.size * kinds.size !== new Set(names).size) return undefined;
  return `${inWords(kinds)} of ${towers.has("") ? "all blocks" : towers.size === 1 ? `the ${inWords(towers)} tower` : "both towers"}`;
};

/** Tells of the adapter in a folder. Fails as `readPeft` does, without looking for its base. */
export const readPeftInfo = (folder: string, files: Files): TE.TaskEither<Failure, PeftInfo> =>
  pipe(
    TE.Do,
    TE.bind("config", () => readPeftConfig(folder, files)),
    TE.bind("tensors", () => readSafetensors(join(folder, peftNames.tensors), files)),
    TE.bind("base", () =>
      TE.fromTask<string | null, Failure>(
        pipe(
          baseOfPeft(folder, files),
          TE.getOrElse((): T.Task<string | null> => T.of(null)),
        ),
      ),
    ),
    TE.map(({ config, tensors, base }): PeftInfo => {
      const whole = typeof config.target_modules === "string" ? undefined : inShort(config.target_modules);
      return {
        kind: "adapter",
        folder,
        base,
        rank: config.r,
        alpha: config.lora_alpha,
        own: { ranks: Object.keys(config.rank_pattern).length, alphas: Object.keys(config.alpha_pattern).length },
        targets: config.target_modules,
        ...(whole === undefined ? {} : { whole }),
        layers: [...tensors.keys()].filter((name) => name.includes(".lora_A.")).length,
        parameters: [...tensors.values()].reduce((n, { shape }) => n + elements(shape), 0),
      };
    }),
  );
