/**
 * Files that grow while they are read: the log of a run. In a worker what is written is there at once, also where its tab is closed then. A window can only
 * write without waiting; there it follows as soon as what came before it is written, and what was still on its way is lost with the tab.
 */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../../failure.ts";
import type { Appender } from "../files.ts";
import { openWritable, writeAt } from "./fill.ts";
import type { OwnFile, SyncFile, Writing } from "./handles.ts";
import { unwritten } from "./words.ts";

const inWorker = (path: string, file: SyncFile, from: number): Appender => {
  let size = Math.min(from, file.getSize());
  file.truncate(size);
  return {
    write: (text) =>
      E.tryCatch(() => {
        const bytes = new TextEncoder().encode(text);
        try {
          writeAt(file, bytes, size);
        } catch (error) {
          file.truncate(size);
          throw error;
        }
        size += bytes.length;
      }, unwritten(path)),
    size: () => size,
    close: async () => {
      file.flush();
      file.close();
    },
  };
};

/** Changes a file from a window: all of the change is there, or nothing. */
const changed = async (file: OwnFile, change: (open: Writing) => Promise<void>): Promise<void> => {
  const open = await openWritable(file, true);
  try {
    await change(open);
  } catch (error) {
    await open.abort().catch(() => undefined);
    throw error;
  }
  await open.close();
};

const inWindow = async (path: string, file: OwnFile, from: number): Promise<Appender> => {
  const there = (await file.getFile()).size;
  let size = Math.min(from, there);
  let [written, waiting] = [size, ""];
  let failed: Failure | undefined;
  let running: Promise<void> | undefined;
  if (size < there) await changed(file, (open) => open.truncate(size));
  const follow = async (): Promise<void> => {
    while (waiting !== "") {
      const bytes = new TextEncoder().encode(waiting);
      waiting = "";
      await changed(file, async (open) => {
        await open.seek(written);
        await open.write(bytes);
      });
      written += bytes.length;
    }
  };
  return {
    write: (text) => {
      if (failed !== undefined) return E.left(failed);
      waiting += text;
      size += new TextEncoder().encode(text).length;
      running ??= follow()
        .catch((error) => void (failed = unwritten(path)(error)))
        .finally(() => (running = undefined));
      return E.right(undefined);
    },
    size: () => size,
    close: async () => await running,
  };
};

/** Opens a file of the page's own storage that grows, as it is up to byte `from`. */
export const appendTo = async (path: string, file: OwnFile, from: number): Promise<Appender> =>
  file.createSyncAccessHandle === undefined ? inWindow(path, file, from) : inWorker(path, await file.createSyncAccessHandle(), from);
