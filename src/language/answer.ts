/** An answer that is being written: it takes tokens until it ends. */
import type { TextTokenizer } from "../formats/textTokenizer.ts";
import { pieces } from "./pieces.ts";

/** What ended an answer: an end token, a stop string, or the most tokens that there may be. */
export type Ended = "end" | "stop" | "length";

/** What a token adds to an answer. */
export interface Addition {
  readonly text: string;
  /** The tokens since the last addition. */
  readonly tokens: readonly number[];
  readonly ended?: Ended;
}

/** An answer that is being written. */
export interface Answer {
  /** Takes a token. Undefined where it adds nothing yet. */
  readonly take: (token: number) => Addition | undefined;
  readonly ended: () => boolean;
}

/** An answer that ends at an end token of the tokenizer, before a stop string, or after `limit` tokens. */
export const answer = (tokenizer: Pick<TextTokenizer, "decode" | "eos">, stop: readonly string[], limit: number): Answer => {
  const { next, rest, stopped } = pieces(tokenizer, stop);
  let tokens: readonly number[] = [];
  let [count, over] = [0, false];
  const added = (text: string, ended?: Ended): Addition | undefined => {
    over = ended !== undefined;
    if (text === "" && !over) return undefined;
    const addition = { text, tokens, ...(ended === undefined ? {} : { ended }) };
    tokens = [];
    return addition;
  };
  const last = (before: string, otherwise: Ended): Addition | undefined => {
    const text = before + rest();
    return added(text, stopped() ? "stop" : otherwise);
  };
  return {
    ended: () => over,
    take: (token) => {
      if (tokenizer.eos.includes(token)) return last("", "end");
      tokens = [...tokens, token];
      count += 1;
      const text = next(token);
      if (stopped()) return added(text, "stop");
      return count === limit ? last(text, "length") : added(text);
    },
  };
};
