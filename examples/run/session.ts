/** Where a command runs: a device, a runtime with progress, Ctrl-C, and a folder that appears as a whole at the end or not at all. */
import { rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { withDevice } from "../../src/device/open.ts";
import { parseFlags, type Table, type Values } from "../../src/cli/flags.ts";
import { asksForHelp, usage } from "../../src/cli/help.ts";
import { keptByNpm } from "../../src/cli/npm.ts";
import { end as endOfCommand } from "../../src/cli/terminal.ts";
import type { Failure } from "../../src/failure.ts";
import { exists, writeFolderAtomic } from "../../src/formats/files.ts";
import { progress, type Progress } from "../../src/report/progress.ts";
import type { Runtime } from "../../src/training/runtime.ts";
import { watch, type Watcher } from "../../src/runs/watch.ts";
import { imageCache } from "../../src/data/imageCache.ts";
import type { OnCorrupt } from "../../src/data/source.ts";
import { onInterrupt } from "../../src/platform/node/interrupt.ts";

/** What a command works with while it runs. */
export interface Session {
  readonly runtime: Runtime;
  readonly progress: Progress;
  readonly watcher: Watcher;
  /** A temporary folder beside the one that is to appear. */
  readonly folder: string;
}

/** Refuses a place that holds something: a run does not overwrite. */
export const freeFolder =
  (dir: string): TE.TaskEither<Failure, void> =>
  async () => {
    const held = await readdir(dir).then(
      (names) => names.length > 0,
      () => exists(dir),
    );
    if (!held) return E.right(undefined);
    return E.left({ _tag: "BadOption", option: "--out", detail: `${dir} is there already and is not an empty folder; name another` });
  };

/** Opens a device, says which, and uses it to fill `out`; Ctrl-C stops at the next step. */
export const session =
  (out: string, seed: number, onCorrupt: OnCorrupt) =>
  <A>(use: (s: Session) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  async () => {
    const shown = progress();
    const watcher = watch(shown);
    let temporary = "";
    const interrupt = onInterrupt(
      () => shown.line("Stopping after this step; press Ctrl-C again to stop at once."),
      () => rmSync(temporary, { recursive: true, force: true }),
    );
    try {
      return await writeFolderAtomic(out, (folder) => {
        temporary = folder;
        return withDevice({})((device) => async () => {
          process.stdout.write(`adapter: ${device.adapter.line}\n`);
          const runtime: Runtime = { device, seed, images: imageCache(1024), emit: watcher.event, signal: interrupt.signal, onCorrupt };
          try {
            return await use({ runtime, progress: shown, watcher, folder })();
          } finally {
            watcher.stop();
          }
        });
      })();
    } finally {
      interrupt.release();
    }
  };

/** Sets the exit code, and says how a script ended that leaves all or nothing. */
const end = (outcome: E.Either<Failure, { readonly interrupted: boolean }>): void =>
  endOfCommand(outcome, "Stopped on request; nothing was finished and nothing is written.");

/** Runs a script with its flags, to its exit code; or prints its help, which begins with `head`. */
export const script = async <T extends Table>(
  head: string,
  table: T,
  args: readonly string[],
  use: (flags: Values<T>) => TE.TaskEither<Failure, { readonly interrupted: boolean }>,
): Promise<void> => {
  if (asksForHelp(args)) return void process.stdout.write(`${usage(head, table)}\n`);
  const kept = keptByNpm(table, args, process.env);
  const flags = kept === undefined ? parseFlags(table, args) : E.left(kept);
  end(E.isLeft(flags) ? flags : await use(flags.right)());
};
