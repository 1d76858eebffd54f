/** The method that a job names. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import { decodeOption, optionNames, readings } from "../methods/declare.ts";
import { hasReadings } from "../methods/describe.ts";
import { methods, type MethodName, type MethodOptions } from "../methods/table.ts";
import type { Method } from "../stages/learn.ts";
import { dividable } from "../training/parts.ts";
import type { Job } from "./job.ts";

/** The method of a job. Fails with `BadOption` where its options are none, or where it cannot compute batches in the parts that the job asks for. */
export const methodOf = ({ method: { name, options }, evaluate, accumulate }: Pick<Job, "method" | "evaluate" | "accumulate">): E.Either<Failure, Method> => {
  const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });
  if (!Object.hasOwn(methods, name)) return bad("method", `should be one of ${Object.keys(methods).join(", ")}, not ${printed(name)}`);
  const declared = methods[name as MethodName];
  const make: (options: MethodOptions) => Method = declared;
  const values: Record<string, unknown> = {};
  for (const [option, value] of Object.entries(options)) {
    if (option === "reading") {
      if (!readings.is(value)) return bad(option, `should be ${readings.name}, not ${printed(value)}`);
      // A method of one reading takes it, too, so that a sweep can ask all methods for one.
      if (hasReadings(declared.declaration)) values.reading = value;
      continue;
    }
    const known = optionNames(declared.declaration);
    if (!known.includes(option)) return bad(option, `${name} has no such option; it has ${known.join(", ")}`);
    const decoded = decodeOption(declared.declaration, option, value);
    if (E.isLeft(decoded)) return bad(option, `should be ${decoded.left}, not ${printed(value)}`);
    values[option] = decoded.right;
  }
  const method = make({ ...values, evaluate });
  return E.map(() => method)(dividable(accumulate, method.undivided));
};

/** Whether the method of a job reads training splits. */
export const trains = ({ method }: Job): boolean => optionNames(methods[method.name as MethodName].declaration).includes("steps");
