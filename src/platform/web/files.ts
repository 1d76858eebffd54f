/** Files of a browser: none yet. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { unreadable, unwritable } from "../failures.ts";
import type { Files } from "../files.ts";
import type { Platform } from "../platform.ts";

const none = "this browser keeps no files";
const unread = (path: string) => TE.left(unreadable(path)(none));
const unwritten = (path: string) => TE.left(unwritable(path)(none));

/** Files that are not there. */
export const files: Files = {
  exists: () => async () => false,
  list: unread,
  read: unread,
  open: unread,
  write: unwritten,
  writeFolder: unwritten,
  append: unwritten,
  rename: unwritten,
  remove: unwritten,
  lock: unwritten,
  unfinished: () => false,
  absolute: (path) => path,
  real: (path) => async () => path,
};

/** Mounts nothing. */
export const mount: NonNullable<Platform["mount"]> = unread;
