/**
 * The WebDataset layout of CLIP benchmark: `classnames.txt`, `zeroshot_classification_templates.txt`, `{train,test}/{nshards.txt,N.tar}`,
 * and in a shard for every sample `KEY.jpg` (or png, webp) and `KEY.cls` with the number of its class.
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
import type { Example } from "./example.ts";
import { filesOf, listedOnce, ownDecoder, readClassNames, readTemplates, skipOrFail } from "./source.ts";
import type { SourceOptions } from "./source.ts";
import type { Split, Task } from "./task.ts";

const images: ReadonlySet<string> = new Set(["jpg", "jpeg", "png", "webp"]);

/** `a/KEY.seg.jpg` is the member `seg.jpg` of the sample `a/KEY`, as in the webdataset library; undefined for names without a key. */
const split = (name: string): readonly [key: string, extension: string] | undefined => {
  const found = /^((?:.*\/)?[^/.][^/.]*)\.([^/]+)$/s.exec(name);
  return found === null ? undefined : [found[1], found[2].toLowerCase()];
};

/** The two members of a sample. */
interface Parts {
  readonly image?: TarMember;
  readonly label?: TarMember;
}

/** Members by the key of their sample, in the order in which the keys come; what is neither image nor label is left out. */
const partsOf = (members: readonly TarMember[]): ReadonlyMap<string, Parts> => {
  const parts = new Map<string, Parts>();
  for (const member of members) {
    const [key, extension] = split(member.name) ?? [];
    if (key === undefined || extension === undefined || (extension !== "cls" && !images.has(extension))) continue;
    parts.set(key, { ...parts.get(key), ...(extension === "cls" ? { label: member } : { image: member }) });
  }
  return parts;
};

/** The label that a `.cls` member holds; on the left what is wrong with it. */
const labelOf = ({ image, label }: Parts, classes: number): E.Either<string, number> => {
  if (image === undefined) return E.left("it has no image");
  if (label === undefined) return E.left("it has no .cls member");
  const text = new TextDecoder().decode(label.bytes).trim();
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  return number < classes ? E.right(number) : E.left(`its class is ${JSON.stringify(text)}, not a number below ${classes}`);
};

/** The examples of a listed shard; what is damaged stands in it or fails it, as the options say. */
const examplesOf = ({ path, members, damage }: TarIndex, classes: number, { onCorrupt = "fail" }: SourceOptions): E.Either<Failure, readonly Example[]> => {
  const examples: Example[] = [];
  for (const [key, parts] of partsOf(members)) {
    const { image, label } = parts;
    // The sample that the damage cut in two is the damage's.
    if (damage !== undefined && (image === undefined || label === undefined)) continue;
    const number = labelOf(parts, classes);
    if (E.isRight(number)) {
      const { name, offset, size } = image as TarMember;
      examples.push({ id: `${path}:${name}`, label: number.right, image: { kind: "member", archive: path, name, offset, size } });
    } else {
      const member = (label ?? image)?.name ?? key;
      const answered = skipOrFail(onCorrupt, `${path}:${member}`, { _tag: "CorruptSample", path, member, detail: number.left });
      if (E.isLeft(answered)) return answered;
      examples.push(answered.right);
    }
  }
  if (damage === undefined) return E.right(examples);
  return pipe(
    skipOrFail(onCorrupt, path, damage),
    E.map((rest) => [...examples, rest]),
  );
};

const readShard = (path: string, classes: number, options: SourceOptions): TE.TaskEither<Failure, readonly Example[]> =>
  pipe(
    indexTar(path, (name) => split(name)?.[1] === "cls", filesOf(options)),
    TE.chainEitherK((index) => examplesOf(index, classes, options)),
  );

/** The shards of a split: `nshards.txt` of them from `0.tar` on, or where that is missing all `*.tar`, by number. */
const shards = (dir: string, files: Files): TE.TaskEither<Failure, readonly string[]> => {
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
            TE.map((text) => Array.from({ length: Number(text) }, (_, i) => `${i}.tar`)),
          )
        : pipe(
            listNames(dir, files),
            TE.map((names) => names.filter((name) => name.endsWith(".tar")).sort((a, b) => a.localeCompare(b, "en", { numeric: true }))),
          ),
    ),
    TE.filterOrElse(
      (names) => names.length > 0,
      () => unreadable(dir)("it holds no shard (0.tar, 1.tar, ...)"),
    ),
    TE.map((names) => names.map((name) => join(dir, name))),
  );
};

const readSplit = (dir: string, classes: number, options: SourceOptions): Split =>
  listedOnce(
    pipe(
      shards(dir, filesOf(options)),
      TE.chain(
        TE.traverseSeqArray((path) =>
          pipe(
            readShard(path, classes, options),
            TE.orElse((failure) =>
              TE.fromEither(
                pipe(
                  skipOrFail(options.onCorrupt ?? "fail", path, failure),
                  E.map((example): readonly Example[] => [example]),
                ),
              ),
            ),
          ),
        ),
      ),
      TE.map((lists) => lists.flat()),
    ),
  );

/**
 * A folder in the WebDataset layout as a task named after it. Class names and templates are read at once, the shards are indexed when a
 * split is first walked, an image is read when it is decoded. By default a damaged shard, a label that is no class or a sample without
 * its other half fails the split (`FileCorrupt`, `CorruptSample`); with `onCorrupt: "skip"` each stands in the split as an example that fails.
 */
export const webDataset = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, Task> =>
  pipe(
    TE.Do,
    TE.bind("names", () => readClassNames(dir, filesOf(options))),
    TE.bind("templates", () => readTemplates(dir, filesOf(options))),
    TE.chainEitherK(
      ({ names, templates }): E.Either<Failure, Task> =>
        names === undefined
          ? E.left(unreadable(join(dir, "classnames.txt"))("no such file or directory"))
          : E.right({
              name: basename(filesOf(options).absolute(dir)),
              classNames: names,
              templates,
              train: readSplit(join(dir, "train"), names.length, options),
              test: readSplit(join(dir, "test"), names.length, options),
              ...ownDecoder(options),
            }),
    ),
  );
