/**
 * Fewer examples, chosen by a seed: k a class for training, a fixed number for quick evaluation.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { random } from "../random.ts";
import { noLabel, type Example } from "./example.ts";
import type { ClassTask } from "./task.ts";

/** `k` of 0 .. n-1, drawn without replacement, ascending. */
const choose = (n: number, k: number, seed: number, purpose: string, ...counters: readonly number[]): readonly number[] =>
  k >= n
    ? Array.from({ length: n }, (_, i) => i)
    : [
        ...random(seed, purpose, ...counters)
          .permutation(n)
          .subarray(0, k),
      ].sort((a, b) => a - b);

/**
 * `k` examples of every class, or all where a class has fewer, in their old order. Which examples of a class are chosen depends on the seed and on
 * that class alone. An example that stands for damaged data is kept, so that it is met and counted.
 *
 * ```ts
 * const image = { width: 1, height: 1, data: new Uint8Array(3) };
 * const examples = [0, 0, 0, 1].map((label, i) => ({ id: `${i}`, label, image: { kind: "pixels" as const, image } }));
 * assert.deepEqual(chooseFewShot(examples, 2, 7).map((s) => s.label), [0, 0, 1]);
 * assert.deepEqual(chooseFewShot(examples, 2, 7), chooseFewShot(examples, 2, 7));
 * ```
 */
export const chooseFewShot = (examples: readonly Example[], k: number, seed: number, purpose = "few-shot"): readonly Example[] => {
  const classes = new Map<number, number[]>();
  examples.forEach(({ label }, i) => {
    const members = classes.get(label);
    if (members === undefined) classes.set(label, [i]);
    else members.push(i);
  });
  const kept = [...classes].flatMap(([label, members]) =>
    label === noLabel ? members : choose(members.length, k, seed, purpose, label).map((i) => members[i]),
  );
  return kept.sort((a, b) => a - b).map((i) => examples[i]);
};

/** A task with `k` training examples a class (see {@link chooseFewShot}), drawn for this seed and this task's name; the test split stays. */
export const fewShot =
  (k: number, seed: number) =>
  (task: ClassTask): ClassTask => ({
    ...task,
    train: pipe(
      task.train,
      TE.map((examples) => chooseFewShot(examples, k, seed, `few-shot ${task.name}`)),
    ),
  });

/** A task with at most `n` test examples, drawn for this seed and this task's name, in their old order. */
export const limitTest =
  (n: number, seed: number) =>
  (task: ClassTask): ClassTask => ({
    ...task,
    test: pipe(
      task.test,
      TE.map((examples) => choose(examples.length, n, seed, `test-limit ${task.name}`).map((i) => examples[i])),
    ),
  });
