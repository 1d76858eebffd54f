/** A cache of small texts in a folder of some files. */
import * as E from "fp-ts/lib/Either.js";
import type { Files } from "../files.ts";
import type { Cache } from "../platform.ts";

/** A cache in a folder, which is made when something is first written. */
export const cacheIn = (files: Pick<Files, "read" | "write">, folder: string): Cache => ({
  read: (name) => async () => {
    const bytes = await files.read(`${folder}/${name}`)();
    return E.isRight(bytes) ? new TextDecoder().decode(bytes.right) : undefined;
  },
  write: (name, text) => async () => {
    await files.write(`${folder}/${name}`, [new TextEncoder().encode(text)])();
  },
});
