/** The tokens of a prompt, with those of its pictures in their places. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import type { Model } from "../model/model.ts";
import { continuingOf } from "./prompts.ts";

/** The tokens of a text, and which of them belong to pictures. */
export interface PromptTokens {
  readonly ids: readonly number[];
  /** For every token: 0, or 1 + its place among the tokens of all pictures of the text, one picture after another. */
  readonly picks: readonly number[];
}

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;

/**
 * The tokens of a text as a model takes them: the one that texts begin with, where there is one, and then those of the text, in which every `<image>` becomes
 * as many tokens as a picture does. Fails with `ShapeMismatch` where the text has not a place for every picture, or a token that the model does not know, and
 * with `BadOption` where the model does not continue texts.
 */
export const promptTokens = (model: Pick<Model, "architecture" | "config" | "textTokenizer">, text: string, pictures = 0): E.Either<Failure, PromptTokens> => {
  const refused = (detail: string): E.Either<Failure, never> => E.left({ _tag: "ShapeMismatch", op: "prompt", detail });
  const continuing = continuingOf(model);
  if (E.isLeft(continuing)) return continuing;
  const { decoder, tokenizer } = continuing.right;
  const { architecture, config } = model;
  if (pictures > 0 && decoder.pictures === undefined)
    return refused(`a ${architecture.name} sees no pictures, and ${counted(pictures, "picture")} came with the text`);
  const { bos, encode } = tokenizer;
  const plain = encode(text);
  const begun = bos === undefined || plain[0] === bos ? plain : [bos, ...plain];
  const vocabulary = decoder.vocabulary(config);
  const beyond = begun.find((id) => id >= vocabulary);
  if (beyond !== undefined)
    return refused(`${printed(text)} has the token ${beyond}, and the model knows those below ${vocabulary}; the tokenizer is that of another model`);
  const [token, tokens] = [decoder.pictures?.token(config), decoder.pictures?.tokens(config) ?? 0];
  const places = begun.filter((id) => id === token).length;
  if (places !== pictures)
    return refused(`${printed(text)} has ${counted(places, "place")} for pictures (<image>), and ${counted(pictures, "picture")} came with it`);
  const ids = begun.flatMap((id) => (id === token ? Array.from({ length: tokens }, () => id) : [id]));
  let picked = 0;
  return E.right({ ids, picks: ids.map((id) => (id === token ? ++picked : 0)) });
};
