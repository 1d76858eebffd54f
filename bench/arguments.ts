/** What stands behind the name of a bench: read as commands read theirs, so that what is wrong is a sentence, and `--help` says what there is. */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { decode, split, type Arguments, type Table, type Values } from "../src/cli/flags.ts";
import { asksForHelp, flagLines, twoColumns } from "../src/cli/help.ts";
import { end } from "../src/cli/terminal.ts";
import type { Failure } from "../src/failure.ts";

/** What a bench takes. */
export interface Usage<O extends Table, F extends Table> {
  /** How it is called. */
  readonly called: string;
  /** What stands without dashes, in its order. */
  readonly operands: O;
  readonly flags?: F;
  /** Whether the last operand may come several times: all of them are then given as one text with commas. */
  readonly several?: boolean;
}

/** Operands under their names, in order. */
const byName = <O extends Table>({ operands, several = false }: Usage<O, Table>, { operands: given }: Arguments): E.Either<Failure, Values<O>> => {
  const names = Object.keys(operands);
  const texts = several && given.length >= names.length ? [...given.slice(0, names.length - 1), given.slice(names.length - 1).join(",")] : given;
  if (texts.length > names.length) return E.left({ _tag: "BadOption", option: texts[names.length], detail: "is one too many; --help says what there is" });
  return pipe(
    decode(operands, new Map(texts.map((text, i) => [names[i], text]))),
    E.mapLeft((failure) => (failure._tag === "BadOption" ? { ...failure, option: failure.option.replace(/^--/, "") } : failure)),
  );
};

/** The arguments of a bench by name. Fails with `BadOption`. */
export const argumentsOf = <O extends Table, F extends Table = Record<never, never>>(
  usage: Usage<O, F>,
  args: readonly string[],
): E.Either<Failure, Values<O> & Values<F>> => {
  const { flags = {} as F } = usage;
  return pipe(
    split(flags, args),
    E.bindTo("given"),
    E.bind("operands", ({ given }) => byName(usage, given)),
    E.bind("flags", ({ given }) => decode(flags, given.texts)),
    E.map(({ operands, flags: chosen }) => ({ ...operands, ...chosen })),
  );
};

/** How a bench is called, and a line for whatever it takes. */
const help = ({ called, operands, flags = {} }: Usage<Table, Table>): string => {
  const rows = Object.entries(operands).map(([name, { help: does, otherwise }]): readonly [string, string] => {
    return [name, otherwise === undefined || otherwise.said === "" ? does : `${does} [${otherwise.said}]`];
  });
  return [called, "", ...twoColumns(rows), ...flagLines(flags)].join("\n");
};

/** The arguments that this process was given. It ends here where help is asked for, and, with exit code 1, where they are wrong. */
export const given = <O extends Table, F extends Table = Record<never, never>>(usage: Usage<O, F>): Values<O> & Values<F> => {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) {
    process.stdout.write(`${help(usage as unknown as Usage<Table, Table>)}\n`);
    process.exit();
  }
  const read = argumentsOf(usage, args);
  if (E.isRight(read)) return read.right;
  end(read);
  process.exit();
};
