/** What the notebooks share: pictures of a task. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import sharp from "sharp";
import type { Failure } from "../../src/failure.ts";
import { message } from "../../src/formats/files.ts";
import { displayable, type Displayable } from "../../src/page/display.ts";
import { escapeHtml } from "../../src/report/format.ts";
import { decoderOf } from "../../src/data/decode.ts";
import type { Image } from "../../src/data/example.ts";
import type { ClassTask } from "../../src/data/task.ts";

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
export const pictures = (task: ClassTask, classes: number): TE.TaskEither<Failure, Displayable> =>
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
