/** Questions in shards of the WebDataset layout: a sample is `KEY.json`, a record of a question, with its pictures, if it has any. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { listNames } from "../formats/files.ts";
import { parseJson } from "../formats/json.ts";
import { basename, join } from "../formats/path.ts";
import { indexTar } from "../formats/tar.ts";
import type { Files } from "../platform/files.ts";
import { byNumber } from "./classFolders.ts";
import type { PassedOver } from "./leftOut.ts";
import { damagedQuestion, type Question } from "./question.ts";
import { questionsOf, recordIn, tally, type QuestionOptions } from "./questions.ts";
import type { Recorded } from "./record.ts";
import { idOf, memberOf, splitName, type Sample } from "./shardSamples.ts";
import { readShards } from "./shards.ts";
import type { Listing, SourceOptions } from "./source.ts";

/** The record of a sample; what it says of pictures gives way to the pictures that are there. */
const recordOfSample = ({ label, images }: Sample, options: QuestionOptions): E.Either<string, Recorded> => {
  if (label === undefined) return E.left("it has no .json member");
  if (label.bytes === undefined) return E.left("its .json member is larger than 64 KiB");
  return pipe(
    parseJson(new TextDecoder().decode(label.bytes)),
    E.chain((value) =>
      recordIn(
        value,
        options,
        images.map(({ name }) => name),
      ),
    ),
  );
};

/** The questions of a split in the folder `dir`, and what was left out of it and, as the caller says, beside it. */
export const readShardQuestions = (
  dir: string,
  beside: readonly PassedOver[],
  how: QuestionOptions,
  options: SourceOptions,
): TE.TaskEither<Failure, Listing<Question>> =>
  pipe(
    TE.fromIO(tally),
    TE.bindTo("told"),
    TE.bind("listing", ({ told }) =>
      readShards(
        dir,
        beside,
        {
          kind: "json",
          wanted: "KEY.json with a prompt and an answer",
          damaged: damagedQuestion,
          read: (sample, path) =>
            pipe(
              recordOfSample(sample, how),
              E.map((recorded) => {
                told.add(recorded, `${basename(path)}:${sample.key}`);
                const pictures = sample.images.map((image) => memberOf(image, path));
                return questionsOf(idOf(sample, path), recorded, pictures);
              }),
            ),
        },
        options,
      ),
    ),
    TE.map(({ told, listing }) => ({ ...listing, notes: [...listing.notes, ...told.notes()] })),
  );

/** Whether the samples of a dataset's first shard are questions: they have `.json` and no `.cls`. */
export const shardsHaveQuestions = async (dir: string, files: Files): Promise<boolean> => {
  for (const split of ["train", "test", "val"]) {
    const names = await listNames(join(dir, split), files)();
    const first = E.isLeft(names) ? undefined : [...names.right].sort(byNumber).find((name) => name.endsWith(".tar"));
    if (first === undefined) continue;
    const index = await indexTar(join(dir, split, first), () => false, files)();
    const extensions = new Set(E.isLeft(index) ? [] : index.right.members.map(({ name }) => splitName(name)?.[1]));
    return extensions.has("json") && !extensions.has("cls");
  }
  return false;
};
