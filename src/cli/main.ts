#!/usr/bin/env node
/** The command `cambium`. */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { legible, type Failure } from "../failure.ts";
import { summary, type Outcome } from "../runs/outcome.ts";
import { resume, runJob, type JobOptions } from "../runs/runJob.ts";
import { helpOf, parseRun } from "./run.ts";
import { absolute, end, outliveReaders, print, watched } from "./terminal.ts";

const bad = (option: string, detail: string): TE.TaskEither<Failure, never> => TE.left({ _tag: "BadOption", option, detail });

/** What a command does, with the folder of its run as its user calls it. */
interface Command {
  readonly out: string;
  readonly run: (options: JobOptions) => TE.TaskEither<Failure, Outcome>;
}

const commands: Readonly<Record<string, (args: readonly string[]) => TE.TaskEither<Failure, Command>>> = {
  run: (args) =>
    pipe(
      TE.fromEither(parseRun(args, absolute)),
      TE.map(
        ({ job, out, notes }): Command => ({
          out,
          run: (options) => {
            for (const note of notes) options.note?.(note);
            return runJob(job, options);
          },
        }),
      ),
    ),
  resume: ([folder, ...others]) => {
    if (folder === undefined) return bad("resume", "needs the folder of a run after it");
    if (others.length > 0 || folder.startsWith("-")) return bad("resume", "takes the folder of a run and nothing else");
    return TE.right({ out: folder, run: (options) => resume(absolute(folder), options) });
  },
};

/** Runs the command of some arguments, to its exit code. */
export const main = async ([name = "--help", ...args]: readonly string[]): Promise<void> => {
  outliveReaders();
  const help = helpOf([name, ...args]);
  if (help !== undefined) return print(process.stdout, `${help}\n`);
  try {
    process.cwd();
  } catch {
    return end(E.left({ _tag: "FileUnreadable", path: ".", detail: "the folder that you stand in is not there any more" }));
  }
  const command = await (Object.hasOwn(commands, name) ? commands[name](args) : bad(name, `is no command; there are ${Object.keys(commands).join(", ")}`))();
  if (E.isLeft(command)) return end(command);
  const ended = await watched((options) => command.right.run(options)());
  if (E.isRight(ended)) {
    const { skipped } = ended.right;
    if (skipped > 0) print(process.stderr, `skipped ${skipped} samples that cannot be read\n`);
    print(process.stdout, summary(ended.right, legible(command.right.out), process.stdout.columns));
  }
  end(ended);
};

await main(process.argv.slice(2));
