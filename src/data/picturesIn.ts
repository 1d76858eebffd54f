/** The pictures that a path stands for. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { unreadable } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { byCodeUnit, isNamedPicture } from "./classFolders.ts";

/** The pictures of a folder and of the folders in it; a folder that links lead to again, or that is hidden, is passed over. */
const inFolder = async (dir: string, files: Files, met: Set<string>): Promise<readonly string[]> => {
  const real = await files.real(dir)();
  const listed = await files.list(dir)();
  if (met.has(real) || E.isLeft(listed)) return [];
  met.add(real);
  const found: string[] = [];
  for (const entry of [...listed.right].sort((a, b) => byCodeUnit(a.name, b.name))) {
    const path = join(dir, entry.name);
    if (isNamedPicture(entry)) found.push(path);
    else if (entry.kind === "folder" && !entry.name.startsWith(".")) found.push(...(await inFolder(path, files, met)));
  }
  return found;
};

/**
 * The pictures that a path stands for: itself, or, where it is a folder, all files in it and in the folders in it whose names are those of pictures, sorted.
 * Fails with `FileUnreadable` where nothing is there, or a folder holds none.
 *
 * ```ts
 * const found = await data.picturesIn(`${folder}/nothing.jpg`)();
 * assert.ok(found._tag === "Left" && found.left._tag === "FileUnreadable"); // There is no such file.
 * ```
 */
export const picturesIn = (path: string, files: Files = platform.files): TE.TaskEither<Failure, readonly string[]> =>
  pipe(
    TE.fromTask<boolean, Failure>(async () => E.isRight(await files.list(path)())),
    TE.chain((folder) =>
      folder
        ? pipe(
            TE.fromTask<readonly string[], Failure>(() => inFolder(path, files, new Set())),
            TE.filterOrElse(
              (found) => found.length > 0,
              () => unreadable(path)("no file in it has the name of a picture"),
            ),
          )
        : pipe(
            TE.fromTask<boolean, Failure>(files.exists(path)),
            TE.chain((there) => (there ? TE.right([path]) : TE.left(unreadable(path)("no such file or directory")))),
          ),
    ),
  );
