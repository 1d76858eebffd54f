/** Only files are opened: who opens a pipe waits until somebody is at its other end, and a device may never end. */
import { statSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

interface Kind {
  readonly isDirectory: () => boolean;
  readonly isFile: () => boolean;
}

/** Throws, in words, where something is no file. */
const checkFile = (found: Kind): void => {
  if (found.isDirectory()) throw new Error("it is a folder");
  if (!found.isFile()) throw new Error("it is not a file but a pipe, a socket or a device");
};

/** Opens a file for reading, uses it and closes it. */
export const withFile = async <A>(path: string, use: (handle: FileHandle, size: number) => Promise<A>): Promise<A> => {
  const found = await stat(path);
  checkFile(found);
  const handle = await open(path, "r");
  try {
    return await use(handle, found.size);
  } finally {
    await handle.close();
  }
};

/** Throws where something is at `path` and is no file. */
export const checkWritable = (path: string): void => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) checkFile(found);
};
