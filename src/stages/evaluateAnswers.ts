/** One row of the matrix for tasks that are answered in words. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { answersOf } from "../data/question.ts";
import type { AnswerStream, AnswerTask, TaskScore } from "../data/task.ts";
import { resident } from "../device/resident.ts";
import type { Failure } from "../failure.ts";
import { withGenerator, type Generator } from "../language/generate.ts";
import type { Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import type { Reply } from "../report/replies.ts";
import { scoreOf, type ScoreName } from "../scores/table.ts";
import type { Evaluated } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import { askerOf, chosen, perplexity, type Asker } from "./answered.ts";
import { generated } from "./generated.ts";
import { programs, type Programs } from "./programs.ts";
import { withShapeFailures } from "./stage.ts";

/** How answers are scored. */
export interface AnswerOptions {
  /** `all`: where every question of a task has choices, by choice and by exact match of what is generated, beside the task's own score. Default `all`. */
  readonly scores?: "own" | "all";
  /** A part of the model that is not merged. */
  readonly through?: Branch;
}

/** A dataset that is scored: its questions, and in which ways; its own is the first. */
interface Dataset {
  readonly task: AnswerTask;
  readonly probe: boolean;
  readonly asker: Asker;
  readonly scores: readonly TaskScore[];
}

/** What a dataset was answered with. */
interface Answered {
  readonly chosen?: readonly string[];
  readonly generated?: readonly string[];
  readonly perplexity?: number;
}

const isGenerated = (score: TaskScore): score is ScoreName => score !== "choice";

/** The ways in which a task is scored, its own first. Fails where its own is by choice and a question has none. */
const scoresOf = ({ name, score }: AnswerTask, { questions }: Asker, which: "own" | "all"): E.Either<Failure, readonly TaskScore[]> => {
  const bare = questions.find(({ choices = [] }) => choices.length === 0);
  if (bare === undefined) return E.right(which === "own" ? [score] : [...new Set<TaskScore>([score, "choice", "exact"])]);
  if (isGenerated(score)) return E.right([score]);
  return E.left({ _tag: "BadConfig", path: name, detail: `its score is by choice, and ${bare.id} has no choices` });
};

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
        askerOf(model, task, runtime),
        TE.chainEitherK((asker) =>
          pipe(
            scoresOf(task, asker, which),
            E.map((scores): Dataset => ({ task, probe, asker, scores })),
          ),
        ),
      ),
    ),
  );

/** What a dataset scores in one way, in percent; null where nothing was asked. */
const scored = ({ asker: { questions } }: Dataset, score: TaskScore, { chosen: choices, generated: texts }: Answered): number | null => {
  const predictions = (isGenerated(score) ? texts : choices) ?? [];
  if (predictions.length === 0) return null;
  return scoreOf(isGenerated(score) ? score : "exact").of(
    predictions,
    questions.map(answersOf),
    questions.map(({ prompt }) => prompt),
  );
};

/** What the questions of a dataset were answered with, one by one. */
const repliesOf = ({ task, asker: { questions } }: Dataset, { chosen: choices, generated: texts }: Answered): readonly Reply[] => {
  const own = isGenerated(task.score) ? texts : choices;
  const { of } = scoreOf(isGenerated(task.score) ? task.score : "exact");
  return questions.map((question, i): Reply => {
    const { id, prompt } = question;
    const [references, predicted] = [answersOf(question), own![i]];
    const beside = isGenerated(task.score) || texts === undefined ? {} : { generated: texts[i] };
    return { sample: id, prompt, answer: references[0], predicted, score: of([predicted], [references], [prompt]), ...beside };
  });
};

/** Tells what a dataset scored, once its own score is known. */
const tell = (dataset: Dataset, answered: Answered, runtime: Runtime): void => {
  const { task, probe, asker } = dataset;
  const replies = repliesOf(dataset, answered);
  const correct = replies.filter(({ score }) => score === 100).length;
  const accuracy = scored(dataset, task.score, answered);
  runtime.emit({ type: "evaluation", dataset: task.name, correct, total: asker.questions.length, accuracy, ...(probe ? { probe } : {}) });
  if (runtime.top !== undefined) runtime.emit({ type: "replies", dataset: task.name, replies });
};

/** What is answered by likelihoods: choices, and the perplexity of probes. */
const byLikelihood =
  (opened: Programs, runtime: Runtime) =>
  (dataset: Dataset): TE.TaskEither<Failure, Answered> => {
    const { asker, scores, probe } = dataset;
    const some = asker.questions.length > 0;
    return pipe(
      TE.Do,
      TE.bind("choices", () => (some && scores.includes("choice") ? chosen(asker, opened) : TE.right(undefined))),
      TE.bind("perplexity", () => (some && probe ? perplexity(asker, opened) : TE.right(undefined))),
      TE.map(({ choices, perplexity: measured }): Answered => ({ chosen: choices?.map(({ choice }) => choice), perplexity: measured })),
      TE.map((answered) => {
        if (!scores.some(isGenerated)) tell(dataset, answered, runtime);
        return answered;
      }),
    );
  };

/** Adds what is generated to what was answered by likelihoods. */
const byGeneration =
  (generator: Generator, runtime: Runtime) =>
  ([dataset, answered]: readonly [Dataset, Answered]): TE.TaskEither<Failure, Answered> => {
    const { task, asker, scores } = dataset;
    if (!scores.some(isGenerated)) return TE.right(answered);
    return pipe(
      asker.questions.length === 0 ? TE.right([]) : generated(asker, task, generator),
      TE.map((texts): Answered => {
        const all = { ...answered, generated: texts };
        tell(dataset, all, runtime);
        return all;
      }),
    );
  };

/** Percent of right guesses among the choices of a dataset; null where it is not scored by choice. */
const chanceOf = ({ scores, asker: { questions } }: Dataset): number | null =>
  questions.length === 0 || !scores.includes("choice") ? null : questions.reduce((sum, { choices }) => sum + 100 / choices!.length, 0) / questions.length;

/** The rows of all scores. */
const evaluatedOf = (datasets: readonly Dataset[], answered: readonly Answered[]): Evaluated => {
  const columns = datasets.map((dataset, j) => ({ dataset, answers: answered[j], of: (score: TaskScore) => scored(dataset, score, answered[j]) }));
  const [ofTasks, ofProbes] = [columns.filter(({ dataset }) => !dataset.probe), columns.filter(({ dataset }) => dataset.probe)];
  const names = [...new Set(ofTasks.flatMap(({ dataset }) => dataset.scores))];
  return {
    row: ofTasks.map(({ dataset, of }) => of(dataset.task.score)),
    scores: Object.fromEntries(names.map((name) => [name, ofTasks.map(({ dataset, of }) => (dataset.scores.includes(name) ? of(name) : null))])),
    chance: ofTasks.map(({ dataset }) => chanceOf(dataset)),
    replies: ofTasks.map(({ dataset, answers }) => (dataset.asker.questions.length === 0 ? null : repliesOf(dataset, answers))),
    ...(ofProbes.length === 0
      ? {}
      : {
          probes: ofProbes.map(({ dataset, dataset: { task, asker }, answers, of }) => ({
            accuracy: of(task.score),
            images: asker.questions.length,
            ...(answers.perplexity === undefined ? {} : { perplexity: answers.perplexity }),
            ...(task.score === "choice" && asker.questions.length > 0 ? { chance: chanceOf(dataset)! } : {}),
          })),
        }),
  };
};

/** Uses the programs of a learner's model and releases them whatever happens. */
const withPrograms =
  (learner: Learner, runtime: Runtime, branch: Branch | undefined) =>
  <A>(use: (opened: Programs) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  async () => {
    const weights = resident(runtime.device, learner.model.weights);
    if (E.isLeft(weights)) return weights;
    const opened = programs(learner, runtime, weights.right, branch);
    try {
      return await withShapeFailures(() => use(opened))();
    } finally {
      opened.release();
      weights.right.release();
    }
  };

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
        const needsText = datasets.some((dataset) => dataset.scores.some(isGenerated));
        return pipe(
          withPrograms(learner, runtime, through)((opened) => pipe(datasets, TE.traverseSeqArray(byLikelihood(opened, runtime)))),
          TE.chain((answered) =>
            needsText
              ? withGenerator({ learner, device: runtime.device, signal: runtime.signal, branch: through })((generator) =>
                  pipe(
                    datasets.map((dataset, j) => [dataset, answered[j]] as const),
                    TE.traverseSeqArray(byGeneration(generator, runtime)),
                  ),
                )
              : TE.right(answered),
          ),
          TE.map((answered) => evaluatedOf(datasets, answered)),
        );
      }),
    );
