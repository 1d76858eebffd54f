/** How a model is asked the questions of a task. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { AnswerTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Model } from "../model/model.ts";
import { chatTemplateOf, defaultChat } from "./chat.ts";
import { promptTokens } from "./promptTokens.ts";
import { closing, continuingOf } from "./prompts.ts";
import type { Asking } from "./sequences.ts";

/** The longest sequence where nobody says how long they may be. */
const longestByDefault = 2048;

/** How a model is asked the questions of a task: as the task says, else as the model is known to be tuned. Fails with `BadOption`. */
export const askingOf = (model: Model, { chat, context }: Pick<AnswerTask, "chat" | "context">): E.Either<Failure, Asking> =>
  pipe(
    continuingOf(model),
    E.bind("template", ({ decoder, tokenizer }) => chatTemplateOf(chat ?? defaultChat(tokenizer, decoder.chat), tokenizer)),
    E.map(
      ({ decoder, tokenizer, template }): Asking => ({
        chat: template,
        closing: closing(template, tokenizer),
        longest: Math.min(context ?? longestByDefault, decoder.context(model.config)),
        tokens: (text, pictures) => promptTokens(model, text, pictures),
      }),
    ),
  );

/** How many tokens a picture becomes; 0 where a model sees none. */
export const pictureTokensOf = ({ architecture, config }: Pick<Model, "architecture" | "config">): number =>
  architecture.decoder?.pictures?.tokens(config) ?? 0;
