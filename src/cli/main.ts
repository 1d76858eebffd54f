#!/usr/bin/env node
/** The command `cambium`. */
import { createRequire } from "node:module";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { prettyJson } from "../report/json.ts";
import type { Command, Ended } from "./command.ts";
import { commands, helpOfAll } from "./commands.ts";
import { asksForHelp, type Layout } from "./help.ts";
import { keptByNpm } from "./npm.ts";
import { didYouMean } from "../formats/suggest.ts";
import { coloursOf, end, inTerminal, outliveReaders, print, printOutcome } from "./terminal.ts";

const names = commands.map(({ name }) => name);

const version = (): string => (createRequire(import.meta.url)("cambium/package.json") as { readonly version: string }).version;

/** The width of stdout; a terminal that does not know its own says 0. */
const columnsOf = (): number | undefined => process.stdout.columns || undefined;

/** Prints what a command leaves; nothing where it has printed all of it. */
const tell = ({ text, json, kept }: Ended, asJson: boolean): void => {
  const told = asJson ? prettyJson(json) : text(columnsOf());
  printOutcome(told === "" || told.endsWith("\n") ? told : `${told}\n`, kept);
};

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

/** Runs a command with its arguments, to its exit code. */
const perform = async (command: Command, args: readonly string[]): Promise<void> => {
  const kept = keptByNpm(command.flags, args, process.env);
  if (kept !== undefined) return end(E.left(kept));
  const started = command.start(args);
  if (E.isLeft(started)) return end(started);
  const ended = await inTerminal(started.right, (terminal) => started.right.run(terminal)());
  end(ended, command.whenStopped);
  if (E.isRight(ended)) tell(ended.right, started.right.json);
};

/** Runs the command of some arguments, to its exit code. */
export const main = async ([name = "--help", ...args]: readonly string[]): Promise<void> => {
  if (name === "help") return main([...args, "--help"]);
  outliveReaders();
  const layout: Layout = { columns: columnsOf(), colours: coloursOf(process.stdout) };
  const command = commands.find((one) => one.name === name);
  if (["--version", "-v"].includes(name)) return print(process.stdout, `${version()}\n`);
  if (asksForHelp([name, ...args])) return print(process.stdout, `${command?.help(args, layout) ?? helpOfAll(layout)}\n`);
  try {
    process.cwd();
  } catch {
    return end(E.left({ _tag: "FileUnreadable", path: ".", detail: "the folder that you stand in is not there any more" }));
  }
  if (name.startsWith("-")) return end(bad(name, "flags stand behind the command, as in cambium COMMAND [flags]; cambium --help lists the commands"));
  if (command === undefined) return end(bad(name, `is no command; there are ${names.join(", ")}${didYouMean(name, names)}`));
  await perform(command, args);
};

await main(process.argv.slice(2));
