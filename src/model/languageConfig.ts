/** The shape of a language model, from the keys that `config.json` has for decoders of Llama's kind and back. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import { printed } from "../formats/json.ts";
import { decodeKeys, layerCount, positive, record, withoutNulls } from "./config.ts";
import type { DecoderConfig, DecoderLinear } from "./decoderBlocks.ts";

/** The kinds of decoders that are read: their names in `config.json`. */
export type Family = "llama" | "qwen2";

/** A stack of blocks between an embedding of tokens and the product that scores the next one. */
export interface LanguageConfig extends DecoderConfig {
  readonly family: Family;
  /** How many tokens there are embeddings of. */
  readonly vocabulary: number;
  /** The most tokens that it was made for. */
  readonly context: number;
  /** Whether the next token is scored with the embedding. */
  readonly tied: boolean;
  /** The token that texts begin with, where `config.json` says one. */
  readonly bos?: number;
  /** The tokens that end an answer. */
  readonly eos: readonly number[];
  /** The token that fills up, where `config.json` says one. */
  readonly pad?: number;
}

const token = t.Int;

const Raw = t.intersection([
  t.type({
    hidden_size: positive,
    intermediate_size: positive,
    num_hidden_layers: layerCount,
    num_attention_heads: positive,
    num_key_value_heads: positive,
    vocab_size: positive,
    max_position_embeddings: positive,
    rms_norm_eps: t.number,
    hidden_act: t.literal("silu"),
    tie_word_embeddings: t.boolean,
    head_dim: positive,
  }),
  t.partial({ bos_token_id: token, eos_token_id: t.union([token, t.array(token)]), pad_token_id: token }),
]);

/** The keys that name tokens. */
const tokenKeys: ReadonlySet<string> = new Set(["bos_token_id", "eos_token_id", "pad_token_id"]);

type Keys = Readonly<Record<string, unknown>>;

/** What `transformers` says of a family: the name of its class, what it assumes where a config is silent, and which layers have biases. */
interface FamilyRules {
  readonly model: string;
  readonly defaults: Keys;
  readonly biased: (keys: Keys) => readonly DecoderLinear[];
  /** The keys that say which layers have biases. */
  readonly encodeBiased: (biased: readonly DecoderLinear[]) => Keys;
  /** What of a configuration is not computed here, in words. */
  readonly fault?: (keys: Keys) => string | undefined;
}

const common = { hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, rms_norm_eps: 1e-6, hidden_act: "silu", tie_word_embeddings: false };
const attention = ["q", "k", "v", "out"] as const;
const mlp = ["gate", "up", "down"] as const;

const families: Readonly<Record<Family, FamilyRules>> = {
  llama: {
    model: "LlamaForCausalLM",
    defaults: { ...common, intermediate_size: 11008, vocab_size: 32000, max_position_embeddings: 2048, bos_token_id: 1, eos_token_id: 2 },
    biased: (keys) => [...(keys.attention_bias === true ? attention : []), ...(keys.mlp_bias === true ? mlp : [])],
    encodeBiased: (biased) => ({ attention_bias: biased.includes("q"), mlp_bias: biased.includes("gate") }),
  },
  qwen2: {
    model: "Qwen2ForCausalLM",
    defaults: { ...common, intermediate_size: 22016, num_key_value_heads: 32, vocab_size: 151936, max_position_embeddings: 32768 },
    biased: () => ["q", "k", "v"],
    encodeBiased: () => ({}),
    fault: ({ use_sliding_window: window }) =>
      window === true ? "use_sliding_window is true, and tokens that see a window alone are not computed" : undefined,
  },
};

/** Whether a name is that of a family. */
export const isFamily = (name: unknown): name is Family => typeof name === "string" && Object.hasOwn(families, name);

/** The base of the rotary frequencies: `rope_theta`, which transformers 5 has in `rope_parameters`. The left side says which other positions are asked for. */
const thetaOf = (keys: Keys): E.Either<string, number> => {
  const scaling = { ...record(keys.rope_scaling), ...record(keys.rope_parameters) };
  const type = scaling.rope_type ?? scaling.type ?? "default";
  const { rope_theta: theta = scaling.rope_theta ?? 10_000 } = keys;
  if (type !== "default") return E.left(`its rotary positions are scaled (rope_type is ${printed(type)}), and only those of the type default are computed`);
  const { partial_rotary_factor: part = scaling.partial_rotary_factor ?? 1 } = keys;
  if (part !== 1) return E.left(`partial_rotary_factor is ${printed(part)}, and only whole heads are turned`);
  return typeof theta === "number" && theta > 0 && Number.isFinite(theta) ? E.right(theta) : E.left(`rope_theta is ${printed(theta)}, not a positive number`);
};

const faultOf = ({ heads, keyHeads, headWidth }: DecoderConfig): string | undefined => {
  if (heads % keyHeads !== 0) return `num_attention_heads ${heads} is not divisible by num_key_value_heads ${keyHeads}`;
  return headWidth % 2 === 0 ? undefined : `head_dim ${headWidth} is odd, and rotary positions turn pairs`;
};

/** The language model that the keys of a family describe; the left side says what is wrong. */
export const decodeLanguage = (family: Family, json: unknown): E.Either<string, LanguageConfig> => {
  const { defaults, biased, fault } = families[family];
  // A token that is null is none, whatever the default.
  const none = Object.entries(record(json)).flatMap(([key, value]) => (tokenKeys.has(key) && value === null ? [key] : []));
  const keys: Keys = { ...defaults, ...withoutNulls(json), ...Object.fromEntries(none.map((key) => [key, undefined])) };
  const { hidden_size: width, num_attention_heads: heads } = keys;
  if (positive.is(width) && positive.is(heads) && keys.head_dim === undefined && width % heads !== 0)
    return E.left(`hidden_size ${width} is not divisible by ${heads} heads`);
  const refused = fault?.(keys);
  if (refused !== undefined) return E.left(refused);
  return pipe(
    E.Do,
    E.bind("raw", () => decodeKeys(Raw, { num_key_value_heads: heads, head_dim: Number(width) / Number(heads), ...keys })),
    E.bind("theta", () => thetaOf(keys)),
    E.map(({ raw, theta }): LanguageConfig => {
      const { bos_token_id: bos, eos_token_id: eos = [], pad_token_id: pad } = raw;
      return {
        family,
        width: raw.hidden_size,
        mlpWidth: raw.intermediate_size,
        layers: raw.num_hidden_layers,
        heads: raw.num_attention_heads,
        keyHeads: raw.num_key_value_heads,
        headWidth: raw.head_dim,
        eps: raw.rms_norm_eps,
        theta,
        biased: biased(keys),
        vocabulary: raw.vocab_size,
        context: raw.max_position_embeddings,
        tied: raw.tie_word_embeddings,
        ...(bos === undefined ? {} : { bos }),
        eos: typeof eos === "number" ? [eos] : eos,
        ...(pad === undefined ? {} : { pad }),
      };
    }),
    E.chain((config) => {
      const wrong = faultOf(config);
      return wrong === undefined ? E.right(config) : E.left(wrong);
    }),
  );
};

/** The keys that describe a language model. */
export const encodeLanguage = (c: LanguageConfig): Record<string, unknown> => {
  const { model, encodeBiased } = families[c.family];
  return {
    architectures: [model],
    model_type: c.family,
    hidden_size: c.width,
    intermediate_size: c.mlpWidth,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    num_key_value_heads: c.keyHeads,
    head_dim: c.headWidth,
    vocab_size: c.vocabulary,
    max_position_embeddings: c.context,
    rms_norm_eps: c.eps,
    rope_theta: c.theta,
    hidden_act: "silu",
    ...encodeBiased(c.biased),
    tie_word_embeddings: c.tied,
    bos_token_id: c.bos ?? null,
    eos_token_id: c.eos.length === 1 ? c.eos[0] : c.eos.length === 0 ? null : c.eos,
    pad_token_id: c.pad ?? null,
  };
};
