/**
 * CLIP's text side before the model: byte-level BPE ids, start and end tokens, padding, and where the text feature is read.
 */
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { join } from "./path.ts";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { tokenizerConfig, Vocabulary } from "./tokenizerConfig.ts";
import { exists, message, readJsonAs, readText } from "./files.ts";

/** What turns one text into token ids. */
export interface Tokenizer {
  /** The ids of a text, without start and end tokens, of any length. */
  readonly encode: (text: string) => readonly number[];
  /** The start token. */
  readonly bos: number;
  /** The end token; the text feature is read at its first position. */
  readonly eos: number;
  /** The token after the end token, up to the context length. */
  readonly pad: number;
}

/** Texts as a model takes them. */
export interface Tokens {
  /** `[n, context]`, row-major. */
  readonly ids: Uint32Array;
  /** `[n]`: the position of the first end token of each row. */
  readonly eot: Uint32Array;
}

/**
 * Texts as `[n, context]` ids, as CLIPTokenizer does with `padding="max_length", truncation=True`: start token, at most `context` - 2
 * tokens of the text, end token, padding. A text that itself holds the end token is read up to there, as the model does.
 */
export const tokenise = (tokenizer: Tokenizer, texts: readonly string[], context: number): Tokens => {
  const ids = new Uint32Array(texts.length * context).fill(tokenizer.pad);
  const eot = new Uint32Array(texts.length);
  texts.forEach((text, i) => {
    const row = [tokenizer.bos, ...tokenizer.encode(text).slice(0, context - 2), tokenizer.eos];
    ids.set(row, i * context);
    eot[i] = row.indexOf(tokenizer.eos);
  });
  return { ids, eot };
};

/** Token ids ready for a text tower: trimmed to about the longest text, with the rows of the end tokens in the flattened [count · length] tokens. */
export interface TextBatch {
  readonly count: number;
  readonly length: number;
  readonly ids: Uint32Array;
  readonly ends: Uint32Array;
}

/** Lengths of texts are rounded up to a multiple of this: rows are then read four at a time, and tasks share their kernels. */
const lengthStep = 4;

/**
 * Trims padded ids [texts, context] behind the last end token; `length` (at least the longest text) fixes the width instead. An end token of 2 means, as in
 * old configurations, the largest id.
 */
export const textBatch = (padded: Uint32Array, context: number, eosId: number, length?: number): TextBatch => {
  const count = padded.length / context;
  const last = Array.from({ length: count }, (_, i) => {
    const row = padded.subarray(i * context, (i + 1) * context);
    return eosId === 2 ? row.indexOf(row.reduce((a, b) => Math.max(a, b), 0)) : Math.max(0, row.indexOf(eosId));
  });
  const longest = last.reduce((a, b) => Math.max(a, b), 0) + 1;
  const width = length ?? Math.min(context, Math.ceil(longest / lengthStep) * lengthStep);
  const ids = new Uint32Array(count * width);
  for (let i = 0; i < count; i++) ids.set(padded.subarray(i * context, i * context + width), i * width);
  return { count, length: width, ids, ends: Uint32Array.from(last, (end, i) => i * width + end) };
};

const Json = t.UnknownRecord;
const Token = t.union([t.string, t.type({ content: t.string }), t.null]);
const Special = t.partial({ bos_token: Token, eos_token: Token, pad_token: Token });

const startText = "<|startoftext|>";
const endText = "<|endoftext|>";

/** The `tokenizer.json` that CLIPTokenizer makes of a vocabulary and its merges. */
const clipConfig = (vocab: Readonly<Record<string, number>>, merges: readonly string[]): Readonly<Record<string, unknown>> => ({
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [
    { id: vocab[startText], content: startText, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    { id: vocab[endText], content: endText, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ],
  normalizer: {
    type: "Sequence",
    normalizers: [{ type: "NFC" }, { type: "Replace", pattern: { Regex: "\\s+" }, content: " " }, { type: "Lowercase" }],
  },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      {
        type: "Split",
        pattern: { Regex: "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
        behavior: "Removed",
        invert: true,
      },
      { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    ],
  },
  post_processor: null,
  decoder: null,
  model: {
    type: "BPE",
    dropout: null,
    unk_token: endText,
    continuing_subword_prefix: "",
    end_of_word_suffix: "</w>",
    fuse_unk: false,
    byte_fallback: false,
    vocab,
    merges,
  },
});

const fromVocabulary = (dir: string, files: Files): TE.TaskEither<Failure, Readonly<Record<string, unknown>>> => {
  const path = join(dir, "vocab.json");
  return pipe(
    TE.Do,
    TE.bind("vocab", () => readJsonAs(Vocabulary, path, files)),
    TE.bind("merges", () => readText(join(dir, "merges.txt"), files)),
    TE.chainEitherK(({ vocab, merges }) => {
      const missing = [startText, endText].find((token) => vocab[token] === undefined);
      return missing === undefined
        ? E.right(
            clipConfig(
              vocab,
              merges.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#version")),
            ),
          )
        : E.left<Failure>({ _tag: "BadConfig", path, detail: `the token ${missing} is missing` });
    }),
  );
};

/** The special tokens that a folder names, in either of the two files that may do so. */
const specials = (dir: string, files: Files): TE.TaskEither<Failure, t.TypeOf<typeof Special>> =>
  pipe(
    ["special_tokens_map.json", "tokenizer_config.json"],
    TE.traverseSeqArray((name) =>
      pipe(
        TE.fromTask<boolean, Failure>(() => exists(join(dir, name), files)),
        TE.chain((there) => (there ? readJsonAs(Special, join(dir, name), files) : TE.right({}))),
      ),
    ),
    TE.map((found) => Object.assign({}, ...found) as t.TypeOf<typeof Special>),
  );

/**
 * The tokenizer of a Hugging Face CLIP folder: `tokenizer.json`, or `vocab.json` and `merges.txt` where that is missing. Failures:
 * `FileUnreadable`, `FileCorrupt`, and `BadConfig` for a tokenizer that cannot be built or lacks its start or end token.
 */
export const readTokenizer = (dir: string, files: Files = platform.files): TE.TaskEither<Failure, Tokenizer> => {
  const path = join(dir, "tokenizer.json");
  const config: TE.TaskEither<Failure, Readonly<Record<string, unknown>>> = pipe(
    TE.fromTask<readonly boolean[], Failure>(() => Promise.all([exists(path, files), exists(join(dir, "vocab.json"), files)])),
    TE.chain(([whole, parts]) => (whole || !parts ? readJsonAs(Json, path, files) : fromVocabulary(dir, files))),
  );
  return pipe(
    TE.Do,
    TE.bind("config", () => config),
    TE.bind("special", () => specials(dir, files)),
    TE.chainEitherK(({ config, special }) =>
      pipe(
        E.Do,
        E.bind("checked", () => tokenizerConfig(config)),
        E.bind("inner", ({ checked }) => E.tryCatch(() => working(checked.config), message)),
        E.mapLeft((detail): Failure => ({ _tag: "BadConfig", path, detail: `not a tokenizer of CLIP: ${detail}` })),
        E.chain(({ checked, inner }) => build(path, inner, special, checked.normalizes.has("Lowercase"))),
      ),
    ),
  );
};

/** A tokenizer that was tried. */
const working = (config: Readonly<Record<string, unknown>>): HuggingFaceTokenizer => {
  const tokenizer = new HuggingFaceTokenizer(config, {});
  tokenizer.encode("a photo of a cat.", { add_special_tokens: false });
  return tokenizer;
};

/** What stands behind so many characters is in no text tower's context. */
const longestText = 10_000;

const build = (path: string, inner: HuggingFaceTokenizer, special: t.TypeOf<typeof Special>, lowercases: boolean): E.Either<Failure, Tokenizer> => {
  const added = new Map([...inner.get_added_tokens_decoder()].map(([id, token]) => [token.content, id]));
  const id = (token: t.TypeOf<typeof Token> | undefined, otherwise: string): number | undefined => {
    const content = token === undefined || token === null ? otherwise : typeof token === "string" ? token : token.content;
    return added.get(content) ?? inner.token_to_id(content);
  };
  const bos = id(special.bos_token, startText);
  const eos = id(special.eos_token, endText);
  if (bos === undefined || eos === undefined) {
    return E.left({ _tag: "BadConfig", path, detail: `its vocabulary lacks the ${bos === undefined ? "start" : "end"} token` });
  }
  // JavaScript lowers a capital sigma by its place in the word (to a final one at the end); the reference lowers every letter alone.
  const prepare = (text: string): string => (lowercases ? text.replaceAll("\u03a3", "\u03c3") : text);
  return E.right({
    encode: (text) => inner.encode(prepare(text.slice(0, longestText)), { add_special_tokens: false }).ids,
    bos,
    eos,
    pad: id(special.pad_token, endText) ?? eos,
  });
};
