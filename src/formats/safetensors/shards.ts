/** The index of a model whose weights lie in several files. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../../failure.ts";
import type { Files } from "../../platform/files.ts";
import { readJsonAs } from "../files.ts";
import { dictionary } from "../json.ts";
import { dirname, join } from "../path.ts";

const Index = t.type({ weight_map: dictionary(t.string) });

/** The paths of the shards by the names of their tensors. Fails with `BadConfig` where one is no file of the index's folder. */
export const readShardIndex = (path: string, files: Files): TE.TaskEither<Failure, ReadonlyMap<string, string>> =>
  pipe(
    readJsonAs(Index, path, files),
    TE.chainEitherK(({ weight_map: map }): E.Either<Failure, ReadonlyMap<string, string>> => {
      const outside = Object.values(map).find((file) => file !== file.replace(/^.*[\\/]/s, "") || file === "..");
      if (outside === undefined) return E.right(new Map(Object.entries(map).map(([name, file]) => [name, join(dirname(path), file)])));
      return E.left({ _tag: "BadConfig", path, detail: `"weight_map" names ${JSON.stringify(outside)}, which is not a file of its folder` });
    }),
  );
