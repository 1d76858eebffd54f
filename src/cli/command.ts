/** One command: what it takes and does, as a value. `commands.ts` has the list of them; what is alike in all of them is said here once. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { decode, flagsAlone, split, toggle, type Arguments, type Table, type Values } from "./flags.ts";
import { flagLines, paragraph, sections, twoColumns, type Layout } from "./help.ts";
import type { Terminal } from "./terminal.ts";

/** What a command leaves. */
export interface Ended {
  /** What a person reads, on stdout; lines have at most `columns` characters. */
  readonly text: (columns?: number) => string;
  /** What `--json` prints instead: one value. */
  readonly json: unknown;
  /** Whether what is printed lies in files, too, so that nothing is lost where stdout is full. */
  readonly kept?: boolean;
  /** It was stopped on request and kept what it had: exit code 130. */
  readonly interrupted?: boolean;
  /** Exit code 1, though there is something to print. */
  readonly failed?: boolean;
}

/** What stands without dashes behind the name of a command. */
export interface Operands {
  /** As help writes it: `RUN`, or `RUN…` where there may be several. */
  readonly hint: string;
  /** What it is, for the sentence "needs … after it"; a comma may stand at its end. */
  readonly what: string;
  /** How many there must be. Default: 1. */
  readonly least?: number;
  /** How many there may be. Default: 1. */
  readonly most?: number;
  /** The flag that one too many is meant for. */
  readonly flag?: string;
}

/** What a command says of itself. */
export interface Described<T extends Table> {
  readonly name: string;
  /** What it does, in one sentence without its full stop. */
  readonly does: string;
  /** How it is called, one line each. */
  readonly synopsis: readonly string[];
  readonly operands?: Operands;
  readonly flags: T;
  /** Paragraphs under the flags. */
  readonly notes?: readonly string[];
  /** Two at least: what is typed, and what that does. */
  readonly examples: readonly (readonly [string, string])[];
  /** The flags that have no meaning beside `--json`. */
  readonly notJson?: readonly (keyof T)[];
  /** Other help that some arguments ask for. */
  readonly helpFor?: (args: readonly string[], layout: Layout) => string | undefined;
  /** What is said where it was stopped on request and there is nothing else to say. */
  readonly whenStopped?: string;
  readonly run: (given: Given<T>, terminal: Terminal) => TE.TaskEither<Failure, Ended>;
}

/** What somebody has given to a command. */
export interface Given<T extends Table> {
  readonly flags: Values<T>;
  readonly operands: readonly string[];
}

/** The flags of every command. */
const common = {
  json: toggle("print one JSON value on stdout, and everything else on stderr"),
  quiet: toggle("print the outcome, and what fails, without progress and notes"),
  help: toggle("print this"),
};

/** A command with its arguments, which are right as far as that is said without looking at a file. */
export interface Started {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly run: (terminal: Terminal) => TE.TaskEither<Failure, Ended>;
}

/** A command, whatever its flags. */
export interface Command extends Pick<Described<Table>, "name" | "does" | "whenStopped"> {
  /** All of its flags, with those that every command has. */
  readonly flags: Table;
  readonly help: (args: readonly string[], layout: Layout) => string;
  /** Reads arguments. Fails with `BadOption`. */
  readonly start: (args: readonly string[]) => E.Either<Failure, Started>;
}

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

const checkOperands = ({ name, operands: wanted }: Pick<Described<Table>, "name" | "operands">, given: Arguments): E.Either<Failure, void> => {
  if (wanted === undefined) return flagsAlone(given);
  const { hint, what, least = 1, most = 1, flag } = wanted;
  const { length, [most]: surplus } = given.operands;
  if (length < least) return bad(name, `needs ${what} after it; --help says more`);
  if (surplus === undefined) return E.right(undefined);
  return bad(surplus, `is one too many: ${name} takes one ${hint}${flag === undefined || given.texts.has(flag) ? "" : `, and --${flag} is missing`}`);
};

/** Refuses flags that have no meaning beside `--json`. */
const checkJson = ({ notJson = [] }: Pick<Described<Table>, "notJson">, { texts }: Arguments): E.Either<Failure, void> => {
  const one = texts.has("json") ? notJson.find((flag) => texts.has(flag)) : undefined;
  return one === undefined ? E.right(undefined) : bad(`--${one}`, "and --json exclude one another");
};

/** A failure of an option that a flag stands for speaks of the flag. */
const ofFlag =
  (flags: Table) =>
  (failure: Failure): Failure =>
    failure._tag === "BadOption" && Object.hasOwn(flags, failure.option) ? { ...failure, option: `--${failure.option}` } : failure;

/** How a command is called, and what stands without dashes there. */
const usageLines = ({ synopsis, operands }: Described<Table>, { columns }: Layout): readonly string[] => [
  ...synopsis.map((line) => `  ${line}`),
  ...(operands === undefined ? [] : ["", ...twoColumns([[operands.hint, operands.what.replace(/,$/, "")]], columns)]),
];

/** How examples are listed. */
export const exampleLines = (examples: Described<Table>["examples"], layout: Layout): readonly string[] =>
  examples.flatMap(([typed, does]) => [`  ${typed}`, ...paragraph(does, { ...layout, columns: (layout.columns ?? 120) - 6 }).map((line) => `      ${line}`)]);

const helpOf = (of: Described<Table>, flags: Table, layout: Layout): string =>
  sections(
    [
      { lines: paragraph(`cambium ${of.name}: ${of.does}`, layout) },
      { heading: "Usage", lines: usageLines(of, layout) },
      { heading: "Flags", lines: flagLines(flags, layout.columns) },
      ...(of.notes ?? []).map((note) => ({ lines: paragraph(note, layout) })),
      { heading: "Examples", lines: exampleLines(of.examples, layout) },
    ],
    layout,
  );

/** Puts paths back as their user has typed them, relative to where he stands. */
const asTyped = ({ texts, operands }: Arguments, at: Terminal["at"]): ((text: string) => string) => {
  const all = [...operands, ...[...texts.values()].flatMap((text) => text.split(","))].map((text) => text.replace(/\/+$/, ""));
  const longestFirst = all.filter((text) => text !== "" && at(text) !== text).sort((a, b) => b.length - a.length);
  // The end of a longer path is another one.
  const found = longestFirst.map((typed) => [typed, new RegExp(`(?<![\\w./-])${at(typed).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}`, "g")] as const);
  return (text) => found.reduce((line, [typed, path]) => line.replace(path, () => typed), text);
};

/** A failure with other words in its texts. */
const reworded = (failure: Failure, words: (text: string) => string): Failure =>
  Object.fromEntries(Object.entries(failure).map(([key, value]) => [key, typeof value === "string" ? words(value) : value])) as unknown as Failure;

/** Runs a command; what it says names paths and flags as they were typed, and JSON has paths that are right everywhere. */
const running = <T extends Table>(described: Described<T>, args: Arguments, flags: Values<T>, terminal: Terminal): TE.TaskEither<Failure, Ended> => {
  const words = asTyped(args, terminal.at);
  const note = (line: string): void => terminal.note(words(line));
  return pipe(
    described.run({ flags, operands: args.operands }, { ...terminal, note, jobOptions: { ...terminal.jobOptions, note } }),
    TE.map((ended): Ended => ({ ...ended, text: (columns) => words(ended.text(columns)) })),
    TE.mapLeft((failure) => reworded(ofFlag(described.flags)(failure), words)),
  );
};

/** A command out of what it says of itself. */
export const command = <T extends Table>(described: Described<T>): Command => {
  const { name, does, whenStopped } = described;
  const flags = { ...described.flags, ...common };
  return {
    name,
    does,
    flags,
    ...(whenStopped === undefined ? {} : { whenStopped }),
    help: (args, layout) => described.helpFor?.(args, layout) ?? helpOf(described as unknown as Described<Table>, flags, layout),
    start: (args) =>
      pipe(
        split(flags, args),
        E.chainFirst((given) => checkOperands(described, given)),
        E.chainFirst((given) => checkJson(described as Pick<Described<Table>, "notJson">, given)),
        E.bind("flags", ({ texts }) => decode(described.flags, texts)),
        E.bind("loudness", ({ texts }) => decode(common, texts)),
        E.map(({ flags, loudness, ...args }) => ({ ...loudness, run: (terminal) => running(described, args, flags, terminal) })),
      ),
  };
};

/** The list of commands. */
export const listOf = (commands: readonly Command[], layout: Layout): readonly string[] =>
  twoColumns(
    commands.map(({ name, does }) => [name, does]),
    layout.columns,
  );
