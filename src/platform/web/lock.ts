/** Folders that one tab or worker holds, by the locks that a browser keeps for all of a page's tabs: what a dead one held is free. */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { unwritable } from "../failures.ts";
import type { Lock } from "../files.ts";

/** The locks of a browser: its `navigator.locks`. */
export interface Locks {
  /** Holds a lock while `use` is under way; `use` is given null where another has it and `ifAvailable` is set. */
  request<A>(name: string, options: { readonly ifAvailable?: boolean }, use: (lock: unknown) => Promise<A>): Promise<A>;
}

/** The lock that is held while something is written under a temporary name, or given another one. */
export const whileWritten = <A>(locks: Locks, temporary: string, use: () => Promise<A>): Promise<A> => locks.request(`cambium:${temporary}`, {}, use);

/** Does something with what nobody writes any more; nothing where somebody does. */
export const unlessWritten = (locks: Locks, temporary: string, use: () => Promise<void>): Promise<void> =>
  locks.request(`cambium:${temporary}`, { ifAvailable: true }, async (lock) => (lock === null ? undefined : await use()));

/** Holds the lock of a folder; `key` is its absolute path. */
export const lockBy =
  (locks: () => Locks, folder: string, key: string): TaskEither<Failure, Lock> =>
  () =>
    new Promise((given) => {
      const hold = async (lock: unknown): Promise<void> => {
        if (lock !== null) return new Promise((letGo) => given(E.right({ release: async () => letGo() })));
        given(E.left({ _tag: "FileUnwritable", path: folder, detail: "another tab or worker of this page is writing to it", held: true }));
      };
      try {
        locks()
          .request(`cambium:${key}`, { ifAvailable: true }, hold)
          .catch((error) => given(E.left(unwritable(folder)(error))));
      } catch (error) {
        given(E.left(unwritable(folder)(error)));
      }
    });
