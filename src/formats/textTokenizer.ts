/** The tokenizer of a language model: texts to token ids, and back. */

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
