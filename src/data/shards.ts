/** The shards of a split in the WebDataset layout, whatever their samples are made into. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { corrupt, exists, listNames, readText, unreadable } from "../formats/files.ts";
import { basename, join } from "../formats/path.ts";
import { indexTar, type TarIndex } from "../formats/tar.ts";
import type { Files } from "../platform/files.ts";
import { isLfsPointer, lfsAdvice } from "../platform/pictures.ts";
import { leftOut, type PassedOver } from "./leftOut.ts";
import { samplesOf, splitName, type Sample, type SampleKind } from "./shardSamples.ts";
import { filesOf, firstOf, skipOr, type Listing, type SourceOptions } from "./source.ts";

/** How the samples of shards become examples. */
export interface SampleReader<A> {
  readonly kind: SampleKind;
  /** The examples of a sample in the shard at `path`, or what is wrong with it, in words. */
  readonly read: (sample: Sample, path: string) => E.Either<string, readonly A[]>;
  /** What stands in the split for what cannot be read. */
  readonly damaged: (id: string, failure: Failure) => A;
  /** What a sample is, in words. */
  readonly wanted: string;
}

/** What a shard holds, or all shards of a split: examples, and what is to be counted. */
interface Shard<A> {
  readonly examples: readonly A[];
  readonly passedOver: readonly PassedOver[];
  /** Keys that had a sample before. */
  readonly again: readonly PassedOver[];
}

/** Whether damage behind a sample may have cut it: it lacks a half, or, where nothing tells how many pictures it has, it is the last. */
const maybeCut = ({ images, label }: Sample, last: boolean, kind: SampleKind): boolean => (kind === "json" ? last : images.length === 0 || label === undefined);

/** The examples of a listed shard; what is damaged stands in it or fails it, as the options say. */
const examplesOf = <A>(index: TarIndex, reader: SampleReader<A>, { onCorrupt = "fail" }: SourceOptions): E.Either<Failure, Shard<A>> => {
  const { path, members, links = [], damage } = index;
  const { samples, passedOver } = samplesOf(members, reader.kind);
  const examples: A[] = [];
  const within = (name: string): string => `${basename(path)}:${name}`;
  const answer = skipOr(reader.damaged);
  for (const [i, sample] of samples.entries()) {
    // The sample that the damage cut in two is the damage's.
    if (damage !== undefined && maybeCut(sample, i === samples.length - 1, reader.kind)) continue;
    const read = reader.read(sample, path);
    if (E.isRight(read)) {
      examples.push(...read.right);
    } else {
      const member = (sample.label ?? sample.images[0])?.name ?? sample.key;
      const answered = answer(onCorrupt, `${path}:${member}`, { _tag: "CorruptSample", path, member, detail: read.left });
      if (E.isLeft(answered)) return answered;
      examples.push(answered.right);
    }
  }
  const whole: Shard<A> = {
    examples,
    passedOver: [...passedOver, ...links.map((name): PassedOver => ["link in an archive", "links in archives", name])].map(
      ([one, many, name]): PassedOver => [one, many, within(name)],
    ),
    again: samples.filter(({ again }) => again).map(({ key }): PassedOver => ["key comes again", "keys come again", within(key)]),
  };
  if (damage === undefined) return E.right(whole);
  return pipe(
    answer(onCorrupt, path, damage),
    E.map((rest) => ({ ...whole, examples: [...examples, rest] })),
  );
};

/** A Git LFS pointer in the place of a shard is called one; everything else that is wrong with it is damage. */
const namedPointer = (index: TarIndex, files: Files): TE.TaskEither<Failure, TarIndex> =>
  index.damage === undefined || index.members.length > 0
    ? TE.right(index)
    : pipe(
        firstOf(index.path, files),
        TE.map((start) => (isLfsPointer(start) ? { ...index, damage: unreadable(index.path)(lfsAdvice) } : index)),
      );

const readShard = <A>(path: string, reader: SampleReader<A>, options: SourceOptions): TE.TaskEither<Failure, Shard<A>> =>
  pipe(
    indexTar(path, (name) => splitName(name)?.[1] === reader.kind, filesOf(options)),
    TE.chain((index) => namedPointer(index, filesOf(options))),
    TE.chainEitherK((index) => examplesOf(index, reader, options)),
  );

/** The shards of a split, and what else stands there that may be one. */
interface Shards {
  readonly paths: readonly string[];
  readonly passedOver: readonly PassedOver[];
}

/** The number of shards that `nshards.txt` states; undefined where it is missing. */
const stated = (dir: string, files: Files): TE.TaskEither<Failure, number | undefined> => {
  const counter = join(dir, "nshards.txt");
  return pipe(
    TE.fromTask<boolean, Failure>(() => exists(counter, files)),
    TE.chain((counted) =>
      counted
        ? pipe(
            readText(counter, files),
            TE.map((text) => text.trim()),
            TE.filterOrElse(
              (text) => /^\d{1,6}$/.test(text),
              (text) => corrupt(counter, `${JSON.stringify(text)} is not a number of shards`),
            ),
            TE.map((text): number | undefined => Number(text)),
          )
        : TE.right(undefined),
    ),
  );
};

/** Each missing shard is told by itself, up to so many. */
const mostMissing = 10_000;

/** The shards of a split: as many as `nshards.txt` says from `0.tar` on, or where that is missing all `*.tar`, by number. */
const shardsOf = (dir: string, files: Files): TE.TaskEither<Failure, Shards> =>
  pipe(
    TE.Do,
    TE.bind("count", () => stated(dir, files)),
    TE.bind("names", () => listNames(dir, files)),
    TE.filterOrElse(
      ({ count = 0, names }) => count <= names.length + mostMissing,
      ({ count, names }) => corrupt(join(dir, "nshards.txt"), `it states ${count} shards, and ${names.length} files are there`),
    ),
    TE.chain(({ count, names }) => {
      const sorted = [...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
      const found = sorted.filter((name) => name.endsWith(".tar"));
      const taken = count === undefined ? found : Array.from({ length: count }, (_, i) => `${i}.tar`);
      const counted = new Set(taken);
      const uncounted = found.filter((name) => !counted.has(name));
      const packed = sorted.filter((name) => /\.(tar\.\w+|tgz)$/.test(name));
      const shown = (name: string): string => join(basename(dir), name);
      const passedOver = [
        ...uncounted.map((name): PassedOver => ["shard beyond those of nshards.txt", "shards beyond those of nshards.txt", shown(name)]),
        ...packed.map((name): PassedOver => ["compressed shard", "compressed shards", shown(name)]),
      ];
      const words = leftOut(passedOver).words();
      if (taken.length > 0) return TE.right({ paths: taken.map((name) => join(dir, name)), passedOver });
      return TE.left(unreadable(dir)(`it holds no shard (0.tar, 1.tar, ...)${words === undefined ? "" : `, but ${words}`}`));
    }),
  );

/** One failing example in the place of a shard that cannot be read, or the failure itself. */
const unreadShard = <A>(path: string, failure: Failure, { damaged }: SampleReader<A>, { onCorrupt = "fail" }: SourceOptions): E.Either<Failure, Shard<A>> =>
  pipe(
    skipOr(damaged)(onCorrupt, path, failure),
    E.map((example) => ({ examples: [example], passedOver: [], again: [] })),
  );

/** The examples of a split in the folder `dir`, and what was left out of it and, as the caller says, beside it. */
export const readShards = <A>(
  dir: string,
  beside: readonly PassedOver[],
  reader: SampleReader<A>,
  options: SourceOptions,
): TE.TaskEither<Failure, Listing<A>> =>
  pipe(
    shardsOf(dir, filesOf(options)),
    TE.bindTo("found"),
    TE.bind("shards", ({ found: { paths } }) =>
      pipe(
        paths,
        TE.traverseSeqArray((path) =>
          pipe(
            readShard(path, reader, options),
            TE.orElse((failure) => TE.fromEither(unreadShard(path, failure, reader, options))),
          ),
        ),
      ),
    ),
    TE.chainEitherK(({ found, shards }): E.Either<Failure, Listing<A>> => {
      const examples = shards.flatMap((shard) => shard.examples);
      const words = leftOut([...beside, ...found.passedOver, ...shards.flatMap((shard) => shard.passedOver)]).words();
      if (examples.length === 0 && words !== undefined) return E.left(unreadable(dir)(`it holds no sample ${reader.wanted}, but ${words}`));
      const again = leftOut(shards.flatMap((shard) => shard.again)).words();
      return E.right({
        examples,
        notes: [...(words === undefined ? [] : [`left out ${words}`]), ...(again === undefined ? [] : [`${again}; each time is a sample of its own`])],
      });
    }),
  );
