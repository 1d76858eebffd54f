/** What the notebooks share: a runtime for their cells, failures that end a cell, and pictures of a task. */
import { setTimeout } from "node:timers/promises";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import sharp from "sharp";
import { openDevice } from "../../src/device/open.ts";
import { describe, type Failure } from "../../src/failure.ts";
import { message } from "../../src/formats/files.ts";
import { displayable, type Displayable } from "../../src/page/display.ts";
import { escapeHtml } from "../../src/report/format.ts";
import { progress } from "../../src/report/progress.ts";
import type { Runtime } from "../../src/training/runtime.ts";
import { watch } from "../../src/runs/watch.ts";
import { imageCache } from "../../src/data/imageCache.ts";
import { decoderOf } from "../../src/data/decode.ts";
import type { Image } from "../../src/data/example.ts";
import type { Task } from "../../src/data/task.ts";

/** What of Deno is used here. */
interface Kernel {
  readonly jupyter: { readonly display: (shown: unknown, options: { readonly raw: boolean }) => Promise<void> };
}

/** Long enough for the kernel to send what was shown before it says that the cell is done: nbconvert leaves out what comes later. */
const sendingMilliseconds = 100;

/** Shows something, or a text, below its cell; to be awaited. */
export const show = async (shown: Displayable | string): Promise<void> => {
  const { jupyter } = (globalThis as unknown as { readonly Deno: Kernel }).Deno;
  await (typeof shown === "string" ? jupyter.display({ "text/plain": shown }, { raw: true }) : jupyter.display(shown, { raw: false }));
  await setTimeout(sendingMilliseconds);
};

/** The value of an effect; its failure ends the cell, as a sentence. */
export const get = async <A>(effect: TE.TaskEither<Failure, A>): Promise<A> => {
  const ended = await effect();
  if (E.isLeft(ended)) throw new Error(describe(ended.left));
  return ended.right;
};

/** A device that stays open as long as the kernel runs, with progress as lines below the cell. */
export const notebookRuntime = (seed: number): TE.TaskEither<Failure, Runtime> =>
  pipe(
    openDevice(),
    TE.map((device) => {
      // The kernel shows what goes through `console`, and nothing that is written to the process's own stdout.
      const lines = progress({ sink: { write: (text) => console.log(text.trimEnd()) }, every: 20_000 });
      return { device, seed, images: imageCache(1024), emit: watch(lines).event };
    }),
  );

const png = ({ width, height, data }: Image): TE.TaskEither<Failure, string> =>
  TE.tryCatch(
    async () =>
      (
        await sharp(data, { raw: { width, height, channels: 3 } })
          .png()
          .toBuffer()
      ).toString("base64"),
    (e): Failure => ({ _tag: "CorruptSample", path: "a picture", member: `${width} x ${height}`, detail: message(e) }),
  );

/** The first training picture of each of the first `classes` classes of a task, under its name. */
export const pictures = (task: Task, classes: number): TE.TaskEither<Failure, Displayable> =>
  pipe(
    task.train,
    TE.chain((examples) =>
      pipe(
        task.classNames.slice(0, classes).flatMap((_, label) => examples.find((e) => e.label === label) ?? []),
        TE.traverseSeqArray((example) =>
          pipe(
            decoderOf(task)(example),
            TE.chain(png),
            TE.map((data) => ({ data, name: task.classNames[example.label] })),
          ),
        ),
      ),
    ),
    TE.map((drawn) =>
      displayable(
        `<div class="maps">${drawn
          .map(({ data, name }) => `<figure><img alt="" width="64" src="data:image/png;base64,${data}"><h4>${escapeHtml(name)}</h4></figure>`)
          .join("\n")}</div>`,
        drawn.map(({ name }) => name).join(", "),
      ),
    ),
  );
