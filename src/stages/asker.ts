/** The questions of a task's test split that can be asked, as the tokens that they are asked with. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { decoderOf } from "../data/decode.ts";
import { concurrently, type Skipped } from "../data/loader.ts";
import { answersOf, type Question } from "../data/question.ts";
import type { AnswerTask, TaskScore } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { TextTokenizer } from "../formats/textTokenizer.ts";
import { askingOf } from "../language/asking.ts";
import { rowsOfChoices, type ChoiceRow } from "../language/choices.ts";
import { pictureLoader, type LoadPictures } from "../language/pictures.ts";
import { compared, promptOf, type Asking, type Sequence } from "../language/sequences.ts";
import type { Model } from "../model/model.ts";
import type { ScoreName } from "../scores/table.ts";
import { skippedReporter, type Runtime } from "../training/runtime.ts";

/** Whether a score is of texts that are generated. */
export const isGenerated = (score: TaskScore): score is ScoreName => score !== "choice";

/** In which ways the questions of a task are asked. */
export interface Ways {
  /** `all`: where every question has choices, by choice and by exact match, beside the task's own score. Default `all`. */
  readonly scores?: "own" | "all";
  /** Whether the likelihood of the answers is asked for, too. Default false. */
  readonly probe?: boolean;
}

/** A question as tokens, in each way in which it is asked. */
interface Tokens {
  /** The prompt, with room for an answer. */
  readonly prompt?: Sequence;
  /** The choices behind the prompt. */
  readonly choices?: readonly ChoiceRow[];
  /** The first of the references behind the prompt. */
  readonly answer?: readonly ChoiceRow[];
}

/** The questions of a test split that can be asked. */
interface Questions {
  readonly asking: Asking;
  /** The ways in which the task is scored, its own first. */
  readonly scores: readonly TaskScore[];
  /** The most tokens of an answer that is generated; 0 where none is. */
  readonly maxTokens: number;
  readonly questions: readonly Question[];
  /** The tokens of each question. */
  readonly tokens: readonly Tokens[];
  readonly skipped: readonly Skipped[];
}

/** The questions of a task's test split that can be asked, and what asks them. */
export interface Asker extends Questions {
  readonly model: Model;
  readonly load: LoadPictures;
  readonly runtime: Runtime;
}

/** The ways in which a task is scored, its own first. Fails where its own is by choice and a question has none. */
const scoresOf = ({ name, score }: AnswerTask, questions: readonly Question[], which: "own" | "all"): E.Either<Failure, readonly TaskScore[]> => {
  const bare = questions.find(({ choices = [] }) => choices.length === 0);
  if (bare === undefined) return E.right(which === "own" ? [score] : [...new Set<TaskScore>([score, "choice", "exact"])]);
  if (isGenerated(score)) return E.right([score]);
  return E.left({ _tag: "BadConfig", path: name, detail: `its score is by choice, and ${bare.id} has no choices` });
};

/** The most tokens of an answer of which nothing is known. */
const unknownAnswer = 256;

/**
 * The most tokens of an answer that is generated: what the task says, or as many as the longest answer of its training split has with what closes it, but no
 * more than half of the longest sequence. The answers of the test split have no say: whoever answers does not know them.
 */
const mostTokens = async ({ maxTokens, train }: AnswerTask, { chat, longest }: Asking, tokenizer: TextTokenizer): Promise<number> => {
  if (maxTokens !== undefined) return maxTokens;
  // What is only scored may have no training split.
  const learned = await train();
  const answers = new Set(E.isLeft(learned) ? [] : learned.right.flatMap(answersOf).filter((answer) => answer.trim() !== ""));
  const tokens = [...answers].map((answer) => tokenizer.encode(chat.lead + answer + chat.end).length + (chat.end === "" ? 1 : 0));
  return Math.max(1, Math.min(tokens.reduce((most, n) => Math.max(most, n), 0) || unknownAnswer, longest >> 1));
};

/** Which of some questions can be asked, and why the others cannot; where one may not be skipped, its failure. */
const sorted = <A>(
  questions: readonly Question[],
  found: readonly E.Either<Failure, A>[],
  onCorrupt: Runtime["onCorrupt"],
): E.Either<Failure, { readonly good: readonly (readonly [Question, A])[]; readonly skipped: readonly Skipped[] }> => {
  const [good, skipped]: [(readonly [Question, A])[], Skipped[]] = [[], []];
  for (const [i, one] of found.entries()) {
    if (E.isRight(one)) good.push([questions[i], one.right]);
    else if (onCorrupt === "skip") skipped.push({ id: questions[i].id, failure: one.left });
    else return one;
  }
  return E.right({ good, skipped });
};

/** Whether the pictures of questions can be loaded; nothing is asked of those behind a first that fails, where none may be skipped. */
const seen = async (questions: readonly Question[], load: LoadPictures, onCorrupt: Runtime["onCorrupt"]): Promise<readonly E.Either<Failure, unknown>[]> => {
  const found: E.Either<Failure, unknown>[] = [];
  let failed = false;
  await concurrently(questions.length, 4, async (i) => {
    if (failed) return;
    const images = await load(questions[i]);
    found[i] = E.map(() => undefined)(images);
    failed ||= E.isLeft(images) && onCorrupt !== "skip";
  });
  return found;
};

/** A question as tokens, in each way in which it is asked. */
const tokensOf = (
  { asking, scores, maxTokens, probe = false }: Pick<Questions, "asking" | "scores" | "maxTokens"> & Pick<Ways, "probe">,
  question: Question,
): E.Either<Failure, Tokens> => {
  const rows = (texts: readonly string[]) => pipe(compared(asking, question, texts), E.map(rowsOfChoices));
  return pipe(
    E.Do,
    E.bind("prompt", () => (scores.some(isGenerated) ? promptOf(asking, question, maxTokens) : E.right(undefined))),
    E.bind("choices", () => (scores.includes("choice") ? rows(question.choices ?? []) : E.right(undefined))),
    E.bind("answer", () => (probe ? rows([answersOf(question)[0] ?? ""]) : E.right(undefined))),
  );
};

/** Reads the test questions of a task. */
const read = async (
  asking: Asking,
  { model, load, runtime: { onCorrupt } }: Pick<Asker, "model" | "load" | "runtime">,
  task: AnswerTask,
  { scores: which = "all", probe }: Ways,
): Promise<E.Either<Failure, Questions>> => {
  const test = await task.test();
  if (E.isLeft(test)) return test;
  const whole = sorted(test.right, await seen(test.right, load, onCorrupt), onCorrupt);
  if (E.isLeft(whole)) return whole;
  const readable = whole.right.good.map(([question]) => question);
  const scores = scoresOf(task, readable, which);
  if (E.isLeft(scores)) return scores;
  const maxTokens = scores.right.some(isGenerated) ? await mostTokens(task, asking, model.textTokenizer!) : 0;
  const asks = { asking, scores: scores.right, maxTokens, probe };
  return pipe(
    sorted(
      readable,
      readable.map((question) => tokensOf(asks, question)),
      onCorrupt,
    ),
    E.map(({ good, skipped }): Questions => {
      const [questions, tokens] = [good.map(([question]) => question), good.map(([, found]) => found)];
      return { asking, scores: scores.right, maxTokens, questions, tokens, skipped: [...whole.right.skipped, ...skipped] };
    }),
  );
};

/** What was read of tasks last: the rows of a matrix ask the same questions. */
const known = new WeakMap<AnswerTask, { readonly tokenizer: TextTokenizer; readonly how: string; readonly questions: Questions }>();

/**
 * The test questions of a task, without those that cannot be asked where the runtime skips these. Fails with what is wrong with the first else, and with
 * `BadConfig` where choices are missing.
 */
export const askerOf =
  (model: Model, task: AnswerTask, runtime: Runtime, ways: Ways = {}): TE.TaskEither<Failure, Asker> =>
  async () => {
    const asking = askingOf(model, task);
    if (E.isLeft(asking)) return asking;
    const asks = { model, load: pictureLoader({ decode: decoderOf(task), cache: runtime.images }), runtime };
    const [tokenizer, how] = [model.textTokenizer!, JSON.stringify([model.config, ways, runtime.onCorrupt])];
    const last = known.get(task);
    const questions = last?.tokenizer === tokenizer && last.how === how ? E.right(last.questions) : await read(asking.right, asks, task, ways);
    if (E.isLeft(questions)) return questions;
    known.set(task, { tokenizer, how, questions: questions.right });
    skippedReporter(runtime)(questions.right.skipped);
    return E.right({ ...asks, ...questions.right });
  };
