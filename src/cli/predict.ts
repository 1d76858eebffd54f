/** `cambium predict`: what pictures show. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { picturesIn } from "../data/picturesIn.ts";
import { defaultTemplates, readLines } from "../data/source.ts";
import { readTask } from "../data/taskFromFolder.ts";
import { legible, type Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import { fixed } from "../report/format.ts";
import { openLearner } from "../runs/openLearner.ts";
import { classify } from "../afterwards/predict.ts";
import type { Classified } from "../stages/predict.ts";
import { command } from "./command.ts";
import { precisionFlag } from "./device.ts";
import { flag, list, oneOf, optional, some, whole } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** The labels of the flags; undefined where there are none. */
const labelsOf = (
  labels: readonly string[] | undefined,
  file: string | undefined,
  { at }: Pick<Terminal, "at">,
): TE.TaskEither<Failure, readonly string[] | undefined> => {
  if (file === undefined) return TE.right(labels);
  if (labels !== undefined) return TE.left({ _tag: "BadOption", option: "--labels-file", detail: "names the labels, and so does --labels; give one of them" });
  return readLines(at(file), platform.files);
};

/** Why a path stands for no pictures: a dataset may hold them in other ways, and has a command of its own. */
const noPictures =
  (name: string, operand: string, path: string) =>
  (failure: Failure): TE.TaskEither<Failure, readonly string[]> =>
  async () => {
    const dataset = await readTask(path, { onCorrupt: "skip", split: "test", platform })();
    const detail = `it is a dataset; cambium evaluate ${name} --data ${operand} scores a model on it`;
    return E.left(E.isLeft(dataset) ? failure : { _tag: "FileUnreadable", path: operand, detail });
  };

/** The pictures of an operand: where each is, and as its user would write it. */
const picturesOf =
  (name: string, { at }: Pick<Terminal, "at">) =>
  (operand: string): TE.TaskEither<Failure, readonly (readonly [string, string])[]> => {
    const path = at(operand);
    return pipe(
      picturesIn(path),
      TE.orElse(noPictures(name, operand, path)),
      TE.map((found) => found.map((picture) => [picture, picture === path ? operand : operand.replace(/\/*$/, () => picture.slice(path.length))] as const)),
    );
  };

/** A picture with its labels on one line. */
const lineOf = ({ picture, labels }: Classified): string =>
  `${legible(picture)}  ${labels.map(({ label, score }) => `${legible(label)} ${fixed(1)(100 * score)} %`).join(", ")}`;

/** Says what pictures show. */
export const predict = command({
  name: "predict",
  does: "say which of some labels a picture shows, with the share that each label has",
  synopsis: ["cambium predict MODEL PICTURE… --labels LABEL,LABEL… [flags]"],
  operands: { hint: "MODEL PICTURE…", what: "a model and at least one picture, or a folder of pictures,", least: 2, most: Infinity },
  flags: {
    labels: optional(list(some), "LABEL[,LABEL…]", "names of classes, which the pictures are told apart by", "the classes that the model has learned"),
    "labels-file": optional(some, "FILE", "a file with a label on each line, which may hold commas", "none"),
    template: flag(some, "TEXT", "what stands around a label: {c} is where it goes", defaultTemplates[0]),
    top: flag(whole(1), "K", "how many labels are given, the likeliest first", 5),
    precision: precisionFlag,
    "on-corrupt": flag(oneOf("fail", "skip"), "WHAT", "stop at a picture that cannot be decoded, or go on without it: fail, skip", "fail"),
  },
  notes: [
    "MODEL is the folder of a model or of an adapter of peft, its name on the hub, or the folder of a learner or of a run, whose newest learner is asked " +
      "as its method evaluates it.",
    "A ViT reads no texts: its labels are classes that it has learned, and --template has no meaning for it.",
  ],
  examples: [
    ["cambium predict models/clip cat.jpg photos --labels cat,dog", "a line for cat.jpg and for each picture in the folder photos"],
    ["cambium predict adapters/pets cat.jpg --labels cat,dog", "the same with an adapter that peft has trained, merged into its base model"],
    ["cambium predict runs/codyra cat.jpg --top 1 --json", "the likeliest of all classes that a run has learned, as JSON"],
  ],
  whenStopped: "Stopped on request; nothing was answered.",
  run: ({ flags, operands: [name, ...operands] }, terminal) =>
    pipe(
      labelsOf(flags.labels, flags["labels-file"], terminal),
      TE.bindTo("labels"),
      TE.bind("pictures", () => pipe(operands, TE.traverseSeqArray(picturesOf(name, terminal)))),
      TE.bind("opened", () => openLearner(name, terminal.jobOptions)),
      TE.chain(({ labels, opened, pictures }) => {
        const shown = new Map(pictures.flat());
        const { watch, signal } = terminal.jobOptions;
        const { template, top, precision, "on-corrupt": onCorrupt } = flags;
        const options = { template, top, onCorrupt, device: { precision }, watch, signal };
        return pipe(
          // The adapter's line is no answer: stdout has a line a picture and nothing else.
          classify(opened, [...shown.keys()], labels, { ...options, opened: (line) => terminal.note(`adapter: ${line}`) }),
          TE.map((answers) => answers.map((answer): Classified => ({ ...answer, picture: shown.get(answer.picture) ?? answer.picture }))),
        );
      }),
      TE.chainEitherK((answers) =>
        answers.length === 0
          ? E.left<Failure>({ _tag: "FileUnreadable", path: operands.join(", "), detail: "none of the pictures could be read" })
          : E.right({ text: () => answers.map(lineOf).join("\n"), json: answers }),
      ),
    ),
});
