/** The pictures that a page of some runs shows, as small images within it. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as T from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { decoderOf } from "../data/decode.ts";
import { pictureOf } from "../data/question.ts";
import { isAnswered, type Split, type Stream, type Task } from "../data/task.ts";
import { dataUri } from "../page/markup.ts";
import { pictureKey, picturesOf, type Pictures } from "../page/gallery.ts";
import type { Shown } from "../page/entries.ts";
import { platform as defaultPlatform } from "../platform/default.ts";
import type { Platform } from "../platform/platform.ts";

/** Pixels of a side at most: enough for a sharp screen. */
const side = 128;

/** What the test split of a task shows: its images, or the first picture of each question. */
const examplesOf = (task: Task): Split =>
  isAnswered(task)
    ? pipe(
        task.test,
        TE.map((questions) => questions.filter(({ pictures }) => pictures.length > 0).map((question) => ({ ...pictureOf(question, 0), id: question.id }))),
      )
    : task.test;

/** One at a time, since photographs are large before they are shrunk. */
const thumbnails = async (task: Task, ids: readonly string[], { encodeThumbnail }: Pick<Platform, "encodeThumbnail">, into: Map<string, string>) => {
  const split = await examplesOf(task)();
  if (E.isLeft(split)) return;
  const decode = decoderOf(task);
  const wanted = new Set(ids);
  for (const example of split.right) {
    if (!wanted.has(example.id)) continue;
    // A decoder of somebody's own may throw.
    const image = await Promise.resolve()
      .then(() => decode(example)())
      .catch(() => undefined);
    if (image === undefined || E.isLeft(image)) continue;
    const thumbnail = await encodeThumbnail(image.right, side)();
    if (E.isRight(thumbnail)) into.set(pictureKey(task.name, example.id), dataUri(thumbnail.right.mime, thumbnail.right.bytes));
  }
};

/**
 * Reads the pictures of a stream that a page of these runs shows, for `pictures` of `htmlReport`. Nothing fails: pictures that cannot be read are left out, and
 * the page tells of them in words.
 *
 * ```ts
 * const none = async () => ({ _tag: "Right" as const, right: [] });
 * const stream = { labelSpace: "task" as const, tasks: [{ name: "pets", classNames: ["cat", "dog"], templates: ["a {c}."], train: none, test: none }] };
 * assert.equal((await galleryPictures(stream, [])()).size, 0);
 * ```
 */
export const galleryPictures =
  ({ tasks }: Pick<Stream, "tasks">, runs: readonly Shown[], platform: Pick<Platform, "encodeThumbnail"> = defaultPlatform): T.Task<Pictures> =>
  async () => {
    const pictures = new Map<string, string>();
    for (const { dataset, ids } of picturesOf(runs)) {
      const task = (tasks as readonly Task[]).find(({ name }) => name === dataset);
      if (task !== undefined && ids.length > 0) await thumbnails(task, ids, platform, pictures).catch(() => undefined);
    }
    return pictures;
  };
