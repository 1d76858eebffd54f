/**
 * The WebDataset layout of CLIP benchmark: `classnames.txt`, `zeroshot_classification_templates.txt`, `{train,test}/{nshards.txt,N.tar}`,
 * and in a shard for every sample `KEY.jpg` (or another format of pictures) and `KEY.cls` with the number of its class. `val` stands in for a missing `test`.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { unreadable } from "../formats/files.ts";
import { basename, join } from "../formats/path.ts";
import { damagedExample, type Example } from "./example.ts";
import { idOf, memberOf, type Sample } from "./shardSamples.ts";
import { readShards, type SampleReader } from "./shards.ts";
import { filesOf, ownDecoder, readClassNames, readTemplates, splitFolders, splitsOf, type SourceOptions } from "./source.ts";
import type { ClassTask } from "./task.ts";

/** The label that a `.cls` member holds; on the left what is wrong with it. */
const labelOf = ({ images, label }: Sample, classes: number): E.Either<string, number> => {
  if (images.length === 0) return E.left("it has no image");
  if (label === undefined) return E.left("it has no .cls member");
  const text = new TextDecoder().decode(label.bytes).trim();
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  return number < classes ? E.right(number) : E.left(`its class is ${JSON.stringify(text)}, not a number below ${classes}`);
};

/** Samples of a picture and its class, of so many classes. */
const classified = (classes: number): SampleReader<Example> => ({
  kind: "cls",
  wanted: "KEY.jpg with KEY.cls",
  damaged: damagedExample,
  read: (sample, path) =>
    pipe(
      labelOf(sample, classes),
      E.map((label) => [{ id: idOf(sample, path), label, image: memberOf(sample.images[0], path) }]),
    ),
});

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
              ...splitsOf(readShards(train, [], classified(names.length), options), readShards(test, beside, classified(names.length), options)),
              ...ownDecoder(options),
            }),
    ),
  );
