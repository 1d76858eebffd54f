/** What a decoder answers to the questions of a task: by the likelihood of choices, and in words of its own. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { decoderOf } from "../data/decode.ts";
import type { Skipped } from "../data/loader.ts";
import { answersOf, type Question } from "../data/question.ts";
import type { AnswerTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { askingOf } from "../language/asking.ts";
import { firstLargest, rowsOfChoices, type ChoiceRow } from "../language/choices.ts";
import { pictureLoader, type LoadPictures } from "../language/pictures.ts";
import { compared, promptOf, type Asking, type Sequence } from "../language/sequences.ts";
import type { Model } from "../model/model.ts";
import { skippedReporter, type Runtime } from "../training/runtime.ts";
import { likelihoods, type Asked, type Likely } from "./likelihood.ts";
import type { Programs } from "./programs.ts";

/** The questions of a task's test split that can be asked, and what asks them. */
export interface Asker {
  readonly model: Model;
  readonly questions: readonly Question[];
  readonly asking: Asking;
  readonly load: LoadPictures;
  readonly runtime: Runtime;
}

/** Why a question cannot be asked; undefined where it can. */
const faultOf = async (question: Question, asking: Asking, load: LoadPictures): Promise<Failure | undefined> => {
  const images = await load(question);
  if (E.isLeft(images)) return images.left;
  const prompt = promptOf(asking, question, 0);
  return E.isLeft(prompt) ? prompt.left : undefined;
};

/** The test questions of a task, without those that cannot be asked where the runtime skips these. Fails with what is wrong with the first else. */
export const askerOf =
  (model: Model, task: AnswerTask, runtime: Runtime): TE.TaskEither<Failure, Asker> =>
  async () => {
    const [asking, test] = [askingOf(model, task), await task.test()];
    if (E.isLeft(asking)) return asking;
    if (E.isLeft(test)) return test;
    const load = pictureLoader({ decode: decoderOf(task), cache: runtime.images });
    const [questions, skipped]: [Question[], Skipped[]] = [[], []];
    for (const question of test.right) {
      const failure = await faultOf(question, asking.right, load);
      if (failure === undefined) questions.push(question);
      else if (runtime.onCorrupt === "skip") skipped.push({ id: question.id, failure });
      else return E.left(failure);
    }
    skippedReporter(runtime.emit)(skipped);
    return E.right({ model, questions, asking: asking.right, load, runtime });
  };

const likelyOf = ({ model, load, runtime }: Asker, programs: Programs): Likely => ({ model, load, runtime, programs });

/** A question whose choices are sequences. */
interface Compared {
  readonly question: Question;
  readonly sequences: readonly Sequence[];
}

/** The mean log-likelihood of the tokens of each sequence behind its prompt, question by question. */
const meansOf = (list: readonly Compared[], likely: Likely): TE.TaskEither<Failure, readonly (readonly number[])[]> => {
  const asked = list.flatMap(({ question, sequences }, of) =>
    rowsOfChoices(sequences).map((row): Asked<ChoiceRow> & { of: number } => ({ question, row, of })),
  );
  return pipe(
    likelihoods(asked, likely),
    TE.map((values) => {
      const sums = list.map(({ sequences }) => sequences.map(() => ({ sum: 0, count: 0 })));
      asked.forEach(({ row, of }, r) =>
        row.of.forEach((choice, i) => {
          sums[of][choice].sum += values[r][i];
          sums[of][choice].count++;
        }),
      );
      return sums.map((ofChoices) => ofChoices.map(({ sum, count }) => sum / count));
    }),
  );
};

/** Sequences of texts behind the prompts of questions. */
const comparing = ({ questions, asking }: Asker, texts: (question: Question) => readonly string[]): E.Either<Failure, readonly Compared[]> =>
  pipe(
    questions,
    E.traverseArray((question) =>
      pipe(
        compared(asking, question, texts(question)),
        E.map((sequences) => ({ question, sequences })),
      ),
    ),
  );

/** What was chosen: the choice of the highest mean log-likelihood, the first of equals. */
export interface Chosen {
  readonly choice: string;
  /** Mean log-likelihoods of the choices, in their order. */
  readonly likelihoods: readonly number[];
}

/** The choice that is the answer to each question. */
export const chosen = (asker: Asker, programs: Programs): TE.TaskEither<Failure, readonly Chosen[]> =>
  pipe(
    TE.fromEither(comparing(asker, ({ choices = [] }) => choices)),
    TE.chain((list) => meansOf(list, likelyOf(asker, programs))),
    TE.map((means) => means.map((ofChoices, i) => ({ choice: asker.questions[i].choices![firstLargest(ofChoices)], likelihoods: ofChoices }))),
  );

/** The perplexity of the answers to all questions: exp of the mean of −log-likelihood over their tokens, without what closes them. */
export const perplexity = (asker: Asker, programs: Programs): TE.TaskEither<Failure, number> =>
  pipe(
    TE.fromEither(comparing(asker, (question) => answersOf(question).slice(0, 1))),
    TE.chain((list) => {
      const asked = list.flatMap(({ question, sequences }) => rowsOfChoices(sequences).map((row) => ({ question, row })));
      return likelihoods(asked, likelyOf(asker, programs));
    }),
    TE.map((rows) => {
      const tokens = rows.flatMap((row) => [...row]);
      return Math.exp(-tokens.reduce((sum, x) => sum + x, 0) / tokens.length);
    }),
  );
