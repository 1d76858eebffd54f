/** What is said of methods, in words and tables: by `--help`, and by the documents that are written from it. */
import { optionNames, reading, type Declaration, type Declared, type Reading } from "./declare.ts";

/** An option in words. */
export interface OptionRow {
  readonly name: string;
  /** Its default, as `--set` takes it. */
  readonly fallback: string;
  /** Its default for tasks that are answered in words, where that is another. */
  readonly answered?: string;
  readonly meaning: string;
  /** What it takes. */
  readonly takes: string;
  /** Its value by the paper and by the code of its authors, where the two differ. */
  readonly readings?: Readonly<Record<Reading, string>>;
}

/** A value as `--set` takes it: words as they are, lists of words joined by +, all else as JSON. */
const asText = (value: unknown): string => {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join("+");
  return JSON.stringify(value);
};

/** The options of a method in words, but for how it is scored. */
export const optionRows = (method: Declared<string, any>): readonly OptionRow[] => {
  const { declaration } = method as Declared;
  const { options, answering } = method();
  const [defaults, answered] = [options, answering?._tag === "Right" ? answering.right.options : options] as readonly Readonly<Record<string, unknown>>[];
  return optionNames(declaration).map((name) => {
    const { meaning, codec, readings } = declaration.options[name];
    const texts = [defaults, answered].map((of) => asText(of[name]));
    const row = { name, fallback: texts[0], ...(texts[1] === texts[0] ? {} : { answered: texts[1] }), meaning, takes: codec.name };
    return readings === undefined ? row : { ...row, readings: { paper: asText(readings.paper), code: asText(readings.code) } };
  });
};

/** The options in which a method's paper and the code of its authors differ. */
export const readNames = (declaration: Declaration): readonly string[] => Object.keys(reading(declaration, "paper"));

/** Whether there are any. */
export const hasReadings = (declaration: Declaration): boolean => readNames(declaration).length > 0;
