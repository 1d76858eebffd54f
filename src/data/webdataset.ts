/**
 * The WebDataset layout of CLIP benchmark: `classnames.txt`, `zeroshot_classification_templates.txt`, `{train,test}/{nshards.txt,N.tar}`,
 * and in a shard for every sample `KEY.jpg` (or png, webp) and `KEY.cls` with the number of its class.
 */
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { corrupt, exists, readText, unreadable } from "../formats/files.ts";
import { indexTar } from "../formats/tar.ts";
import type { TarMember } from "../formats/tar.ts";
import type { Example } from "./example.ts";
import { answer, listedOnce, ownDecoder, readClassNames, readTemplates } from "./source.ts";
import type { SourceOptions } from "./source.ts";
import type { Split, Task } from "./task.ts";

const images: ReadonlySet<string> = new Set(["jpg", "jpeg", "png", "webp"]);

/** `a/KEY.seg.jpg` is the member `seg.jpg` of the sample `a/KEY`, as in the webdataset library; undefined for names without a key. */
const split = (name: string): readonly [key: string, extension: string] | undefined => {
  const found = /^((?:.*\/)?[^/.][^/.]*)\.([^/]+)$/s.exec(name);
  return found === null ? undefined : [found[1], found[2].toLowerCase()];
};

const readShard = (path: string, classes: number, options: SourceOptions): TE.TaskEither<Failure, readonly Example[]> =>
  pipe(
    indexTar(path, (name) => split(name)?.[1] === "cls"),
    TE.chainEitherK(({ members, damage }) => {
      const onCorrupt = options.onCorrupt ?? "fail";
      const parts = new Map<string, { image?: TarMember; label?: TarMember }>();
      for (const member of members) {
        const [key, extension] = split(member.name) ?? [];
        if (key === undefined || extension === undefined || (extension !== "cls" && !images.has(extension))) continue;
        const sample = parts.get(key) ?? {};
        parts.set(key, extension === "cls" ? { ...sample, label: member } : { ...sample, image: member });
      }
      const examples: Example[] = [];
      for (const [key, { image, label }] of parts) {
        // The sample that the damage cut in two is the damage's.
        if (damage !== undefined && (image === undefined || label === undefined)) continue;
        const text = new TextDecoder().decode(label?.bytes).trim();
        const number = /^\d+$/.test(text) ? Number(text) : NaN;
        const detail =
          image === undefined
            ? "it has no image"
            : label === undefined
              ? "it has no .cls member"
              : number < classes
                ? undefined
                : `its class is ${JSON.stringify(text)}, not a number below ${classes}`;
        if (detail === undefined) {
          const { name, offset, size } = image as TarMember;
          examples.push({ id: `${path}:${name}`, label: number, image: { kind: "member", archive: path, name, offset, size } });
        } else {
          const member = (label ?? image)?.name ?? key;
          const answered = answer(onCorrupt, `${path}:${member}`, { _tag: "CorruptSample", path, member, detail });
          if (E.isLeft(answered)) return answered;
          examples.push(answered.right);
        }
      }
      if (damage === undefined) return E.right(examples);
      return pipe(
        answer(onCorrupt, path, damage),
        E.map((rest) => [...examples, rest]),
      );
    }),
  );

/** The shards of a split: `nshards.txt` of them from `0.tar` on, or where that is missing all `*.tar`, by number. */
const shards = (dir: string): TE.TaskEither<Failure, readonly string[]> => {
  const counter = join(dir, "nshards.txt");
  return pipe(
    TE.fromTask<boolean, Failure>(() => exists(counter)),
    TE.chain((counted) =>
      counted
        ? pipe(
            readText(counter),
            TE.map((text) => text.trim()),
            TE.filterOrElse(
              (text) => /^\d{1,6}$/.test(text),
              (text) => corrupt(counter, `${JSON.stringify(text)} is not a number of shards`),
            ),
            TE.map((text) => Array.from({ length: Number(text) }, (_, i) => `${i}.tar`)),
          )
        : pipe(
            TE.tryCatch(() => readdir(dir), unreadable(dir)),
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
      shards(dir),
      TE.chain(
        TE.traverseSeqArray((path) =>
          pipe(
            readShard(path, classes, options),
            TE.orElse((failure) =>
              TE.fromEither(
                pipe(
                  answer(options.onCorrupt ?? "fail", path, failure),
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
    TE.bind("names", () => readClassNames(dir)),
    TE.bind("templates", () => readTemplates(dir)),
    TE.chainEitherK(
      ({ names, templates }): E.Either<Failure, Task> =>
        names === undefined
          ? E.left(unreadable(join(dir, "classnames.txt"))("no such file or directory"))
          : E.right({
              name: basename(resolve(dir)),
              classNames: names,
              templates,
              train: readSplit(join(dir, "train"), names.length, options),
              test: readSplit(join(dir, "test"), names.length, options),
              ...ownDecoder(options),
            }),
    ),
  );
