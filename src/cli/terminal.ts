/** What a command has to do with the terminal that it was called from: where its user stands, what it prints, how it ends. */
import { resolve } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { describe, legible, type Failure } from "../failure.ts";
import { onInterrupt } from "../platform/node/interrupt.ts";
import { progress } from "../report/progress.ts";
import { watch } from "../runs/watch.ts";
import type { JobOptions } from "../runs/runJob.ts";

/** The folder that relative paths are of: npm runs the scripts of this package in its own folder, and says where its user stands. */
export const absolute = (path: string): string => {
  const { npm_package_name: name, npm_lifecycle_event: script, INIT_CWD: stands } = process.env;
  return resolve(name === "cambium" && script !== undefined && stands !== undefined ? stands : ".", path);
};

/** What reads a command's output may go away, as `head` does, or be full: that ends nothing. */
export const outliveReaders = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
};

/** Prints a text. Node tells of a full device by an event, Deno throws. */
export const print = (stream: { readonly write: (text: string) => unknown }, text: string): void => {
  try {
    stream.write(text);
  } catch {
    // Nobody is there to be told.
  }
};

const stderr = {
  write: (text: string) => print(process.stderr, text),
  get isTTY() {
    return process.stderr.isTTY;
  },
  get columns() {
    return process.stderr.columns;
  },
};

/** The options of a job that is watched in a terminal, while `use` runs it. */
export const watched = async <A>(use: (options: JobOptions) => Promise<A>): Promise<A> => {
  const shown = progress({ sink: stderr });
  const watcher = watch(shown);
  const interrupt = onInterrupt(
    () => shown.line("Stopping after this step; press Ctrl-C again to stop at once."),
    () => undefined,
  );
  try {
    return await use({
      watch: watcher.event,
      opened: (adapter) => print(process.stdout, `adapter: ${adapter}\n`),
      note: (line) => {
        watcher.stop();
        for (const one of line.split("\n")) shown.line(legible(one, 2000));
      },
      signal: interrupt.signal,
    });
  } finally {
    watcher.stop();
    interrupt.release();
  }
};

/** Sets the exit code: 0, 130 after a request to stop, or 1 with the failure as one line on stderr. `whenStopped` is said where the request left no outcome. */
export const end = (outcome: E.Either<Failure, { readonly interrupted: boolean }>, whenStopped = "Stopped on request, in the middle of a task."): void => {
  if (E.isRight(outcome)) {
    process.exitCode = outcome.right.interrupted ? 130 : 0;
    return;
  }
  const stopped = outcome.left._tag === "Interrupted";
  const line = stopped ? whenStopped : describe(outcome.left);
  print(process.stderr, `${line.replace(/\s*\n\s*/g, " ")}\n`);
  process.exitCode = stopped ? 130 : 1;
};
