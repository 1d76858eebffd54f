/**
 * A byte-level BPE tokenizer for the icon world, in the files that CLIPTokenizer reads.
 *
 * The merges are learned from the pre-training captions only. A name that only the stream has is then spelled with pieces that
 * pre-training has taught, instead of with a token of its own that no training ever touched.
 */
import { join } from "node:path";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import { writeJson, writeText } from "../../src/formats/files.ts";
import { iconPretraining } from "./world.ts";

/** Tokens in the order of their ids, and the merges that make them. */
export interface Bpe {
  readonly vocabulary: readonly string[];
  /** Pairs with a space between, in the order in which they apply. */
  readonly merges: readonly string[];
}

const startText = "<|startoftext|>";
const endText = "<|endoftext|>";
const words = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** The printable character of every byte, as GPT-2 and CLIP have it: printable bytes are themselves, the others follow from U+0100 on. */
const byteCharacters: readonly string[] = (() => {
  const printable = (b: number): boolean => (b >= 33 && b <= 126) || (b >= 161 && b !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++));
})();

/** CLIP's alphabet: printable bytes first. */
const alphabet: readonly string[] = [...byteCharacters].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);

const lower = (text: string): string => text.normalize("NFC").replace(/\s+/g, " ").toLowerCase();

/**
 * Learns merges from `texts` until there are `size` tokens (512 of them bytes, 2 special) or no pair occurs twice. The most frequent
 * pair merges first; of equally frequent ones the first in code point order.
 */
export const trainBpe = (texts: readonly string[], size: number): Bpe => {
  const counts = new Map<string, number>();
  texts.forEach((text) => [...lower(text).matchAll(new RegExp(words, "gu"))].forEach(([w]) => counts.set(w, (counts.get(w) ?? 0) + 1)));
  const corpus = [...counts].map(([word, count]) => {
    const symbols = [...new TextEncoder().encode(word)].map((b) => byteCharacters[b]);
    symbols.push(`${symbols.pop()}</w>`);
    return { symbols, count };
  });
  const bytes = [...alphabet, ...alphabet.map((c) => `${c}</w>`)];
  const merges: string[] = [];
  const merged = new Set<string>(bytes);
  while (merged.size + 2 < size) {
    const pairs = new Map<string, number>();
    corpus.forEach(({ symbols, count }) => {
      for (let i = 0; i + 1 < symbols.length; i++) {
        const pair = `${symbols[i]} ${symbols[i + 1]}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + count);
      }
    });
    let best = "";
    let most = 1;
    pairs.forEach((count, pair) => {
      if (count > most || (count === most && best !== "" && pair < best)) [best, most] = [pair, count];
    });
    if (best === "") break;
    const [left, right] = best.split(" ");
    merges.push(best);
    merged.add(left + right);
    corpus.forEach(({ symbols }) => {
      for (let i = 0; i + 1 < symbols.length; i++) if (symbols[i] === left && symbols[i + 1] === right) symbols.splice(i, 2, left + right);
    });
  }
  return { vocabulary: [...merged, startText, endText], merges };
};

const special = (id: number, content: string): Readonly<Record<string, unknown>> => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** The parts of a `tokenizer.json` that CLIP's and a language model's have in common: the pieces, and how a text is cut into words. */
const tokenizerJson = ({ vocabulary, merges }: Bpe, extra: readonly string[] = []): Readonly<Record<string, unknown>> => {
  const vocab = Object.fromEntries(vocabulary.map((token, id) => [token, id]));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [special(vocab[startText], startText), special(vocab[endText], endText), ...extra.map((token, i) => special(vocabulary.length + i, token))],
    normalizer: {
      type: "Sequence",
      normalizers: [{ type: "NFC" }, { type: "Replace", pattern: { Regex: "\\s+" }, content: " " }, { type: "Lowercase" }],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: `<\\|startoftext\\|>|<\\|endoftext\\|>|${words}` }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
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
  };
};

const tokens = { bos_token: startText, eos_token: endText, unk_token: endText, pad_token: endText };

/** Writes `tokenizer.json`, `vocab.json`, `merges.txt`, `tokenizer_config.json` and `special_tokens_map.json` into `dir`. */
const writeClipTokenizer = (dir: string, bpe: Bpe, context: number): TE.TaskEither<Failure, void> => {
  const vocab = Object.fromEntries(bpe.vocabulary.map((token, id) => [token, id]));
  const tokenizer = {
    ...tokenizerJson(bpe),
    post_processor: {
      type: "RobertaProcessing",
      sep: [endText, vocab[endText]],
      cls: [startText, vocab[startText]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  };
  return pipe(
    writeJson(join(dir, "tokenizer.json"), tokenizer),
    TE.chain(() => writeJson(join(dir, "vocab.json"), vocab)),
    TE.chain(() => writeText(join(dir, "merges.txt"), ["#version: 0.2", ...bpe.merges, ""].join("\n"))),
    TE.chain(() => writeJson(join(dir, "special_tokens_map.json"), tokens)),
    TE.chain(() =>
      writeJson(join(dir, "tokenizer_config.json"), {
        tokenizer_class: "CLIPTokenizer",
        model_max_length: context,
        ...tokens,
        do_lower_case: true,
        add_prefix_space: false,
      }),
    ),
  );
};

/** The token that stands for a part of a picture. */
const imageText = "<image>";

/** Writes `tokenizer.json` and `tokenizer_config.json` of a language model that sees pictures into `dir`; `<image>` stands behind the pieces. */
const writeTextTokenizer = (dir: string, bpe: Bpe, context: number): TE.TaskEither<Failure, void> => {
  const start = bpe.vocabulary.indexOf(startText);
  const first = { SpecialToken: { id: startText, type_id: 0 } };
  const [text, second] = (["A", "B"] as const).map((id, type_id) => ({ Sequence: { id, type_id } }));
  const tokenizer = {
    ...tokenizerJson(bpe, [imageText]),
    post_processor: {
      type: "TemplateProcessing",
      single: [first, text],
      pair: [first, text, second],
      special_tokens: { [startText]: { id: startText, ids: [start], tokens: [startText] } },
    },
    decoder: { type: "BPEDecoder", suffix: "</w>" },
  };
  return pipe(
    writeJson(join(dir, "tokenizer.json"), tokenizer),
    TE.chain(() =>
      writeJson(join(dir, "tokenizer_config.json"), {
        tokenizer_class: "PreTrainedTokenizerFast",
        model_max_length: context,
        ...tokens,
        additional_special_tokens: [imageText],
        chat_template: "{% for message in messages %}{{ message['content'] }} {% endfor %}",
        clean_up_tokenization_spaces: false,
      }),
    ),
  );
};

/** Size of the icon world's vocabulary. */
export const iconVocabularySize = 2048;

/** Context length of the icon world: its longest caption or prompt fits, with start and end. */
export const iconContext = 24;

/** The id of the token that stands for a part of a picture, behind those of the icon world. */
export const iconImageToken: number = iconVocabularySize;

/** Learns the pieces of all pre-training captions: the same every time. */
const iconBpe: TE.TaskEither<Failure, Bpe> = pipe(
  iconPretraining(32),
  TE.map(({ captions }) => trainBpe(captions.flat(), iconVocabularySize)),
);

/** Writes the tokenizer of a CLIP of the icon world into `dir`. Fails where a package is missing or the folder cannot be written. */
export const writeIconTokenizer = (dir: string): TE.TaskEither<Failure, void> =>
  pipe(
    iconBpe,
    TE.chain((bpe) => writeClipTokenizer(dir, bpe, iconContext)),
  );

/** Writes the tokenizer of a language model of the icon world into `dir`, whose texts have at most `context` tokens. Fails as {@link writeIconTokenizer} does. */
export const writeIconTextTokenizer = (dir: string, context: number): TE.TaskEither<Failure, void> =>
  pipe(
    iconBpe,
    TE.chain((bpe) => writeTextTokenizer(dir, bpe, context)),
  );
