/** The tokenizer of a language model: texts to token ids, and back. */
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { exists, message, readJsonAs, readText } from "./files.ts";
import { join } from "./path.ts";
import { decodingConfig } from "./tokenizerConfig.ts";

/** Turns texts into token ids, and ids into texts. */
export interface TextTokenizer {
  /** The ids of a text. Special tokens that stand in it count as such; none is added. */
  readonly encode: (text: string) => readonly number[];
  /** The text of ids, special tokens left out. */
  readonly decode: (ids: readonly number[]) => string;
  /** The token that texts begin with, where they do. */
  readonly bos?: number;
  /** The tokens that end an answer. */
  readonly eos: readonly number[];
  /** The token that fills up. */
  readonly pad: number;
  /** The id of a token. */
  readonly id: (token: string) => number | undefined;
  /** The template of its chats (Jinja), as its files have it. */
  readonly chatTemplate?: string;
}

const Part = t.UnknownRecord;
const Token = t.union([t.string, t.type({ content: t.string })]);
const orNull = <A extends t.Mixed>(codec: A) => t.union([codec, t.null]);

/** What `tokenizer_config.json` and `special_tokens_map.json` say. */
const Named = t.partial({
  bos_token: orNull(Token),
  eos_token: orNull(Token),
  pad_token: orNull(Token),
  add_bos_token: orNull(t.boolean),
  chat_template: orNull(t.union([t.string, t.array(t.type({ name: t.string, template: t.string }))])),
});
type Named = t.TypeOf<typeof Named>;

/** What `generation_config.json` and `config.json` say. */
const Numbered = t.partial({ eos_token_id: orNull(t.union([t.Int, t.array(t.Int)])), pad_token_id: orNull(t.Int) });
type Numbered = t.TypeOf<typeof Numbered>;

/** What the files of a folder say of a tokenizer beside `tokenizer.json`. */
interface Sayings {
  readonly named: Named;
  readonly numbered: Numbered;
  readonly jinja?: string;
}

const contentOf = (token: Named["bos_token"]): string | undefined => (typeof token === "string" ? token : token?.content);

/** The steps of a post-processor. */
const stepsOf = (processor: unknown): readonly unknown[] =>
  Part.is(processor) && Array.isArray(processor.processors) ? processor.processors.flatMap(stepsOf) : [processor];

/** The special token that a post-processor puts before a text. */
const leading = (processor: unknown): string | undefined => {
  const template = stepsOf(processor).find((step) => Part.is(step) && step.type === "TemplateProcessing");
  const first: unknown = Part.is(template) && Array.isArray(template.single) ? template.single[0] : undefined;
  const special = Part.is(first) ? first.SpecialToken : undefined;
  return Part.is(special) && typeof special.id === "string" ? special.id : undefined;
};

/** The token that texts begin with, where they do. */
const firstToken = ({ add_bos_token: adds, bos_token: bos }: Named, processor: unknown): string | undefined => {
  if (adds === true) return contentOf(bos);
  return adds === false ? undefined : leading(processor);
};

const templateOf = ({ named: { chat_template: template }, jinja }: Sayings): string | undefined => {
  if (jinja !== undefined) return jinja;
  if (typeof template === "string") return template;
  return (template?.find(({ name }) => name === "default") ?? template?.[0])?.template;
};

const distinct = (ids: readonly (number | undefined)[]): readonly number[] => [...new Set(ids.filter((id) => id !== undefined))];

const build = (
  inner: HuggingFaceTokenizer,
  { post_processor: processor }: Readonly<Record<string, unknown>>,
  sayings: Sayings,
  vocabulary: number,
): E.Either<string, TextTokenizer> => {
  const { named, numbered } = sayings;
  const added = new Map([...inner.get_added_tokens_decoder()].map(([number, token]) => [token.content, number]));
  const id = (token: string): number | undefined => added.get(token) ?? inner.token_to_id(token);
  const idOf = (token: string | undefined): number | undefined => (token === undefined ? undefined : id(token));
  const ends = numbered.eos_token_id ?? [];
  const eos = distinct([idOf(contentOf(named.eos_token)), ...(typeof ends === "number" ? [ends] : ends)]);
  if (eos.length === 0) return E.left("neither it nor tokenizer_config.json nor generation_config.json says which token ends an answer (eos_token)");
  const bos = idOf(firstToken(named, processor));
  const beyond = distinct([bos, ...eos]).find((one) => one >= vocabulary);
  if (beyond !== undefined) return E.left(`config.json's vocab_size ${vocabulary} has no room for its token ${beyond}`);
  // A pad token may have been added without an embedding: it is never looked at, and any other fills up as well.
  const pads = [idOf(contentOf(named.pad_token)), numbered.pad_token_id ?? undefined];
  const chatTemplate = templateOf(sayings);
  return E.right({
    encode: (text) => inner.encode(text, { add_special_tokens: false }).ids,
    decode: (ids) => {
      const known = ids.filter((one) => inner.id_to_token(one) !== undefined);
      return known.length === 0 ? "" : inner.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    },
    ...(bos === undefined ? {} : { bos }),
    eos,
    pad: pads.find((one) => one !== undefined && one >= 0 && one < vocabulary) ?? eos[0],
    id,
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
  });
};

/** The parts of a file that is there, else those of an empty one. */
const optional = <A>(codec: t.Type<A, unknown, unknown>, path: string, files: Files): TE.TaskEither<Failure, A | undefined> =>
  pipe(
    TE.fromTask<boolean, Failure>(() => exists(path, files)),
    TE.chain((there) => (there ? readJsonAs(codec, path, files) : TE.right(undefined))),
  );

const sayingsOf = (dir: string, files: Files): TE.TaskEither<Failure, Sayings> =>
  pipe(
    TE.Do,
    TE.bind("special", () => optional(Named, join(dir, "special_tokens_map.json"), files)),
    TE.bind("own", () => optional(Named, join(dir, "tokenizer_config.json"), files)),
    TE.bind("generation", () => optional(Numbered, join(dir, "generation_config.json"), files)),
    TE.bind("config", () => optional(Numbered, join(dir, "config.json"), files)),
    TE.bind("jinja", () =>
      pipe(
        TE.fromTask<boolean, Failure>(() => exists(join(dir, "chat_template.jinja"), files)),
        TE.chain((there) => (there ? readText(join(dir, "chat_template.jinja"), files) : TE.right<Failure, string | undefined>(undefined))),
      ),
    ),
    TE.map(({ special, own, generation, config, jinja }) => ({
      named: { ...special, ...own },
      numbered: generation?.eos_token_id == null ? { ...config, ...generation, eos_token_id: config?.eos_token_id } : { ...config, ...generation },
      ...(jinja === undefined ? {} : { jinja }),
    })),
  );

/** Options of {@link readTextTokenizer}. */
export interface ReadTextTokenizerOptions {
  /** How many tokens the model has embeddings of. Default: any number. */
  readonly vocabulary?: number;
  /** Where the folder is. Default: the platform's files. */
  readonly files?: Files;
}

/**
 * The tokenizer of a language model's Hugging Face folder: `tokenizer.json`, with what `tokenizer_config.json`, `generation_config.json` and `config.json` say
 * of its special tokens; undefined where the folder has none. Failures: `FileUnreadable`, `FileCorrupt`, and `BadConfig` for a tokenizer that cannot be
 * built, or lacks a token that ends an answer.
 */
export const readTextTokenizer = (
  dir: string,
  { vocabulary = Infinity, files = platform.files }: ReadTextTokenizerOptions = {},
): TE.TaskEither<Failure, TextTokenizer | undefined> => {
  const path = join(dir, "tokenizer.json");
  return pipe(
    TE.Do,
    TE.bind("json", () => optional(Part, path, files)),
    TE.bind("sayings", () => sayingsOf(dir, files)),
    TE.chainEitherK(({ json, sayings }) =>
      json === undefined
        ? E.right(undefined)
        : pipe(
            decodingConfig(json),
            E.chain(({ config }) => E.tryCatch(() => new HuggingFaceTokenizer(config, {}), message)),
            E.chain((inner) => build(inner, json, sayings, vocabulary)),
            E.mapLeft((detail): Failure => ({ _tag: "BadConfig", path, detail })),
          ),
    ),
  );
};
