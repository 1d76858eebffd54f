/** The configuration of an adapter of PEFT, as far as Cambium has it: LoRA on linear layers. All else is refused by its name. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../../failure.ts";
import { explain, readJson } from "../../formats/files.ts";
import { dictionary, list, printed } from "../../formats/json.ts";
import { join } from "../../formats/path.ts";
import type { Files } from "../../platform/files.ts";
import { finite } from "../../report/codec.ts";
import { positive, record, withoutNulls } from "../config.ts";

/** The names in the folder of an adapter. */
export const peftNames = { config: "adapter_config.json", tensors: "adapter_model.safetensors", readme: "README.md" } as const;

/** One value or a list of values. */
const oneOrMore = <A>(one: t.Type<A, unknown, unknown>, name: string): t.Type<A | readonly A[], unknown, unknown> => {
  const is = (u: unknown): u is A | readonly A[] => one.is(u) || list(one).is(u);
  return new t.Type<A | readonly A[], unknown, unknown>(name, is, (u, c) => (is(u) ? t.success(u) : t.failure(u, c)), t.identity);
};

const choice = oneOrMore(t.string, "a string or a list of strings");

const Config = t.intersection([
  t.type({ r: positive, lora_alpha: finite, rank_pattern: dictionary(positive), alpha_pattern: dictionary(finite), use_rslora: t.boolean }),
  t.type({ target_modules: choice }),
  t.partial({
    exclude_modules: choice,
    layers_to_transform: oneOrMore(t.Int, "a whole number or a list of them"),
    layers_pattern: choice,
    base_model_name_or_path: t.string,
    revision: t.string,
  }),
]);

/** What is read of `adapter_config.json`. */
export type PeftConfig = t.TypeOf<typeof Config>;

/** What PEFT assumes where a configuration is silent. */
const defaults = { r: 8, lora_alpha: 8, rank_pattern: {}, alpha_pattern: {}, use_rslora: false };

/** Kinds of adapters that are no LoRA, as people write them. */
const kinds: Readonly<Record<string, string>> = {
  ADALORA: "AdaLoRA",
  IA3: "IA³",
  LOHA: "LoHa",
  LOKR: "LoKr",
  VERA: "VeRA",
  OFT: "OFT",
  BOFT: "BOFT",
  PROMPT_TUNING: "prompt tuning",
  MULTITASK_PROMPT_TUNING: "multitask prompt tuning",
  P_TUNING: "P-tuning",
  PREFIX_TUNING: "prefix tuning",
  ADAPTION_PROMPT: "adaption prompts",
  LN_TUNING: "LN tuning",
  FOURIERFT: "FourierFT",
  XLORA: "X-LoRA",
  VBLORA: "VB-LoRA",
};

/** What an adapter may have beside the two factors of each layer, as people write it. */
const variants: Readonly<Record<string, string>> = {
  use_dora: "DoRA",
  use_qalora: "QALoRA",
  use_bdlora: "BD-LoRA",
  lora_bias: "biases of its factors",
  alora_invocation_tokens: "activated LoRA",
  arrow_config: "Arrow",
  kasa_config: "KaSA",
  velora_config: "VeLoRA",
  monteclora_config: "MonteCLoRA",
  layer_replication: "replicated layers",
  trainable_token_indices: "trained tokens",
  target_parameters: "parameters that belong to no linear layer",
  megatron_config: "layers of Megatron",
};

/** What does not change what the adapter adds: how it was trained and loaded, and how other features are set that are switched off. */
const harmless = new Set(
  [
    ...["peft_type", "task_type", "auto_mapping", "peft_version", "revision", "inference_mode", "base_model_name_or_path", "init_lora_weights"],
    // PEFT takes it back for linear layers.
    ...["fan_in_fan_out", "lora_dropout", "bias", "modules_to_save", "ensure_weight_tying", "megatron_core", "runtime_config"],
    // How A and B started; what starts from another base is told by init_lora_weights.
    ...["loftq_config", "eva_config", "corda_config", "lora_ga_config"],
  ].concat(Config.types.flatMap((part) => Object.keys(part.props))),
);

/** Whether a key says something: a number alone switches nothing on. */
const says = (value: unknown): boolean =>
  value === true || (typeof value === "string" && value !== "") || (typeof value === "object" && value !== null && Object.keys(value).length > 0);

/** Ways to start under which A and B are added to the base model as it is. */
const plainStarts: readonly unknown[] = [undefined, true, false, "gaussian", "orthogonal", "eva"];

const merge = "; merge it into its base model with peft (merge_and_unload), and give the model that this writes";

/** What a configuration asks for that Cambium does not have, in a phrase. */
const foreign = (json: Readonly<Record<string, unknown>>): string | undefined => {
  const { peft_type: type, bias = "none", modules_to_save: saved, init_lora_weights: start } = json;
  if (type !== "LORA") return type === undefined ? "it has no peft_type" : `it is ${kinds[String(type)] ?? printed(type)}, and LoRA is what is read${merge}`;
  const key = Object.keys(variants).find((name) => says(json[name]));
  if (key !== undefined) return `it has ${variants[key]} (${key}), which is not read${merge}`;
  if (bias !== "none") return `it has trained biases (bias is ${printed(bias)}), which are not read${merge}`;
  if (says(saved)) return `it holds layers that were trained in full (modules_to_save is ${printed(saved)}), which are not read${merge}`;
  if (!plainStarts.includes(start)) return `it started from a changed base model (init_lora_weights is ${printed(start)}), which is not read${merge}`;
  const unknown = Object.keys(json).find((name) => !harmless.has(name) && says(json[name]));
  return unknown === undefined ? undefined : `its ${unknown} is ${printed(json[unknown])}, which is not known here${merge}`;
};

/** Reads the configuration in the folder of an adapter. Fails with `BadConfig`, which names what is not read. */
export const readPeftConfig = (dir: string, files: Files): TE.TaskEither<Failure, PeftConfig> => {
  const path = join(dir, peftNames.config);
  const bad = (detail: string): Failure => ({ _tag: "BadConfig", path, detail });
  return pipe(
    readJson(path, files),
    TE.map(withoutNulls),
    TE.chainEitherK((json) => {
      const refused = foreign(record(json));
      if (refused !== undefined) return E.left(bad(refused));
      if (json.target_modules === undefined) return E.left(bad("it has no target_modules"));
      return pipe(
        Config.decode({ ...defaults, ...json }),
        E.mapLeft((errors) => bad(explain(errors))),
      );
    }),
  );
};

/** The name of the model that an adapter was trained on: a folder, or `org/name` of the hub, with `@REVISION` where it has one. Fails as `readPeft` does. */
export const baseOfPeft = (dir: string, files: Files): TE.TaskEither<Failure, string> =>
  pipe(
    readPeftConfig(dir, files),
    TE.chain(({ base_model_name_or_path: base, revision }) =>
      base === undefined || base === ""
        ? TE.left<Failure>({ _tag: "BadConfig", path: join(dir, peftNames.config), detail: "it does not say its base model (base_model_name_or_path)" })
        : TE.right(revision === undefined ? base : `${base}@${revision}`),
    ),
  );
