/** Sweeps in files, and in the folders that they run in. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as T from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { readJson } from "../formats/files.ts";
import { dirname, join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { LocateOptions } from "../runs/locate.ts";
import { trains } from "../runs/methodOf.ts";
import { findAll } from "../runs/placed.ts";
import { sweepFile } from "../runs/runsIn.ts";
import { jobsOf, positions } from "./jobs.ts";
import { decodeSweep, type Sweep } from "./sweep.ts";

/** Whether a folder is that of a sweep. */
export const isSweep = (folder: string, files: Files = platform.files): T.Task<boolean> => files.exists(join(folder, sweepFile));

/** Makes the paths of a sweep absolute: they are of the folder that its file is in. What is not there may be a name of the hub, and is left. */
const fromFolder = (sweep: Sweep, folder: string, files: Files): TE.TaskEither<Failure, Sweep> => {
  const at = (path: string): string => (path.startsWith("/") ? path : join(folder, path));
  const there = async (path: string): Promise<string> => (/^\.{0,2}\//.test(path) || (await files.exists(at(path))()) ? at(path) : path);
  const { base } = sweep;
  const { source, probes, reference } = base;
  const sourceThere = async (): Promise<typeof source> => {
    if ("folders" in source) return { ...source, folders: await Promise.all(source.folders.map(there)) };
    const { root, datasets } = source;
    const named = async ([name, path]: readonly [string, string]) => [name, await there(path)] as const;
    return {
      ...source,
      ...(root === undefined ? {} : { root: at(root) }),
      ...(datasets === undefined ? {} : { datasets: Object.fromEntries(await Promise.all(Object.entries(datasets).map(named))) }),
    };
  };
  return TE.fromTask(async () => ({
    ...sweep,
    base: {
      ...base,
      model: await there(base.model),
      source: await sourceThere(),
      ...(probes === undefined ? {} : { probes: await Promise.all(probes.map(there)) }),
      ...(reference === undefined ? {} : { reference: await there(reference) }),
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

/** A sweep whose model and datasets have been found, under names that mean the same to whoever runs its jobs. Orders are those of positions then. */
export const locatedSweep = (sweep: Sweep, options: LocateOptions): TE.TaskEither<Failure, Sweep> => {
  const { base, orders } = sweep;
  return pipe(
    TE.fromEither(jobsOf(sweep)),
    // One that trains needs all that the others need.
    TE.chain((jobs) => findAll({ ...(jobs.find(({ job }) => trains(job)) ?? jobs[0]).job, source: base.source }, options)),
    TE.bindTo("found"),
    TE.bind("positions", () => (orders === undefined ? TE.right(undefined) : TE.fromEither(positions(sweep)))),
    TE.map(({ found, positions }) => {
      const { model, source, probes, reference } = found.job;
      return {
        ...sweep,
        base: { ...base, model, source, ...(probes === undefined ? {} : { probes }), ...(reference === undefined ? {} : { reference }) },
        ...(positions === undefined ? {} : { orders: positions }),
      };
    }),
  );
};
