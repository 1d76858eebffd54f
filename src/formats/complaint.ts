/** What the errors of an io-ts decoder complain of. */
import * as t from "io-ts";
import { inWords } from "./json.ts";

/** The one complaint that is worth telling of. */
export interface Complaint {
  /** Where in the value it is, as `methods[1].options`; "" for the whole. */
  readonly place: string;
  /** What should be there, in words. */
  readonly expected: string;
  /** What is there; undefined where it is missing. */
  readonly value: unknown;
}

/** Where in a value a decoder is: members of intersections and unions are no places. */
const placeOf = (context: t.Context): string =>
  context
    .map(({ key }, i) => {
      const above = context[i - 1];
      if (above === undefined || above.type instanceof t.IntersectionType || above.type instanceof t.UnionType) return "";
      return Array.isArray(above.actual) ? `[${key}]` : `.${key}`;
    })
    .join("")
    .replace(/^\./, "");

/** Of what is there and wrong the deepest, else of what is missing the first. */
export const complaintOf = (errors: t.Errors): Complaint => {
  const weight = ({ context, value }: t.ValidationError): number => (value === undefined ? -context.length : context.length);
  const { context, value } = errors.reduce((a, b) => (weight(b) > weight(a) ? b : a));
  return { place: placeOf(context), expected: inWords(context[context.length - 1].type as t.Any), value };
};
