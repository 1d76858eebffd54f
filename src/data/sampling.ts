/**
 * Fewer examples, chosen by a seed: k a class for training, a fixed number for quick evaluation.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { random } from "../random.ts";
import { noLabel, type Example } from "./example.ts";
import { damageOf, type Question } from "./question.ts";
import { isAnswered, type Task } from "./task.ts";

/** `k` of 0 .. n-1, drawn without replacement, ascending. */
const choose = (n: number, k: number, seed: number, purpose: string, ...counters: readonly number[]): readonly number[] =>
  k >= n
    ? Array.from({ length: n }, (_, i) => i)
    : [
        ...random(seed, purpose, ...counters)
          .permutation(n)
          .subarray(0, k),
      ].sort((a, b) => a - b);

/** `k` of 0 .. n-1, each drawn from all of them, ascending. */
const chooseAgain = (n: number, k: number, seed: number, purpose: string, ...counters: readonly number[]): readonly number[] => {
  const stream = random(seed, purpose, ...counters);
  return Array.from({ length: k }, () => stream.integer(n)).sort((a, b) => a - b);
};

/** `k` of some examples, or all where there are fewer, in their old order, drawn for this seed and this purpose. */
export const chosen = <Ex>(examples: readonly Ex[], k: number, seed: number, purpose: string): readonly Ex[] =>
  choose(examples.length, k, seed, purpose).map((i) => examples[i]);

/** What becomes of a class with fewer images than are wanted. */
export interface FewShotOptions {
  /** Whether so many are drawn from them all the same, some of them several times, as for X-TAIL. Default: all of them are taken, each once. */
  readonly repeats?: boolean;
}

/**
 * `k` examples of every class, or all where a class has fewer (unless they repeat), in their old order. Which of a class are chosen depends on the seed and on
 * that class alone. An example that stands for damaged data is kept, so that it is met and counted.
 *
 * ```ts
 * const image = { width: 1, height: 1, data: new Uint8Array(3) };
 * const examples = [0, 0, 0, 1].map((label, i) => ({ id: `${i}`, label, image: { kind: "pixels" as const, image } }));
 * assert.deepEqual(chooseFewShot(examples, 2, 7).map((s) => s.label), [0, 0, 1]);
 * assert.deepEqual(chooseFewShot(examples, 2, 7), chooseFewShot(examples, 2, 7));
 * ```
 */
export const chooseFewShot = (
  examples: readonly Example[],
  k: number,
  seed: number,
  purpose = "few-shot",
  { repeats = false }: FewShotOptions = {},
): readonly Example[] => {
  const classes = new Map<number, number[]>();
  examples.forEach(({ label }, i) => {
    const members = classes.get(label);
    if (members === undefined) classes.set(label, [i]);
    else members.push(i);
  });
  const kept = [...classes].flatMap(([label, members]) =>
    label === noLabel ? members : (repeats && members.length < k ? chooseAgain : choose)(members.length, k, seed, purpose, label).map((i) => members[i]),
  );
  return kept.sort((a, b) => a - b).map((i) => examples[i]);
};

/** `k` questions whatever their answers are, or all where there are fewer, in their old order. One that stands for damaged data is kept. */
const chooseQuestions = (questions: readonly Question[], k: number, seed: number, purpose: string): readonly Question[] => {
  const whole = questions.filter((question) => damageOf(question) === undefined);
  const kept = new Set(chosen(whole, k, seed, purpose));
  return questions.filter((question) => kept.has(question) || damageOf(question) !== undefined);
};

/**
 * A task with `k` training examples a class (see {@link chooseFewShot}), or `k` training questions where it is answered in words, drawn for this seed and this
 * task's name; with `repeats` a class with fewer images gives some of them several times. The test split stays.
 *
 * ```ts
 * const questions = [1, 2, 3].map((n) => ({ id: `${n}`, prompt: `${n} + 1?`, pictures: [], answer: `${n + 1}` }));
 * const split = async () => ({ _tag: "Right" as const, right: questions });
 * const sums = data.fewShot(2, 0)({ kind: "answer", name: "sums", score: "exact", train: split, test: split });
 * assert.equal((await get(sums.train)).length, 2);
 * ```
 */
export const fewShot =
  (k: number, seed: number, { repeats }: FewShotOptions = {}) =>
  <T extends Task>(task: T): T => {
    const purpose = `few-shot ${task.name}`;
    const classes = TE.map((examples: readonly Example[]) => chooseFewShot(examples, k, seed, purpose, { repeats }));
    const questions = TE.map((all: readonly Question[]) => chooseQuestions(all, k, seed, purpose));
    return { ...task, train: isAnswered(task) ? questions(task.train) : classes(task.train) };
  };

/** A task with at most `n` test examples or questions, drawn for this seed and this task's name, in their old order. */
export const limitTest =
  (n: number, seed: number) =>
  <T extends Task>(task: T): T => {
    const limited = <A>(all: readonly A[]): readonly A[] => chosen(all, n, seed, `test-limit ${task.name}`);
    return { ...task, test: isAnswered(task) ? pipe(task.test, TE.map(limited)) : pipe(task.test, TE.map(limited)) };
  };
