/** Failures of files, made from whatever a platform throws: each names its path and says in one line what is wrong. */
import type { Failure } from "../failure.ts";

/** The first line of a thrown value's message. The errors of Dawn have a message and are no `Error`. */
export const firstLine = (error: unknown): string =>
  String((error as { readonly message?: string } | undefined)?.message ?? error)
    .trim()
    .split("\n")[0];

/** The code of a system error, such as `EACCES`; undefined where something else was thrown. */
export const codeOf = (error: unknown): string | undefined => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" && /^E[A-Z]/.test(code) ? code : undefined;
};

/** What the systems' own words leave people to guess. */
const inWords: Readonly<Record<string, string>> = { ENOTDIR: "a part of this path is a file and no folder", EISDIR: "it is a folder" };

/** The message of a thrown value in one line, without its stack; system errors lose the path that every `Failure` carries anyway. */
export const message = (error: unknown): string =>
  inWords[codeOf(error) ?? ""] ??
  (error instanceof Error ? error.message : String(error))
    .trim()
    .split("\n")[0]
    .replace(/, \w+ '.*$/, "")
    .replace(/^ENOENT: /, "")
    .replace(/^\w*Error: /, "");

/** A `FileUnreadable` for `path`, from whatever was thrown. */
export const unreadable =
  (path: string) =>
  (error: unknown): Failure => ({ _tag: "FileUnreadable", path, detail: message(error) });

/** A `FileUnwritable` for `path`, from whatever was thrown. */
export const unwritable =
  (path: string) =>
  (error: unknown): Failure => ({ _tag: "FileUnwritable", path, detail: message(error) });

/** A `FileCorrupt` for `path`; `offset` is the byte at which it is damaged. */
export const corrupt = (path: string, detail: string, offset?: number): Failure => ({ _tag: "FileCorrupt", path, detail, offset });

/** A failure of a folder that is not whole yet, by the name that the folder is to have. */
export const renamed =
  (temporary: string, folder: string) =>
  (failure: Failure): Failure =>
    "path" in failure && failure.path.startsWith(temporary) ? { ...failure, path: `${folder}${failure.path.slice(temporary.length)}` } : failure;
