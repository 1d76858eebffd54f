/**
 * Furnishes the page of `examples/web`: writes the model and the tasks that come along beside it, and `along.json`, which names their files.
 * `node dist/examples/furnish-web.js FOLDER`.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { get } from "../src/failure.ts";
import type { Failure } from "../src/failure.ts";
import { listNames, readBytes, writeJson } from "../src/formats/files.ts";
import { packed, writePacked, type PackedFile } from "./icons/packed.ts";
import { iconStream } from "./icons/world.ts";

/** The tasks: those of which the model knows little. */
const chosen = ["animals", "food", "flags", "logos"];

const model = "models/icon-nano";

/** What is written. */
interface Furnishing {
  /** Classes of each task. Default 10: so that a lesson takes seconds, also without a GPU. */
  readonly classes?: number;
  readonly tasks?: readonly string[];
}

/** The side of a drawing in pixels: more than the model looks at, so that a person sees what it is. */
const side = 64;

const perClass = { train: 6, test: 2 };

/** The folder of a model as files. */
const filesOf = (folder: string): TE.TaskEither<Failure, readonly PackedFile[]> =>
  pipe(
    listNames(folder),
    TE.chain(
      TE.traverseSeqArray((name) =>
        pipe(
          readBytes(join(folder, name)),
          TE.map((bytes) => ({ name, bytes })),
        ),
      ),
    ),
  );

/** What tells files from others. */
const digestOf = (files: readonly PackedFile[]): string =>
  files.reduce((hash, { name, bytes }) => hash.update(name).update(bytes), createHash("sha256")).digest("hex");

/** Writes what comes along into a folder: the tasks with so many classes each. */
export const furnish = (out: string, { classes = 10, tasks: names = chosen }: Furnishing = {}): TE.TaskEither<Failure, void> => {
  const tasks = iconStream(side, { classes }).tasks.filter(({ name }) => names.includes(name));
  return pipe(
    TE.Do,
    TE.bind("model", () => filesOf(model)),
    TE.bind("tasks", () =>
      pipe(
        tasks,
        TE.traverseSeqArray((task) =>
          pipe(
            packed(task, perClass),
            TE.map((files) => ({ name: task.name, files })),
          ),
        ),
      ),
    ),
    TE.chainFirst((all) => writePacked(join(out, "along/model"), all.model)),
    TE.chainFirst((all) =>
      pipe(
        all.tasks,
        TE.traverseSeqArray(({ name, files }) => writePacked(join(out, "along/tasks", name), files)),
      ),
    ),
    TE.chain((all) =>
      writeJson(join(out, "along/along.json"), {
        digest: digestOf([...all.model, ...all.tasks.flatMap(({ files }) => files)]),
        model: { name: "icon-nano", files: all.model.map(({ name }) => name), template: "an icon of a {c}." },
        tasks: all.tasks.map(({ name, files }) => ({ name, files: files.map((file) => file.name) })),
      }),
    ),
  );
};

const [, called, out] = process.argv;
if (called !== undefined && /furnish-web\.[jt]s$/.test(called) && out !== undefined) await get(furnish(out));
