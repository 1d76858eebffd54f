/** A cache of small texts: files in one folder, each replaced as one. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Cache } from "../platform.ts";
import { withFile } from "./files.ts";

/** A cache in a folder, which is made when something is first written. */
export const cacheIn = (folder: () => string): Cache => ({
  read: (name) => () =>
    withFile(join(folder(), name), (handle) => handle.readFile("utf8")).then(
      (text) => text,
      () => undefined,
    ),
  write: (name, text) => async () => {
    const path = join(folder(), name);
    const temporary = `${path}.${process.pid}.${Date.now()}`;
    try {
      await mkdir(folder(), { recursive: true });
      await writeFile(temporary, text);
      await rename(temporary, path);
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  },
});
