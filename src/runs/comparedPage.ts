/** The page of runs side by side. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Pictures } from "../page/gallery.ts";
import { htmlReport } from "../page/html.ts";
import type { RunReport } from "../report/runReport.ts";
import { groupBy } from "../report/summary.ts";
import { streamBehind } from "./beginning.ts";
import { readJob } from "./runOf.ts";
import type { Compared } from "./compare.ts";
import { galleryPictures } from "./pictures.ts";
import { readReport } from "./readRun.ts";

/** A run in its folder, with all that a page shows of it. */
interface Told {
  readonly folder: string;
  readonly report: RunReport;
}

/** The pictures of runs that learned one stream, from the data of the first of them whose data is there. */
const picturesOfStream = async (told: readonly Told[], files: Files): Promise<Pictures> => {
  for (const { folder } of told) {
    const stream = await pipe(
      readJob(folder, files),
      TE.chain((job) => streamBehind(job, { files, cached: true })),
    )();
    if (E.isLeft(stream)) continue;
    return galleryPictures(
      stream.right,
      told.map(({ report }) => report),
    )();
  }
  return new Map();
};

/** The pictures of all runs, one stream after the other. */
const picturesOf = async (told: readonly Told[], files: Files): Promise<Pictures> => {
  const pictures = new Map<string, string>();
  for (const some of groupBy<Told>(({ report: { result } }) => JSON.stringify(result.datasets))(told))
    for (const [key, uri] of await picturesOfStream(some, files)) pictures.set(key, uri);
  return pictures;
};

/**
 * The page of runs side by side, as one HTML document: their comparison, curves, losses and matrices, and the pictures that were lost, where the data of their
 * streams is still there. Fails with `FileCorrupt` where the answers of a run are damaged.
 */
export const comparedPage = ({ runs, notes }: Compared, { files = platform.files }: { readonly files?: Files } = {}): TE.TaskEither<Failure, string> =>
  pipe(
    runs,
    TE.traverseSeqArray((run) =>
      pipe(
        readReport(run, files),
        TE.map((report): Told => ({ folder: run.folder, report })),
      ),
    ),
    TE.bindTo("told"),
    TE.bind("pictures", ({ told }) => TE.fromTask<Pictures, Failure>(() => picturesOf(told, files))),
    TE.map(({ told, pictures }) =>
      htmlReport(
        told.map(({ report }) => report),
        {
          title: "Runs side by side",
          ...(notes.length === 0 ? {} : { lead: notes.join(" ") }),
          facts: { Runs: told.map(({ folder }) => folder).join(", ") },
          pictures,
        },
      ),
    ),
  );
