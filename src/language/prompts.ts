/** What is continued, and how far: checked before anything runs. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { TextTokenizer } from "../formats/textTokenizer.ts";
import type { Decoder } from "../model/architecture.ts";
import type { Model } from "../model/model.ts";
import type { ChatTemplate } from "./chat.ts";
import type { Sampling } from "./sampling.ts";

/** The pictures of a prompt. */
export interface PromptPictures {
  readonly count: number;
  /** Their pixels, each [3, size, size], read when the prompt's turn comes. */
  readonly pixels: TE.TaskEither<Failure, readonly Float32Array[]>;
}

/** A prompt as a decoder takes it. */
export interface Prompt {
  readonly ids: readonly number[];
  /** For every token 0, or which token of the prompt's pictures stands there, counted from 1. Default: the prompt shows no pictures. */
  readonly picks?: readonly number[];
  /** Default: none. */
  readonly pictures?: PromptPictures;
  /** How many of its tokens are those of a chat template. Default 0. */
  readonly template?: number;
}

/** How prompts are continued. */
export interface ContinueOptions extends Sampling {
  /** The most tokens of an answer. */
  readonly maxTokens: number;
  /** Texts that an answer ends before. Default: none. */
  readonly stop?: readonly string[];
  /** Tokens that end an answer beside the tokenizer's end tokens. Default: none. */
  readonly ends?: readonly number[];
  /** What the choice of tokens is drawn from, where it is drawn. Default 0. */
  readonly seed?: number;
  /** The most prompts that are continued at a time. Default 8. */
  readonly batch?: number;
}

/** What continues prompts. */
export interface Continuing {
  readonly decoder: Decoder<unknown>;
  readonly tokenizer: TextTokenizer;
}

/** What closes an answer: the text, or the tokens, that are trained behind it, and how it is known when a model writes it. */
export interface Closing extends Required<Pick<ContinueOptions, "stop" | "ends">> {
  readonly text: string;
  readonly tokens: readonly number[];
}

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

/** What continues prompts of a model. Fails with `BadOption` where it does not answer in words. */
export const continuingOf = ({ architecture, textTokenizer }: Pick<Model, "architecture" | "textTokenizer">): E.Either<Failure, Continuing> => {
  const { name, decoder } = architecture;
  if (decoder === undefined) return bad("model", `a ${name} tells classes apart and writes no text; give a language model`);
  return textTokenizer === undefined
    ? bad("model", `this ${name} has no tokenizer; give the folder that has its tokenizer.json`)
    : E.right({ decoder, tokenizer: textTokenizer });
};

/** Fails with `BadOption` where an option is outside of its range. */
export const checkedOptions = ({ maxTokens, stop = [], temperature = 0, topP = 1, seed = 0, batch = 1 }: ContinueOptions): E.Either<Failure, void> => {
  if (!Number.isInteger(maxTokens) || maxTokens < 1) return bad("maxTokens", `is ${maxTokens}, not a whole number from 1 on`);
  if (stop.includes("")) return bad("stop", "an empty text would end every answer before it begins");
  if (!(temperature >= 0 && temperature < Infinity)) return bad("temperature", `is ${temperature}, not a number from 0 on`);
  if (!(topP > 0 && topP <= 1)) return bad("topP", `is ${topP}, not a share above 0 and up to 1`);
  if (!Number.isSafeInteger(seed)) return bad("seed", `is ${seed}, not a whole number`);
  return Number.isInteger(batch) && batch >= 1 ? E.right(undefined) : bad("batch", `is ${batch}, not a whole number from 1 on`);
};

/** Fails with `BadOption` where a prompt is empty, longer than the model takes, or has a token that the model does not know. */
export const checkedPrompts = (prompts: readonly Prompt[], decoder: Decoder<unknown>, config: unknown): E.Either<Failure, void> => {
  const [context, vocabulary] = [decoder.context(config), decoder.vocabulary(config)];
  for (const [i, { ids, template = 0 }] of prompts.entries()) {
    const which = prompts.length === 1 ? "it" : `number ${i + 1}`;
    if (ids.length === 0) return bad("prompt", `${which} is empty; a model continues one token at least`);
    if (ids.length > context) {
      // A prompt that is too long by itself is not the template's fault.
      const advice =
        template === 0 || ids.length - template > context
          ? "shorten it"
          : `${template} of them are the chat template's: shorten it, or ask by another template (--chat)`;
      return bad("prompt", `${which} has ${ids.length} tokens, and the model takes ${context}; ${advice}`);
    }
    const unknown = ids.find((id) => id >= vocabulary);
    if (unknown !== undefined)
      return bad("prompt", `${which} has the token ${unknown}, and the model knows those below ${vocabulary}; the tokenizer is that of another model`);
  }
  return E.right(undefined);
};

/** What closes an answer in a chat, where it is trained and where it is generated. */
export const closing = ({ end }: Pick<ChatTemplate, "end">, { id, eos }: Pick<TextTokenizer, "id" | "eos">): Closing => {
  if (end === "") return { text: "", tokens: eos.slice(0, 1), stop: [], ends: [] };
  const token = id(end);
  return { text: end, tokens: [], ...(token === undefined ? { stop: [end], ends: [] } : { stop: [], ends: [token] }) };
};
