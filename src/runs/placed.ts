/** Jobs with folders in the place of names. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { isAnswerProtocol, protocols, type Protocol, type ProtocolDataset } from "../data/protocols.ts";
import type { Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import { titlesOf, type Titles } from "./folders.ts";
import type { Job } from "./job.ts";
import { locate, type Located, type LocateOptions } from "./locate.ts";
import { trains } from "./methodOf.ts";
import { readJob, runOf } from "./runOf.ts";

/** A job to read from: its model and its datasets, those that are not learned among them, are folders. */
export interface Placed extends Job {
  /** What the datasets in these folders are called. */
  readonly titles: Titles;
}

/** A job as it is written down, and as it is read from. */
export interface Found {
  readonly job: Job;
  readonly placed: Placed;
}

type Datasets = Readonly<Record<string, string>>;

const locateAll = (names: readonly string[], options: LocateOptions): TE.TaskEither<Failure, readonly Located[]> =>
  TE.traverseSeqArray((name: string) => locate("dataset", name, options))(names);

/** A dataset of a protocol that has no root: one that is named, or as it is published. Where its splits are drawn anew, all its pictures are needed. */
const locateOf = (
  protocol: Protocol,
  dataset: Pick<ProtocolDataset, "name" | "published" | "drawn">,
  named: Datasets,
  options: LocateOptions,
): TE.TaskEither<Failure, readonly [string, Located]> => {
  const { name, published, drawn } = dataset;
  const called = named[name] ?? published;
  if (called === undefined) {
    const why = isAnswerProtocol(protocol) ? "is not downloaded" : "is not published";
    const detail = `is missing: ${name} of ${protocol.name} ${why}, so say where its folder is`;
    return TE.left({ _tag: "BadOption", option: "--data-root", detail });
  }
  return pipe(
    locate("dataset", called, { ...options, training: options.training !== false || drawn !== undefined }),
    TE.map((located) => [name, located] as const),
  );
};

/** Datasets as they are written down, and as they are read from. */
export interface FoundSource {
  readonly named: Job["source"];
  readonly placed: Job["source"];
  readonly located: readonly Located[];
}

/** Finds the datasets of a source. Fails as {@link locate} does. */
export const findSource = (source: Job["source"], options: LocateOptions): TE.TaskEither<Failure, FoundSource> => {
  if ("folders" in source)
    return pipe(
      locateAll(source.folders, options),
      TE.map((located) => ({
        named: { ...source, folders: located.map(({ name }) => name) },
        placed: { ...source, folders: located.map(({ folder }) => folder) },
        located,
      })),
    );
  if (source.root !== undefined) {
    const { files = platform.files, at = files.absolute } = options;
    const placed = { ...source, root: at(source.root) };
    return TE.right({ named: placed, placed, located: [] });
  }
  const protocol: Protocol = protocols[source.protocol];
  const datasets: readonly Pick<ProtocolDataset, "name" | "published" | "drawn">[] = protocol.datasets;
  return pipe(
    datasets,
    TE.traverseSeqArray((dataset) => locateOf(protocol, dataset, source.datasets ?? {}, options)),
    TE.map((located) => {
      const by = (of: (one: Located) => string): Job["source"] => ({ ...source, datasets: Object.fromEntries(located.map(([name, one]) => [name, of(one)])) });
      return { named: by(({ name }) => name), placed: by(({ folder }) => folder), located: located.map(([, one]) => one) };
    }),
  );
};

/** Finds the datasets of a job, its probes and its reference among them; its model stays as it is named. */
export const findData = (job: Job, options: LocateOptions): TE.TaskEither<Failure, Found> =>
  pipe(
    TE.Do,
    TE.bind("source", () => findSource(job.source, { ...options, training: trains(job) })),
    TE.bind("probes", () => locateAll(job.probes ?? [], { ...options, training: false })),
    TE.bind("references", () => locateAll(job.reference === undefined ? [] : [job.reference], options)),
    TE.map(({ source, probes, references }): Found => {
      const given = (of: (one: Located) => string) => ({
        ...(job.probes === undefined ? {} : { probes: probes.map(of) }),
        ...(job.reference === undefined ? {} : { reference: of(references[0]) }),
      });
      const titles = titlesOf([...source.located, ...probes, ...references]);
      return {
        job: { ...job, source: source.named, ...given(({ name }) => name) },
        placed: { ...job, source: source.placed, ...given(({ folder }) => folder), titles },
      };
    }),
  );

/** A job that goes on behind the run in a folder asks questions as that run does, unless it says how itself. */
const askedAsBefore = (job: Job, folder: string, { files = platform.files }: LocateOptions): TE.TaskEither<Failure, Job> =>
  pipe(
    TE.fromTask<string | undefined, Failure>(() => runOf(folder, files)),
    TE.chain((run) => (run === undefined || job.fresh === true ? TE.right(undefined) : readJob(run, files))),
    TE.map((before) => {
      const { chat = before?.chat, context = before?.context } = job;
      return { ...job, ...(chat === undefined ? {} : { chat }), ...(context === undefined ? {} : { context }) };
    }),
  );

/**
 * Finds all that a job names; what the cache lacks is downloaded. Behind a run questions are asked as that run does, unless the job says how. Fails as
 * {@link locate} does.
 */
export const findAll = (job: Job, options: LocateOptions): TE.TaskEither<Failure, Found> =>
  pipe(
    locate("model", job.model, options),
    TE.chain(({ name, folder }) =>
      pipe(
        askedAsBefore(job, folder, options),
        TE.chain((asked) => findData(asked, options)),
        TE.map(({ job: named, placed }): Found => ({ job: { ...named, model: name }, placed: { ...placed, model: folder } })),
      ),
    ),
  );
