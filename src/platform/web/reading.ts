/** Reading from whatever finds a file or a folder by its path: the page's own storage, what was picked, or URLs. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { unreadable } from "../failures.ts";
import type { Entry, Files, OpenFile } from "../files.ts";
import type { PickedFile } from "../mount.ts";
import { inWords } from "./words.ts";

/** What stands at a path. */
export type Found =
  | { readonly kind: "file"; readonly file: Pick<PickedFile, "size" | "slice"> }
  | { readonly kind: "folder"; readonly list: () => Promise<readonly Entry[]> };

/** Finds what stands at a path; throws where nothing does. */
export type Finder = (path: string) => Promise<Found>;

/** Files that can be read, and not written. */
export type Readable = Pick<Files, "exists" | "list" | "read" | "open">;

const bytesOf = async (file: Pick<PickedFile, "size" | "slice">, from: number, to: number): Promise<Uint8Array> =>
  new Uint8Array(await file.slice(from, Math.min(to, file.size)).arrayBuffer());

const refused =
  (path: string) =>
  (error: unknown): Failure =>
    unreadable(path)(inWords(error));

/** Reads what a finder finds. */
export const reading = (find: Finder): Readable => {
  const attempt = <A>(path: string, use: (found: Found) => Promise<A>): TE.TaskEither<Failure, A> =>
    TE.tryCatch(async () => use(await find(path)), refused(path));
  const withFile = <A>(path: string, use: (file: Pick<PickedFile, "size" | "slice">) => Promise<A>): TE.TaskEither<Failure, A> =>
    attempt(path, async (found) => {
      if (found.kind === "folder") throw new Error("it is a folder");
      return await use(found.file);
    });
  return {
    exists: (path) => () =>
      find(path).then(
        () => true,
        () => false,
      ),
    list: (path) =>
      attempt(path, async (found) => {
        if (found.kind === "file") throw new Error("it is a file and no folder");
        return await found.list();
      }),
    read: (path) => withFile(path, (file) => bytesOf(file, 0, file.size)),
    open: (path, use) =>
      pipe(
        withFile(path, (file) => {
          const readInto = async (into: Uint8Array, position: number): Promise<number> => {
            if (position >= file.size || into.length === 0) return 0;
            const bytes = await bytesOf(file, position, position + into.length);
            into.set(bytes);
            return bytes.length;
          };
          const read: OpenFile["read"] = (into, position) => TE.tryCatch(() => readInto(into, position), refused(path));
          return use({ path, size: file.size, read })();
        }),
        TE.chainEitherK((used) => used),
      ),
  };
};
