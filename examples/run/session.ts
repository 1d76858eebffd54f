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

/**
 * Opens a device, says which, and uses it. Ctrl-C stops at the next step; once more, and the process ends at once, behind `leave`.
 */
export const working =
  (seed: number, onCorrupt: OnCorrupt, leave: () => void = () => undefined) =>
  <A>(use: (s: Omit<Session, "folder">) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  async () => {
    const shown = progress();
    const watcher = watch(shown);
    const interrupt = onInterrupt(() => shown.line("Stopping after this step; press Ctrl-C again to stop at once."), leave);
    try {
      return await withDevice({})((device) => async () => {
        process.stdout.write(`adapter: ${device.adapter.line}\n`);
        const runtime: Runtime = { device, seed, images: imageCache(1024), emit: watcher.event, signal: interrupt.signal, onCorrupt };
        try {
          return await use({ runtime, progress: shown, watcher })();
        } finally {
          watcher.stop();
        }
      })();
    } finally {
      interrupt.release();
    }
  };

/** The same, to fill `out`, which appears as a whole or not at all. */
export const session =
  (out: string, seed: number, onCorrupt: OnCorrupt) =>
  <A>(use: (s: Session) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
    writeFolderAtomic(out, (folder) => working(seed, onCorrupt, () => rmSync(folder, { recursive: true, force: true }))((open) => use({ ...open, folder })));

/** What a script says that leaves all or nothing. */
const nothingLeft = "Stopped on request; nothing was finished and nothing is written.";

/** Runs a script with its flags, to its exit code; or prints its help, which begins with `head`. `whenStopped` is said where it was stopped on request. */
export const script = async <T extends Table>(
  head: string,
  table: T,
  args: readonly string[],
  use: (flags: Values<T>) => TE.TaskEither<Failure, { readonly interrupted: boolean }>,
  whenStopped = nothingLeft,
): Promise<void> => {
  if (asksForHelp(args)) return void process.stdout.write(`${usage(head, table)}\n`);
  const kept = keptByNpm(table, args, process.env);
  const flags = kept === undefined ? parseFlags(table, args) : E.left(kept);
  endOfCommand(E.isLeft(flags) ? flags : await use(flags.right)(), whenStopped);
};
