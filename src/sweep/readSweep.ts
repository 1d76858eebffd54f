/** Sweeps in files, and in the folders that they run in. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { readJson } from "../formats/files.ts";
import { dirname, join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { locate } from "../runs/locate.ts";
import { positions } from "./jobs.ts";
import { decodeSweep, type Sweep } from "./sweep.ts";

/** The file of a sweep in its folder. */
export const sweepFile = "sweep.json";

/** Whether a folder is that of a sweep. */
export const isSweep = (folder: string, files: Files = platform.files) => files.exists(join(folder, sweepFile));

/** Makes the paths of a sweep absolute: they are of the folder that its file is in. What is not there may be a name of the hub, and is left. */
const fromFolder = (sweep: Sweep, folder: string, files: Files): TE.TaskEither<Failure, Sweep> => {
  const at = (path: string): string => (path.startsWith("/") ? path : join(folder, path));
  const there = async (path: string): Promise<string> => (/^\.{0,2}\//.test(path) || (await files.exists(at(path))()) ? at(path) : path);
  const { base } = sweep;
  const { source } = base;
  return TE.fromTask(async () => ({
    ...sweep,
    base: {
      ...base,
      model: await there(base.model),
      source: "folders" in source ? { ...source, folders: await Promise.all(source.folders.map(there)) } : { ...source, root: at(source.root) },
      ...(base.probes === undefined ? {} : { probes: await Promise.all(base.probes.map(there)) }),
    },
    out: at(sweep.out),
  }));
};

/**
 * Reads a sweep from a JSON file; its paths are of the folder that the file is in. Fails with `FileUnreadable` or `FileCorrupt`, and with `BadConfig`, which
 * names the place that is wrong.
 *
 * ```ts
 * const sweep = await readSweep(`${folder}/sweep.json`)();
 * assert.ok(sweep._tag === "Left" && sweep.left._tag === "FileUnreadable");
 * ```
 */
export const readSweep = (path: string, { files = platform.files }: { readonly files?: Files } = {}): TE.TaskEither<Failure, Sweep> =>
  pipe(
    readJson(path, files),
    TE.chainEitherK((json) =>
      pipe(
        decodeSweep(json),
        E.mapLeft((failure): Failure => (failure._tag === "BadOption" ? { _tag: "BadConfig", path, detail: `${failure.option} ${failure.detail}` } : failure)),
      ),
    ),
    TE.chain((sweep) => fromFolder(sweep, dirname(files.absolute(path)), files)),
  );

const named =
  (kind: "model" | "dataset", files: Files) =>
  (name: string): TE.TaskEither<Failure, string> =>
    pipe(
      locate(kind, name, { files }),
      TE.map((located) => located.name),
    );

/** A sweep whose model and datasets have been found, under names that mean the same to whoever runs its jobs. Orders are those of positions then. */
export const locatedSweep = (sweep: Sweep, files: Files): TE.TaskEither<Failure, Sweep> => {
  const { base, orders } = sweep;
  const { source, probes } = base;
  const datasets = TE.traverseSeqArray(named("dataset", files));
  return pipe(
    TE.Do,
    TE.bind("model", () => named("model", files)(base.model)),
    TE.bind(
      "source",
      (): TE.TaskEither<Failure, typeof source> =>
        "folders" in source
          ? pipe(
              datasets(source.folders),
              TE.map((folders) => ({ ...source, folders })),
            )
          : TE.right(source),
    ),
    TE.bind("probes", () => (probes === undefined ? TE.right(undefined) : datasets(probes))),
    TE.bind("orders", () => (orders === undefined ? TE.right(undefined) : TE.fromEither(positions(sweep)))),
    TE.map(({ model, source, probes, orders }) => ({
      ...sweep,
      base: { ...base, model, source, ...(probes === undefined ? {} : { probes }) },
      ...(orders === undefined ? {} : { orders }),
    })),
  );
};
