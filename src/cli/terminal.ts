/** What a command has to do with the terminal that it was called from: where its user stands, what it prints, how it ends. */
import { resolve } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import pico from "picocolors";
import { describe, legible, type Failure } from "../failure.ts";
import { codeOf, message } from "../platform/failures.ts";
import { onInterrupt } from "../platform/node/interrupt.ts";
import { progress, type Progress } from "../report/progress.ts";
import { watch } from "../runs/watch.ts";
import type { JobOptions } from "../runs/runJob.ts";

/** The terminal as a command meets it. */
export interface Terminal {
  /** The absolute path of one that its user has written. */
  readonly at: (path: string) => string;
  /** The options of a job that is watched here: progress, notes, Ctrl-C. */
  readonly jobOptions: JobOptions;
  /** Prints a part of the outcome on stdout at once, but where that is one JSON value. Its last line is ended before anything else is said. */
  readonly write: (text: string) => void;
  /** Says on stderr what somebody should know and nothing fails by. */
  readonly note: (line: string) => void;
  /** For stdout; without effect where that is no terminal. */
  readonly colours: ReturnType<typeof coloursOf>;
  readonly progress: Progress;
}

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

/** Prints what a command leaves. Where that cannot be written it is a failure, unless it is kept elsewhere, or whoever reads has read enough. */
export const printOutcome = (text: string, kept = false): void => {
  const lost = (error: unknown): void => {
    if (kept || codeOf(error) === "EPIPE") return;
    process.exitCode = 1;
    print(process.stderr, `Cannot write to stdout: ${message(error)}\n`);
  };
  process.stdout.on("error", lost);
  try {
    process.stdout.write(text);
  } catch (error) {
    lost(error);
  }
};

/** The colours of an output: none where it is no terminal, unless FORCE_COLOR asks for them, and none where NO_COLOR forbids them. */
export const coloursOf = (stream: { readonly isTTY?: boolean }) => {
  const { FORCE_COLOR: forced = "" } = process.env;
  // picocolors takes FORCE_COLOR=0 for a wish.
  const wanted = forced === "" ? stream.isTTY === true : forced !== "0";
  return pico.createColors(pico.isColorSupported && wanted);
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

/** What is printed beside the outcome. */
export interface Loudness {
  /** Nothing. */
  readonly quiet: boolean;
  /** All of it on stderr: stdout has one JSON value. */
  readonly json: boolean;
}

/** Uses the terminal; while it is used, a first Ctrl-C asks the work to stop. */
export const inTerminal = async <A>({ quiet, json }: Loudness, use: (terminal: Terminal) => Promise<A>): Promise<A> => {
  const shown = progress({ sink: stderr, silent: quiet });
  const watcher = watch(shown);
  // Whether stdout stands within a line: what is said beside it would go on with that line.
  let within = false;
  const endLine = (): void => {
    if (within) print(process.stdout, "\n");
    within = false;
  };
  const interrupt = onInterrupt(
    () => {
      endLine();
      shown.line("Stopping after this step; press Ctrl-C again to stop at once.");
    },
    () => undefined,
  );
  const note = (line: string): void => {
    watcher.stop();
    endLine();
    for (const one of line.split("\n")) shown.line(legible(one, 2000));
  };
  const opened = (adapter: string): void => {
    if (!quiet) print(json ? process.stderr : process.stdout, `adapter: ${adapter}\n`);
  };
  const write = (text: string): void => {
    if (json || text === "") return;
    watcher.stop();
    print(process.stdout, text);
    within = !text.endsWith("\n");
  };
  try {
    const jobOptions = { at: absolute, watch: watcher.event, opened, note, signal: interrupt.signal };
    return await use({ at: absolute, jobOptions, write, note, colours: coloursOf(process.stdout), progress: shown });
  } finally {
    watcher.stop();
    endLine();
    interrupt.release();
  }
};

/** Sets the exit code: 0, 130 after a request to stop, or 1 with the failure as one line on stderr. `whenStopped` is said where the request left no outcome. */
export const end = (
  outcome: E.Either<Failure, { readonly interrupted?: boolean; readonly failed?: boolean }>,
  whenStopped = "Stopped on request; what was finished is kept.",
): void => {
  if (E.isRight(outcome)) {
    const { interrupted = false, failed = false } = outcome.right;
    process.exitCode = interrupted ? 130 : failed ? 1 : 0;
    return;
  }
  const stopped = outcome.left._tag === "Interrupted";
  const line = (stopped ? whenStopped : describe(outcome.left)).replace(/\s*\n\s*/g, " ");
  print(process.stderr, `${stopped ? line : coloursOf(process.stderr).red(line)}\n`);
  process.exitCode = stopped ? 130 : 1;
};
