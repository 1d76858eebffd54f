/** What is wrong with plain data from outside, as failures that name the place. */
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { inWords, isObject, printed } from "../formats/json.ts";

/** A failure that names a place in plain data. */
export const misplaced = (option: string, detail: string): Failure => ({ _tag: "BadOption", option, detail });

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

/** What is wrong: of what is there the deepest, else of what is missing the first. `whole` is what the data is called. */
export const explained =
  (whole: string) =>
  (errors: t.Errors): Failure => {
    const weight = ({ context, value }: t.ValidationError): number => (value === undefined ? -context.length : context.length);
    const { context, value } = errors.reduce((a, b) => (weight(b) > weight(a) ? b : a));
    const name = inWords(context[context.length - 1].type as t.Any);
    return misplaced(placeOf(context) || whole, value === undefined ? "is missing" : `should be ${name}, not ${printed(value)}`);
  };

/** The fields that a codec knows. */
const fieldsOf = (codec: t.Any): readonly string[] => {
  if (codec instanceof t.IntersectionType) return (codec.types as readonly t.Any[]).flatMap(fieldsOf);
  return codec instanceof t.InterfaceType || codec instanceof t.PartialType ? Object.keys(codec.props as object) : [];
};

/** The first field that a codec does not know: a word that was mistyped would be passed over. `place` stands before its name. */
export const surplusField = (codec: t.Any, value: unknown, place = ""): Failure | undefined => {
  const fields = fieldsOf(codec);
  const surplus = isObject(value) ? Object.keys(value).find((key) => !fields.includes(key)) : undefined;
  return surplus === undefined ? undefined : misplaced(`${place}${surplus}`, `is no field; there are ${fields.join(", ")}`);
};
