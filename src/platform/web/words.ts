/** What the failures of a browser's file systems mean, in words. */
import type { Failure } from "../../failure.ts";
import { unwritable } from "../failures.ts";

/** The names of the exceptions that a browser throws for files, in words. */
const words: Readonly<Record<string, string>> = {
  NotFoundError: "no such file or directory",
  TypeMismatchError: "a part of this path is a file and no folder",
  NoModificationAllowedError: "another tab or worker of this page has it open; close it and try again",
  NotAllowedError: "the browser does not let this page read it any more; pick it again",
  NotReadableError: "it has changed since it was opened, or may not be read",
  QuotaExceededError: "the browser gives this page no more room; remove what you no longer need from its storage, or free space on the disk, and try again",
  SecurityError: "the browser keeps no files for this page; serve it from https or localhost, and not in a private window",
};

/** An error in words, where the browser's own say nothing to a person; without the name of its own function, where they do. */
export const inWords = (error: unknown): unknown => {
  const { name = "", message = "" } = (error ?? {}) as { readonly name?: string; readonly message?: string };
  const [, reason] = /^Failed to execute '.*?' on '.*?': (.+)$/.exec(message) ?? [];
  const said = words[name] ?? reason;
  return said === undefined ? error : new Error(said);
};

/** A `FileUnwritable` for `path`, in words, from whatever a browser threw. */
export const unwritten =
  (path: string) =>
  (error: unknown): Failure =>
    unwritable(path)(inWords(error));

/** Whether an error says that nothing has this name. */
export const isMissing = (error: unknown): boolean => (error as { readonly name?: string } | undefined)?.name === "NotFoundError";

/** Whether an error says that a file is where a folder was asked for, or a folder where a file was. */
export const isOtherKind = (error: unknown): boolean => (error as { readonly name?: string } | undefined)?.name === "TypeMismatchError";

/** What a browser throws where the storage of a page is full. */
export const full = (): DOMException => new DOMException("", "QuotaExceededError");
