/**
 * The WebDataset layout of CLIP benchmark: `classnames.txt`, `zeroshot_classification_templates.txt`, `{train,test}/{nshards.txt,N.tar}`,
 * and in a shard for every sample `KEY.jpg` (or another format of pictures) and `KEY.cls` with the number of its class. `val` stands in for a missing `test`.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { corrupt, exists, listNames, readText, unreadable } from "../formats/files.ts";
import { basename, join } from "../formats/path.ts";
import { indexTar } from "../formats/tar.ts";
import type { TarIndex, TarMember } from "../formats/tar.ts";
import type { Files } from "../platform/files.ts";
import { isLfsPointer, lfsAdvice } from "../platform/pictures.ts";
import type { Example } from "./example.ts";
import { leftOut, type PassedOver } from "./leftOut.ts";
import { samplesOf, splitName, type Sample } from "./shardSamples.ts";
import { filesOf, firstOf, ownDecoder, readClassNames, readTemplates, skipOrFail, splitFolders, splitsOf, type Listing, type SourceOptions } from "./source.ts";
import type { ClassTask } from "./task.ts";

/** The label that a `.cls` member holds; on the left what is wrong with it. */
const labelOf = ({ image, label }: Sample, classes: number): E.Either<string, number> => {
  if (image === undefined) return E.left("it has no image");
  if (label === undefined) return E.left("it has no .cls member");
  const text = new TextDecoder().decode(label.bytes).trim();
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  return number < classes ? E.right(number) : E.left(`its class is ${JSON.stringify(text)}, not a number below ${classes}`);
};

/** What a shard holds, or all shards of a split: examples, and what is to be counted. */
interface Shard {
  readonly examples: readonly Example[];
  readonly passedOver: readonly PassedOver[];
  /** Keys that had a sample before. */
  readonly again: readonly PassedOver[];
}

/** The examples of a listed shard; what is damaged stands in it or fails it, as the options say. */
const examplesOf = ({ path, members, links = [], damage }: TarIndex, classes: number, { onCorrupt = "fail" }: SourceOptions): E.Either<Failure, Shard> => {
  const { samples, passedOver } = samplesOf(members);
  const examples: Example[] = [];
  const within = (name: string): string => `${basename(path)}:${name}`;
  for (const sample of samples) {
    const { key, image, label, again } = sample;
    // The sample that the damage cut in two is the damage's.
    if (damage !== undefined && (image === undefined || label === undefined)) continue;
    const number = labelOf(sample, classes);
    if (E.isRight(number)) {
      const { name, offset, size } = image as TarMember;
      const id = `${path}:${name}${again ? `@${offset}` : ""}`;
      examples.push({ id, label: number.right, image: { kind: "member", archive: path, name, offset, size } });
    } else {
      const member = (label ?? image)?.name ?? key;
      const answered = skipOrFail(onCorrupt, `${path}:${member}`, { _tag: "CorruptSample", path, member, detail: number.left });
      if (E.isLeft(answered)) return answered;
      examples.push(answered.right);
    }
  }
  const whole: Shard = {
    examples,
    passedOver: [...passedOver, ...links.map((name): PassedOver => ["link in an archive", "links in archives", name])].map(
      ([one, many, name]): PassedOver => [one, many, within(name)],
    ),
    again: samples.filter(({ again }) => again).map(({ key }): PassedOver => ["key comes again", "keys come again", within(key)]),
  };
  if (damage === undefined) return E.right(whole);
  return pipe(
    skipOrFail(onCorrupt, path, damage),
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

const readShard = (path: string, classes: number, options: SourceOptions): TE.TaskEither<Failure, Shard> =>
  pipe(
    indexTar(path, (name) => splitName(name)?.[1] === "cls", filesOf(options)),
    TE.chain((index) => namedPointer(index, filesOf(options))),
    TE.chainEitherK((index) => examplesOf(index, classes, options)),
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
const unreadShard = (path: string, failure: Failure, { onCorrupt = "fail" }: SourceOptions): E.Either<Failure, Shard> =>
  pipe(
    skipOrFail(onCorrupt, path, failure),
    E.map((example) => ({ examples: [example], passedOver: [], again: [] })),
  );

/** The examples of a split, and what was left out of it and, as the caller says, beside it. */
const readSplit = (dir: string, beside: readonly PassedOver[], classes: number, options: SourceOptions): TE.TaskEither<Failure, Listing> =>
  pipe(
    shardsOf(dir, filesOf(options)),
    TE.bindTo("found"),
    TE.bind("shards", ({ found: { paths } }) =>
      pipe(
        paths,
        TE.traverseSeqArray((path) =>
          pipe(
            readShard(path, classes, options),
            TE.orElse((failure) => TE.fromEither(unreadShard(path, failure, options))),
          ),
        ),
      ),
    ),
    TE.chainEitherK(({ found, shards }): E.Either<Failure, Listing> => {
      const examples = shards.flatMap((shard) => shard.examples);
      const words = leftOut([...beside, ...found.passedOver, ...shards.flatMap((shard) => shard.passedOver)]).words();
      if (examples.length === 0 && words !== undefined) return E.left(unreadable(dir)(`it holds no sample KEY.jpg with KEY.cls, but ${words}`));
      const again = leftOut(shards.flatMap((shard) => shard.again)).words();
      return E.right({
        examples,
        notes: [...(words === undefined ? [] : [`left out ${words}`]), ...(again === undefined ? [] : [`${again}; each time is a sample of its own`])],
      });
    }),
  );

/**
 * A folder in the WebDataset layout as a task named after it. Class names and templates are read at once, the shards are indexed when a
 * split is first walked, an image is read when it is decoded. By default a damaged shard, a label that is no class or a sample without
 * its other half fails the split (`FileCorrupt`, `CorruptSample`); with `onCorrupt: "skip"` each stands in the split as an example that fails. What is left
 * out is in the task's notes.
 */
export const webDataset = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, ClassTask> =>
  pipe(
    TE.Do,
    TE.bind("names", () => readClassNames(dir, filesOf(options))),
    TE.bind("templates", () => readTemplates(dir, filesOf(options))),
    TE.bind("where", () => splitFolders(dir, filesOf(options))),
    TE.chainEitherK(
      ({ names, templates, where: { train, test, beside } }): E.Either<Failure, ClassTask> =>
        names === undefined
          ? E.left(unreadable(join(dir, "classnames.txt"))("no such file or directory"))
          : E.right({
              name: basename(filesOf(options).absolute(dir)),
              classNames: names,
              templates,
              ...splitsOf(readSplit(train, [], names.length, options), readSplit(test, beside, names.length, options)),
              ...ownDecoder(options),
            }),
    ),
  );
