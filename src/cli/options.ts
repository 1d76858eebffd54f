/** Options of methods as text: `kappa=0.01,modules=q+v,steps={"epochs":10}`. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { decodeOption, optionNames as namesOf, readings, type Declaration, type Reading } from "../methods/declare.ts";
import { hasReadings, optionRows, readNames } from "../methods/describe.ts";
import { methods, type MethodName, type MethodOptions } from "../methods/table.ts";
import { printed } from "../formats/json.ts";
import { exampleLines } from "./command.ts";
import { meantFor } from "./flags.ts";
import { paragraph, plain, sections, twoColumns, type Layout } from "./help.ts";
import { didYouMean } from "../formats/suggest.ts";

/** JSON where it is JSON, several joined by +, or a word. */
const parsed = (text: string): unknown =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => undefined,
    ),
    E.getOrElse((): unknown => (text.includes("+") ? text.split("+").map(parsed) : text)),
  );

const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option: "--set", detail });

/** The names of a method's options, but for how it is scored. */
export const optionNames = (method: MethodName): readonly string[] => namesOf(methods[method].declaration);

/** By which of the two options are set. */
const readingOf = (value: string): E.Either<Failure, Reading> => {
  const as = readings.decode(value);
  return E.isLeft(as) ? bad(`reading should be ${readings.name}, not ${printed(value)}${meantFor(readings, value)}`) : E.right(as.right);
};

/**
 * Reads `KEY=VALUE[,KEY=VALUE…]` as options of a method; fails with `BadOption`, which lists the keys that there are, or says what a value should be.
 * `reading=paper` and `reading=code` stand for all options in which the two differ, which may be none; one that is given beside it wins.
 */
export const parseOptions = (method: MethodName, text: string): E.Either<Failure, MethodOptions> => {
  const { declaration } = methods[method];
  const names = optionNames(method);
  const options: Record<string, unknown> = {};
  let read: Reading | undefined;
  // A comma inside of JSON has no KEY= behind it.
  for (const part of text.split(/,(?=\w+=)/)) {
    const [, name, value] = /^(\w+)=(.+)$/s.exec(part) ?? [];
    if (name === undefined) return bad(`${printed(part)} should be KEY=VALUE`);
    if (name in options || (name === "reading" && read !== undefined)) return bad(`${name} is given twice`);
    if (name === "reading") {
      const chosen = readingOf(value);
      if (E.isLeft(chosen)) return chosen;
      read = chosen.right;
      continue;
    }
    if (!names.includes(name))
      return bad(`${method} has no option ${name}; ${names.length === 0 ? "it has none" : `it has ${names.join(", ")}`}${didYouMean(name, names)}`);
    const decoded = decodeOption(declaration, name, parsed(value));
    if (E.isLeft(decoded))
      return bad(`${name} should be ${decoded.left}, not ${printed(value)}${meantFor((declaration as Declaration).options[name].codec, value)}`);
    options[name] = decoded.right;
  }
  return E.right({ ...(read === undefined || !hasReadings(declaration) ? {} : { reading: read }), ...options });
};

/** What there is to say of options as text: a reading of a method that has but one sets nothing. */
export const optionNotes = (method: MethodName, text = ""): readonly string[] =>
  /(^|,)reading=/.test(text) && !hasReadings(methods[method].declaration)
    ? [`${method} has one reading only: its paper and its code do not differ in any option`]
    : [];

/** What `--help` says of a method: every option, what it is and takes, and its default. */
export const optionsHelp = (method: MethodName, layout: Layout = plain): string => {
  const { declaration } = methods[method];
  const { does, paper, needs, classesAlone } = declaration as Declaration;
  const has = `${needs === undefined ? "" : `; needs ${needs}`}${classesAlone === undefined ? "" : "; learns tasks of classes alone"}`;
  const head = `${method}: ${does}${paper === undefined ? "" : ` (arXiv ${paper})`}${has}`;
  const rows = optionRows(methods[method]);
  const set = rows.length === 0 ? "" : " [--set KEY=VALUE[,KEY=VALUE\u2026]]";
  const given = rows.length === 0 ? "" : " --set steps=200";
  const example = `cambium run --model models/clip --data data/pets,data/cars --method ${method}${given} --out runs/${method}`;
  return sections(
    [
      { lines: paragraph(head, layout) },
      { heading: "Usage", lines: [`  cambium run --model MODEL --data DATA[,DATA\u2026] --method ${method}${set} --out DIR [flags]`] },
      rows.length === 0
        ? { lines: ["It has no options."] }
        : {
            heading: "Options",
            lines: twoColumns(
              rows.map(({ name, fallback, answered, meaning, takes }) => {
                const otherwise = answered === undefined ? "" : `; ${answered} where tasks are answered in words`;
                return [name, `${meaning.replace(/\.$/, "")}: ${takes}${otherwise} [${fallback}]`];
              }),
              layout.columns,
            ),
          },
      ...(methods[method]().reference
        ? [
            {
              lines: paragraph(
                "--reference DATA names a dataset whose pictures and classes it distils on, and which is never learned; " +
                  "without it the task's own pictures take their place.",
                layout,
              ),
            },
          ]
        : []),
      ...(hasReadings(declaration)
        ? [
            {
              lines: paragraph(
                `reading=paper and reading=code set as the paper has it, or the code of its authors: ${readNames(declaration).join(", ")}.`,
                layout,
              ),
            },
          ]
        : []),
      {
        heading: "Examples",
        lines: exampleLines([[example, rows.length === 0 ? "scores a model on both" : "teaches a model pets, then cars, with 200 steps each"]], layout),
      },
    ],
    layout,
  );
};
