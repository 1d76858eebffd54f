/** One row of the matrix for tasks that are answered in words. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { answersOf, chanceOf } from "../data/question.ts";
import type { AnswerStream, AnswerTask, TaskScore } from "../data/task.ts";
import { resident, type Resident } from "../device/resident.ts";
import type { Failure } from "../failure.ts";
import { withGenerator, type Generator } from "../language/generate.ts";
import type { Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import type { Reply } from "../report/replies.ts";
import { scoreOf, type Score } from "../scores/table.ts";
import { withShapeFailures } from "../tensor/shapeFailures.ts";
import type { Evaluated } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import { chosen, perplexity } from "./answered.ts";
import { askerOf, isGenerated, type Asker } from "./asker.ts";
import { generated } from "./generated.ts";
import { programs, type Programs } from "./programs.ts";

/** How answers are scored. */
export interface AnswerOptions {
  /** `all`: where every question of a task has choices, by choice and by exact match of what is generated, beside the task's own score. Default `all`. */
  readonly scores?: "own" | "all";
  /** A part of the model that is not merged. */
  readonly through?: Branch;
}

/** A dataset that is scored, and its questions. */
interface Dataset {
  readonly task: AnswerTask;
  readonly probe: boolean;
  readonly asker: Asker;
}

/** How a score compares texts; a choice is right where it is the answer. */
const scoringOf = (score: TaskScore): Score => scoreOf(isGenerated(score) ? score : "exact");

/** What a dataset was answered with. */
interface Answered {
  readonly chosen?: readonly string[];
  readonly generated?: readonly string[];
  readonly perplexity?: number;
}

/** The datasets of a stream, its tasks before its probes. */
const datasetsOf = (
  { model }: Learner,
  { tasks, probes = [] }: AnswerStream,
  which: "own" | "all",
  runtime: Runtime,
): TE.TaskEither<Failure, readonly Dataset[]> =>
  pipe(
    [...tasks.map((task) => ({ task, probe: false })), ...probes.map((task) => ({ task, probe: true }))],
    TE.traverseSeqArray(({ task, probe }) =>
      pipe(
        askerOf(model, task, runtime, { scores: which, probe }),
        TE.map((asker): Dataset => ({ task, probe, asker })),
      ),
    ),
  );

/** What a dataset scores in every way, in percent, null where nothing was asked; and its replies. */
interface Outcome {
  readonly scores: ReadonlyMap<TaskScore, number | null>;
  readonly replies: readonly Reply[];
  readonly perplexity?: number;
}

/** What a dataset scores in one way. */
const scored = ({ asker: { questions } }: Dataset, score: TaskScore, { chosen: choices, generated: texts }: Answered): number | null => {
  const predictions = (isGenerated(score) ? texts : choices) ?? [];
  if (predictions.length === 0) return null;
  return scoringOf(score).of(
    predictions,
    questions.map(answersOf),
    questions.map(({ prompt }) => prompt),
  );
};

/** What the questions of a dataset were answered with, one by one. */
const repliesOf = ({ task, asker: { questions } }: Dataset, { chosen: choices, generated: texts }: Answered): readonly Reply[] => {
  const own = isGenerated(task.score) ? texts : choices;
  const { of, ofCorpus } = scoringOf(task.score);
  return questions.map((question, i): Reply => {
    const { id, prompt } = question;
    const [references, predicted] = [answersOf(question), own![i]];
    const beside = isGenerated(task.score) || texts === undefined ? {} : { generated: texts[i] };
    const score = ofCorpus ? null : of([predicted], [references], [prompt]);
    return { sample: id, prompt, answer: references[0], predicted, score, ...beside };
  });
};

/** How many answers are right: those that score all there is; where a single one has no score, those that are one of their references. */
const correctOf = ({ task, asker: { questions } }: Dataset, replies: readonly Reply[]): number => {
  if (!scoringOf(task.score).ofCorpus) return replies.filter(({ score }) => score === 100).length;
  const { of } = scoreOf("exact");
  return replies.filter(({ predicted }, i) => of([predicted], [answersOf(questions[i])]) === 100).length;
};

/** What a dataset scores, which is told. */
const outcomeOf = (dataset: Dataset, answered: Answered, runtime: Runtime): Outcome => {
  const { task, probe, asker } = dataset;
  const replies = repliesOf(dataset, answered);
  const scores = new Map(asker.scores.map((score) => [score, scored(dataset, score, answered)]));
  const correct = correctOf(dataset, replies);
  const accuracy = scores.get(task.score)!;
  runtime.emit({ type: "evaluation", dataset: task.name, correct, total: replies.length, accuracy, ...(probe ? { probe } : {}) });
  if (runtime.top !== undefined) runtime.emit({ type: "replies", dataset: task.name, replies });
  return { scores, replies, perplexity: answered.perplexity };
};

/** What is answered by likelihoods: choices, and the perplexity of probes. */
const byLikelihood =
  (opened: Programs) =>
  ({ asker, probe }: Dataset): TE.TaskEither<Failure, Answered> => {
    const some = asker.questions.length > 0;
    return pipe(
      TE.Do,
      TE.bind("choices", () => (some && asker.scores.includes("choice") ? chosen(asker, opened) : TE.right(undefined))),
      TE.bind("perplexity", () => (some && probe ? perplexity(asker, opened) : TE.right(undefined))),
      TE.map(({ choices, perplexity: measured }): Answered => ({ chosen: choices?.map(({ choice }) => choice), perplexity: measured })),
    );
  };

/** Percent of right guesses among the choices of a dataset; null where it is not scored by choice. */
const guessing = ({ asker: { scores, questions } }: Dataset): number | null => (scores.includes("choice") ? chanceOf(questions) : null);

/** The rows of all scores. */
const evaluatedOf = (datasets: readonly Dataset[], outcomes: readonly Outcome[]): Evaluated => {
  const columns = datasets.map((dataset, j) => ({ dataset, ...outcomes[j] }));
  const [ofTasks, ofProbes] = [columns.filter(({ dataset }) => !dataset.probe), columns.filter(({ dataset }) => dataset.probe)];
  const names = [...new Set(ofTasks.flatMap(({ dataset }) => dataset.asker.scores))];
  return {
    row: ofTasks.map(({ dataset, scores }) => scores.get(dataset.task.score)!),
    scores: Object.fromEntries(names.map((name) => [name, ofTasks.map(({ scores }) => scores.get(name) ?? null)])),
    chance: ofTasks.map(({ dataset }) => guessing(dataset)),
    replies: ofTasks.map(({ replies }) => (replies.length === 0 ? null : replies)),
    ...(ofProbes.length === 0
      ? {}
      : {
          probes: ofProbes.map(({ dataset, scores, replies, perplexity: measured }) => ({
            accuracy: scores.get(dataset.task.score)!,
            images: replies.length,
            ...(measured === undefined ? {} : { perplexity: measured }),
            ...(dataset.task.score === "choice" && replies.length > 0 ? { chance: guessing(dataset)! } : {}),
          })),
        }),
  };
};

/** Uses the weights of a learner's model on the device, and releases them whatever happens. */
const withWeights =
  (learner: Learner, runtime: Runtime) =>
  <A>(use: (weights: Resident) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  async () => {
    const weights = resident(runtime.device, learner.model.weights);
    if (E.isLeft(weights)) return weights;
    try {
      return await withShapeFailures(() => use(weights.right))();
    } finally {
      weights.right.release();
    }
  };

/** What is asked of likelihoods, and what of it is known then: nothing of the datasets for which texts are generated. */
type Begun = readonly [Dataset, Answered, Outcome | undefined];

/** Asks all datasets by likelihoods. The programs are gone then: a generator needs the memory. */
const begun =
  (datasets: readonly Dataset[], opened: Programs, runtime: Runtime): TE.TaskEither<Failure, readonly Begun[]> =>
  async () => {
    try {
      return await pipe(
        datasets,
        TE.traverseSeqArray((dataset) =>
          pipe(
            byLikelihood(opened)(dataset),
            TE.map((answered): Begun => [dataset, answered, dataset.asker.scores.some(isGenerated) ? undefined : outcomeOf(dataset, answered, runtime)]),
          ),
        ),
      )();
    } finally {
      opened.release();
    }
  };

/** Adds what is generated to what was answered by likelihoods. */
const ended =
  (generator: Generator, runtime: Runtime) =>
  ([dataset, answered, outcome]: Begun): TE.TaskEither<Failure, Outcome> =>
    outcome !== undefined
      ? TE.right(outcome)
      : pipe(
          dataset.asker.questions.length === 0 ? TE.right([]) : generated(dataset.asker, generator),
          TE.map((texts) => outcomeOf(dataset, { ...answered, generated: texts }, runtime)),
        );

/** Asks all datasets: first by likelihoods, then in words where a dataset is scored by these. */
const asked = (
  datasets: readonly Dataset[],
  learner: Learner,
  runtime: Runtime,
  weights: Resident,
  branch: Branch | undefined,
): TE.TaskEither<Failure, readonly Outcome[]> =>
  pipe(
    begun(datasets, programs(learner, runtime, weights, branch), runtime),
    TE.chain((list) => {
      const known = list.flatMap(([, , outcome]) => outcome ?? []);
      if (known.length === list.length) return TE.right(known);
      return withGenerator({ learner, device: runtime.device, signal: runtime.signal, branch, weights })((generator) =>
        pipe(list, TE.traverseSeqArray(ended(generator, runtime))),
      );
    }),
  );

/**
 * The scores of a learner on the test split of every task of a stream, and of every probe with the perplexity of its answers. A task's own score is in the row,
 * all of them by name in `scores`. Null stands where nothing could be asked. Fails with `NotFinite` where a likelihood is no number.
 */
export const answerScores =
  (learner: Learner, stream: AnswerStream, { scores = "all", through }: AnswerOptions = {}) =>
  (runtime: Runtime): TE.TaskEither<Failure, Evaluated> =>
    pipe(
      datasetsOf(learner, stream, scores, runtime),
      TE.chain((datasets) => {
        runtime.emit({ type: "evaluating", datasets: datasets.length });
        return pipe(
          withWeights(learner, runtime)((weights) => asked(datasets, learner, runtime, weights, through)),
          TE.map((outcomes) => evaluatedOf(datasets, outcomes)),
        );
      }),
    );
