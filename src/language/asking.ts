/** How a model is asked the questions of a task. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { AnswerTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { TextTokenizer } from "../formats/textTokenizer.ts";
import type { Model } from "../model/model.ts";
import { chatTemplateOf, defaultChat } from "./chat.ts";
import { promptTokens } from "./promptTokens.ts";
import type { Asking } from "./sequences.ts";

/** The longest sequence where nobody says how long they may be. */
const longestByDefault = 2048;

/** The tokenizer of a model that answers in words. Fails with `BadOption` for another. */
export const tokenizerOf = ({ architecture, textTokenizer }: Pick<Model, "architecture" | "textTokenizer">): E.Either<Failure, TextTokenizer> => {
  if (architecture.decoder === undefined) return E.left({ _tag: "BadOption", option: "model", detail: `a ${architecture.name} does not answer in words` });
  if (textTokenizer === undefined) return E.left({ _tag: "BadOption", option: "model", detail: "it has no tokenizer" });
  return E.right(textTokenizer);
};

/** How a model is asked the questions of a task: as the task says, else as the model is known to be tuned. Fails with `BadOption`. */
export const askingOf = (model: Model, { chat, context }: Pick<AnswerTask, "chat" | "context">): E.Either<Failure, Asking> =>
  pipe(
    E.Do,
    E.bind("tokenizer", () => tokenizerOf(model)),
    E.bind("template", ({ tokenizer }) =>
      chat === undefined ? E.right(defaultChat(tokenizer, model.architecture.decoder!.pictures !== undefined)) : chatTemplateOf(chat, tokenizer),
    ),
    E.map(({ tokenizer, template }): Asking => {
      const most = model.architecture.decoder!.context(model.config);
      return {
        chat: template,
        eos: tokenizer.eos[0],
        longest: Math.min(context ?? longestByDefault, most),
        tokens: (text, pictures) => promptTokens(model, text, pictures),
      };
    }),
  );

/** How many tokens a picture becomes; 0 where a model sees none. */
export const pictureTokensOf = ({ architecture, config }: Pick<Model, "architecture" | "config">): number =>
  architecture.decoder?.pictures?.tokens(config) ?? 0;
