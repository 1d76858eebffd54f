/** The folder of a sweep: where one may begin, and which one is gone on with. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { listNames, readText } from "../formats/files.ts";
import { parseJson } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { sweepFile } from "../runs/runsIn.ts";
import { misplaced } from "../runs/misplaced.ts";
import { decodeSweep } from "./sweep.ts";

/** Whether a text is what a sweep writes into its folder, and not what a person has written: indented by us, with a path from the root on. */
const isOurs = (text: string): boolean => {
  const json = parseJson(text);
  // A file that was cut is replaced: no sweep can be read from it.
  if (E.isLeft(json)) return true;
  const sweep = decodeSweep(json.right);
  return E.isRight(sweep) && sweep.right.out.startsWith("/") && `${JSON.stringify(json.right, null, 2)}\n` === text;
};

/** Refuses a folder that holds something else than a sweep, or a sweep file that somebody has written by hand. */
export const checkOut = (folder: string, files: Files): TE.TaskEither<Failure, void> => {
  const path = join(folder, sweepFile);
  const empty = (names: readonly string[]): boolean => names.every((name) => name === ".lock" || files.unfinished(name));
  const refused = (detail: string): Failure => misplaced("out", detail);
  if (folder === "/") return TE.left(refused("is the root of all files; name a folder"));
  return pipe(
    TE.fromTask<boolean, Failure>(files.exists(path)),
    TE.chain((sweep): TE.TaskEither<Failure, unknown> => {
      if (sweep)
        return pipe(
          readText(path, files),
          TE.filterOrElse(isOurs, () => refused(`${folder} has a ${sweepFile} of your own, which the one of the sweep would replace; name another folder`)),
        );
      return pipe(
        TE.fromTask<boolean, Failure>(files.exists(folder)),
        TE.chain((there) => (there ? listNames(folder, files) : TE.right([]))),
        TE.filterOrElse(empty, () => refused(`${folder} is there already, and is neither an empty folder nor that of a sweep; name another`)),
      );
    }),
    TE.map(() => undefined),
  );
};
