/** `cambium evaluate`: a model on test pictures, or test questions. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { legible } from "../failure.ts";
import { evaluationTable } from "../report/evaluation.ts";
import { evaluateModel } from "../afterwards/evaluateModel.ts";
import { openLearner } from "../runs/openLearner.ts";
import { command } from "./command.ts";
import { precisionFlag } from "./device.ts";
import { flag, list, oneOf, optional, some, whole } from "./flags.ts";
import { profileFlag, profiledBy } from "./profile.ts";
import { answerFlags, sourceFlags, sourceOf } from "./source.ts";

/** Scores a model. */
export const evaluate = command({
  name: "evaluate",
  does: "score a model on the test pictures or questions of datasets, without training it",
  synopsis: ["cambium evaluate MODEL --data DATA[,DATA…] [flags]", "cambium evaluate MODEL --preset NAME [flags]"],
  operands: { hint: "MODEL", what: "the folder of a model, a learner or a run, or the name of a model on the hub,", flag: "data" },
  flags: {
    ...sourceFlags(
      "whose test pictures or questions are scored",
      "share of the pictures or questions that a run has drawn for training, where a dataset is DIR/CLASS/*.jpg or train.jsonl; the others are scored",
      "all pictures of class folders are scored; questions need it",
    ),
    "label-space": optional(
      list(oneOf("task", "union"), true),
      "LIST",
      "score among the classes of the dataset, or of all; the first counts, the other stands beside it: task, union",
      "task, or what the preset says",
    ),
    templates: flag(oneOf("single", "ensemble"), "T", "tell classes by the first template of a dataset, or by the mean of all: single, ensemble", "single"),
    ...answerFlags,
    "eval-limit": optional(whole(1), "N", "test pictures, or questions, a dataset, the same ones as those of a run", "all"),
    "on-corrupt": flag(oneOf("fail", "skip"), "WHAT", "stop at a picture or a question that cannot be read, or go on without it: fail, skip", "fail"),
    precision: precisionFlag,
    profile: profileFlag(""),
    predictions: optional(
      some,
      "FILE",
      "where it is written what each picture was taken for, a JSON line a picture with the five likeliest classes, or what each question was answered with",
      "nowhere",
    ),
  },
  notes: [
    "A run is scored with its newest learner, as its method evaluates it, and asked questions as it was trained (--chat, --context). " +
      "A ViT has no texts to tell classes by: it is scored on datasets whose classes it " +
      "has learned.",
  ],
  examples: [
    ["cambium evaluate models/clip --data data/pets,data/cars", "the accuracy of a model on two datasets, each among its own classes"],
    ["cambium evaluate runs/codyra --data data/pets,data/cars --label-space union --json", "that of a run among all classes of both, as JSON"],
  ],
  whenStopped: "Stopped on request; nothing was scored to its end.",
  run: ({ flags, operands: [name] }, { at, jobOptions, note }) => {
    const profile = profiledBy(flags.profile);
    return pipe(
      TE.fromEither(sourceOf(flags)),
      TE.bindTo("source"),
      TE.bind("opened", () => openLearner(name, jobOptions)),
      TE.bind("evaluation", ({ source, opened }) => {
        const { columns, templates, "label-space": labelSpaces, "eval-limit": evalLimit, "on-corrupt": onCorrupt, precision, predictions } = flags;
        const where = predictions === undefined ? undefined : at(predictions);
        const { chat, context, "max-tokens": maxTokens, scores } = flags;
        const what = { source, columns, labelSpaces, templates, evalLimit, onCorrupt, chat, context, maxTokens, scores, predictions: where };
        return evaluateModel(opened, what, { ...jobOptions, ...profile.options, device: { precision } });
      }),
      TE.map(({ opened: { folder }, evaluation }) => {
        if (evaluation.skipped > 0) note(`skipped ${evaluation.skipped} samples that cannot be read`);
        if (flags.predictions !== undefined) note(`predictions written to ${legible(flags.predictions)}`);
        return { text: () => `\n${evaluationTable(evaluation)}`, json: { model: folder, ...evaluation } };
      }),
      TE.map(profile.ended),
    );
  },
});
