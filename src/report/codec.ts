/** io-ts codecs of the report's numbers, and their failures in words. */
import * as t from "io-ts";
import { inWords, printed } from "../formats/json.ts";

const numberType = (name: string, test: (x: number) => boolean): t.Type<number> => {
  const is = (u: unknown): u is number => typeof u === "number" && Number.isFinite(u) && test(u);
  return new t.Type<number>(name, is, (u, c) => (is(u) ? t.success(u) : t.failure(u, c)), t.identity);
};

/** "X or null" as one codec: a union of io-ts would blame the path of its second branch. */
export const nullable = <A>(codec: t.Type<A, unknown, unknown>): t.Type<A | null, unknown, unknown> =>
  new t.Type<A | null, unknown, unknown>(
    `${codec.name} or null`,
    (u): u is A | null => u === null || codec.is(u),
    (u, c) => (u === null ? t.success(null) : codec.validate(u, c)),
    (a) => (a === null ? null : codec.encode(a)),
  );

/** A field that files of older versions lack, with the name of its codec. */
export const optional = <A>(codec: t.Type<A, unknown, unknown>): t.Type<A | undefined, unknown, unknown> =>
  new t.Type<A | undefined, unknown, unknown>(
    codec.name,
    (u): u is A | undefined => u === undefined || codec.is(u),
    (u, c) => (u === undefined ? t.success(undefined) : codec.validate(u, c)),
    (a) => (a === undefined ? undefined : codec.encode(a)),
  );

/** A number that is neither NaN nor infinite. */
export const finite = numberType("a finite number", () => true);
/** A count. */
export const natural = numberType("a whole number of at least 0", (x) => Number.isInteger(x) && x >= 0);
/** A finite number of at least 0. */
export const nonNegative = numberType("a number of at least 0", (x) => x >= 0);
/** A share of a whole. */
export const share = numberType("a number from 0 to 1", (x) => x >= 0 && x <= 1);
/** An accuracy in percent. */
export const percent = numberType("a number from 0 to 100", (x) => x >= 0 && x <= 100);
/** A difference of two accuracies in percentage points. */
export const points = numberType("a number from -100 to 100", (x) => x >= -100 && x <= 100);

/** The first thing that a decoder found wrong, as `matrix.2.0 should be a number from 0 to 100, not "x"`. */
export const firstError = (errors: t.Errors): string => {
  const context = errors[0]?.context ?? [];
  const at = context
    .map((c) => c.key)
    .filter((k) => k !== "")
    .join(".");
  const leaf = context[context.length - 1];
  return `${at === "" ? "it" : at} should be ${leaf === undefined ? "something else" : inWords(leaf.type as t.Any)}, not ${printed(leaf?.actual)}`;
};
