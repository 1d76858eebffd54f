/** Folders that one tab or worker holds, by the locks that a browser keeps for all of a page's tabs: what a dead one held is free. */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { unwritable } from "../failures.ts";
import type { Lock } from "../files.ts";

/** The locks of a browser: its `navigator.locks`. */
export interface Locks {
  request(name: string, options: { readonly ifAvailable: true }, use: (lock: unknown) => Promise<void> | undefined): Promise<unknown>;
}

/** Holds the lock of a folder; `key` is its absolute path. */
export const lockBy =
  (locks: () => Locks, folder: string, key: string): TaskEither<Failure, Lock> =>
  () =>
    new Promise((given) => {
      const hold = (lock: unknown): Promise<void> | undefined => {
        if (lock === null) {
          given(E.left({ _tag: "FileUnwritable", path: folder, detail: "another tab or worker of this page is writing to it", held: true }));
          return undefined;
        }
        return new Promise((letGo) => given(E.right({ release: async () => letGo() })));
      };
      try {
        locks()
          .request(`cambium:${key}`, { ifAvailable: true }, hold)
          .catch((error) => given(E.left(unwritable(folder)(error))));
      } catch (error) {
        given(E.left(unwritable(folder)(error)));
      }
    });
