/** A cache of small texts: files in one folder, each replaced as one. */
import { rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Cache } from "../platform.ts";
import { withFile } from "./regular.ts";
import { makeFolder } from "./folders.ts";

/** A cache in a folder, which is made when something is first written. */
export const cacheIn = (folder: () => string): Cache => ({
  read: (name) => () =>
    withFile(join(folder(), name), (handle) => handle.readFile("utf8")).then(
      (text) => text,
      () => undefined,
    ),
  write: (name, text) => async () => {
    const path = join(folder(), name);
    const temporary = `${path}.${randomUUID()}`;
    try {
      await makeFolder(folder());
      await writeFile(temporary, text);
      await rename(temporary, path);
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  },
});
