/**
 * What a `tokenizer.json` may ask for: byte-level BPE, and steps before it that take time in proportion to a text.
 *
 * The file is a small program. Its regular expressions can take for ever, and its replacements can make a text grow without end; so only what
 * tokenizers of CLIP use is taken, and the rest is refused with its name.
 */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { explain } from "./files.ts";
import { dictionary, list, printed } from "./json.ts";

/** A part of the file that is an object. */
type Part = Readonly<Record<string, unknown>>;

/** A character that means itself, also where it is escaped. */
const literal = String.raw`(?:[^\\^$.*+?()[\]{}|]|\\[^\p{L}\p{N}])`;
const escaped = String.raw`\\s|\\p\{[A-Z][a-z]?\}`;
/** One character of a class. */
const characters = String.raw`(?:${escaped}|\[\^?(?:${escaped}|\\[^\p{L}\p{N}]|[^\\[\]&-])+\])`;
/** Words, or runs of one class of characters: whatever the text, a match is found or missed in one pass. */
const simplePattern = new RegExp(`^(?:${literal}+|${characters}\\+?)(?:\\|(?:${literal}+|${characters}\\+?))*$`, "u");
const longestPattern = 1000;

/** How well-known language models cut words, numbers and blanks. Where no match is found after a while, the next alternative takes what was looked at. */
const wellKnown: ReadonlySet<unknown> = new Set([
  // GPT-2.
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  // Llama 3, and Qwen2, which cuts numbers into digits.
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
]);

const isText = (value: unknown, longest: number): value is string => typeof value === "string" && value.length <= longest;

/** What is wrong with the pattern of a step, in words. */
const faultOfPattern = (pattern: unknown): string | undefined => {
  if (!t.UnknownRecord.is(pattern)) return `has the pattern ${printed(pattern)}`;
  const { Regex: regex, String: text } = pattern;
  if (regex === undefined) return isText(text, longestPattern) && text !== "" ? undefined : `has the pattern ${printed(pattern)}`;
  if (wellKnown.has(regex) || (isText(regex, longestPattern) && simplePattern.test(regex))) return undefined;
  return `has the regular expression ${printed(regex)}; only alternatives of words and of runs of one class of characters are taken, as CLIP has them`;
};

/** What is wrong with a replacement: none may be longer than what it replaces. */
const faultOfReplacement = ({ pattern, content }: Part): string | undefined => {
  const fault = faultOfPattern(pattern);
  if (fault !== undefined) return fault;
  const { String: text = " " } = pattern as Readonly<Record<string, string | undefined>>;
  return content === undefined || (isText(content, text.length) && !content.includes("$")) ? undefined : `replaces ${printed(text)} by ${printed(content)}`;
};

const fine = (): undefined => undefined;
type Rules = ReadonlyMap<string, (step: Part) => string | undefined>;

const normalizers: Rules = new Map([
  ...["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents", "BertNormalizer", "Precompiled"].map((type) => [type, fine] as const),
  ["Replace", faultOfReplacement],
  ["Prepend", ({ prepend }: Part) => (isText(prepend, 16) ? undefined : `puts ${printed(prepend)} before a text`)],
]);

const pretokenizers: Rules = new Map([
  ...["ByteLevel", "BertPreTokenizer", "Whitespace", "WhitespaceSplit", "Punctuation", "Digits"].map((type) => [type, fine] as const),
  ["Split", ({ pattern }: Part) => faultOfPattern(pattern)],
  ["Metaspace", ({ replacement = "▁" }: Part) => (isText(replacement, 1) ? undefined : `puts ${printed(replacement)} for a blank`)],
]);

const decoders: Rules = new Map([
  ...["ByteLevel", "ByteFallback", "Fuse", "Metaspace"].map((type) => [type, fine] as const),
  ["Replace", faultOfReplacement],
  ["BPEDecoder", ({ suffix = "</w>" }: Part) => (isText(suffix, 16) ? undefined : `ends words with ${printed(suffix)}`)],
  ["Strip", ({ content }: Part) => (isText(content, 1) ? undefined : `takes ${printed(content)} away`)],
]);

/** Each may double a text. */
const mostSteps = 8;

/** The steps of a normalizer or pre-tokenizer in their order; a sequence holds others under `key`. */
const stepsOf = (part: unknown, key: string): readonly unknown[] => {
  if (part === null || part === undefined) return [];
  const inner = t.UnknownRecord.is(part) && part.type === "Sequence" ? part[key] : undefined;
  return Array.isArray(inner) ? inner.flatMap((step) => stepsOf(step, key)) : [part];
};

const faultOfSteps = (what: string, steps: readonly unknown[], rules: Rules): string | undefined => {
  if (steps.length > mostSteps) return `its ${what} has ${steps.length} steps; ${mostSteps} are taken`;
  for (const step of steps) {
    const type = t.UnknownRecord.is(step) ? step.type : step;
    const rule = typeof type === "string" ? rules.get(type) : undefined;
    if (rule === undefined) return `its ${what} ${printed(type)} is none that is known`;
    const fault = rule(step as Part);
    if (fault !== undefined) return `its ${what} ${printed(type)} ${fault}`;
  }
  return undefined;
};

const isId = (u: unknown): u is number => Number.isInteger(u) && (u as number) >= 0 && (u as number) < 2 ** 31;
const Id = new t.Type<number>("a token's number", isId, (u, c) => (isId(u) ? t.success(u) : t.failure(u, c)), t.identity);

/** Tokens by their text. */
export const Vocabulary = dictionary(Id);

const Pair = t.tuple([t.string, t.string]);
const orNull = <A extends t.Mixed>(codec: A) => t.union([codec, t.null]);

/** The parts whose values are used as they are; what else stands in the file is for decoding, or for other programs. */
const Used = t.type({
  model: t.intersection([
    t.type({ vocab: Vocabulary, merges: t.union([list(t.string), list(Pair)]) }),
    t.partial({
      // Old files do not say it.
      type: t.literal("BPE"),
      unk_token: orNull(t.string),
      end_of_word_suffix: orNull(t.string),
      continuing_subword_prefix: orNull(t.string),
      continuing_subword_suffix: orNull(t.string),
      byte_fallback: orNull(t.boolean),
      ignore_merges: orNull(t.boolean),
    }),
  ]),
  added_tokens: list(t.type({ id: Id, content: t.string })),
});

/** The configuration of a tokenizer, as far as it is needed to encode texts. */
export interface TokenizerConfig {
  readonly config: Readonly<Record<string, unknown>>;
  /** The types of the steps of its normalizer. */
  readonly normalizes: ReadonlySet<unknown>;
}

/** Checks a `tokenizer.json`; the left side says what in it is missing or not taken. */
export const tokenizerConfig = (json: Readonly<Record<string, unknown>>): E.Either<string, TokenizerConfig> => {
  const decoded = Used.decode(json);
  if (E.isLeft(decoded)) return E.left(explain(decoded.left));
  const normalizer = stepsOf(json.normalizer, "normalizers");
  const fault =
    faultOfSteps("normalizer", normalizer, normalizers) ?? faultOfSteps("pre-tokenizer", stepsOf(json.pre_tokenizer, "pretokenizers"), pretokenizers);
  if (fault !== undefined) return E.left(fault);
  const model = { ...decoded.right.model, type: "BPE" };
  const config = { ...json, model, normalizer: json.normalizer ?? null, pre_tokenizer: json.pre_tokenizer ?? null, post_processor: null, decoder: null };
  return E.right({ config, normalizes: new Set(normalizer.map((step) => (step as Part).type)) });
};

/** Checks a `tokenizer.json` whose ids are made texts again, too; the left side says what in it is missing or not taken. */
export const decodingConfig = (json: Readonly<Record<string, unknown>>): E.Either<string, TokenizerConfig> => {
  const fault = faultOfSteps("decoder", stepsOf(json.decoder, "decoders"), decoders);
  if (fault !== undefined) return E.left(fault);
  const checked = tokenizerConfig(json);
  return E.isLeft(checked) ? checked : E.right({ ...checked.right, config: { ...checked.right.config, decoder: json.decoder ?? null } });
};
