/** Files that grow while they are read: the log of a run. */
import { Buffer } from "node:buffer";
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { unwritable } from "../failures.ts";
import type { Files } from "../files.ts";
import { checkWritable } from "./regular.ts";

/** Opens a file of the disk that grows. */
export const append: Files["append"] = (path, from = 0) =>
  TE.tryCatch(async () => {
    checkWritable(path);
    const file = openSync(path, "a+");
    // Somebody may have shortened it meanwhile; what is missing stays missing.
    let size = Math.min(from, fstatSync(file).size);
    ftruncateSync(file, size);
    return {
      write: (text) =>
        E.tryCatch(() => {
          for (let bytes = Buffer.from(text); bytes.length > 0; ) {
            const written = writeSync(file, bytes);
            size += written;
            bytes = bytes.subarray(written);
          }
        }, unwritable(path)),
      size: () => size,
      close: async () => closeSync(file),
    };
  }, unwritable(path));
