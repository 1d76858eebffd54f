/** What is wrong with plain data from outside, as failures that name the place. */
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { complaintOf } from "../formats/complaint.ts";
import { isObject, printed } from "../formats/json.ts";

/** A failure that names a place in plain data. */
export const misplaced = (option: string, detail: string): Failure => ({ _tag: "BadOption", option, detail });

/** What is wrong with plain data. `whole` is what the data is called. */
export const explained =
  (whole: string) =>
  (errors: t.Errors): Failure => {
    const { place, expected, value } = complaintOf(errors);
    return misplaced(place || whole, value === undefined ? "is missing" : `should be ${expected}, not ${printed(value)}`);
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
