/** Text from tokens as they come: cut at whole characters, and before the first stop string. */
import type { TextTokenizer } from "../formats/textTokenizer.ts";

/** The text of an answer, piece by piece. */
export interface Pieces {
  /** Takes a token, and gives the text that is certain now and was not before. */
  readonly next: (token: number) => string;
  /** The text that was held back, once no token follows. The bytes of a character that is not whole are dropped. */
  readonly rest: () => string;
  /** Whether a stop string has come: the text ends before it. */
  readonly stopped: () => boolean;
}

/** What decoders write for bytes that are no whole character. */
const replacement = "\uFFFD";

/** Text from tokens, cut at whole characters. */
const characters = (decode: TextTokenizer["decode"]): Pick<Pieces, "next" | "rest"> => {
  // Tokens whose text was given stay for one piece: the text of those behind them may depend on them, as a blank between words does.
  let [given, held]: readonly [readonly number[], readonly number[]] = [[], []];
  const heldText = (): string => decode([...given, ...held]).slice(decode(given).length);
  return {
    next: (token) => {
      held = [...held, token];
      const text = heldText();
      if (text === "" || text.endsWith(replacement)) return "";
      [given, held] = [held, []];
      return text;
    },
    rest: () => heldText().replace(/\uFFFD+$/u, ""),
  };
};

/** How many characters at the end of a text may be the beginning of a stop string. */
const begun = (text: string, stop: readonly string[]): number => {
  const longest = Math.min(text.length, Math.max(0, ...stop.map(({ length }) => length - 1)));
  for (let n = longest; n > 0; n--) if (stop.some((word) => word.length > n && word.startsWith(text.slice(-n)))) return n;
  return 0;
};

/** The pieces of one answer, which ends before the first of the stop strings. */
export const pieces = ({ decode }: Pick<TextTokenizer, "decode">, stop: readonly string[] = []): Pieces => {
  const { next, rest } = characters(decode);
  let [held, stopped] = ["", false];
  const take = (text: string, last: boolean): string => {
    if (stopped) return "";
    const all = held + text;
    const ends = stop.map((word) => all.indexOf(word)).filter((at) => at >= 0);
    stopped = ends.length > 0;
    const certain = stopped ? Math.min(...ends) : all.length - (last ? 0 : begun(all, stop));
    held = all.slice(certain);
    return all.slice(0, certain);
  };
  return { next: (token) => take(next(token), false), rest: () => take(rest(), true), stopped: () => stopped };
};
