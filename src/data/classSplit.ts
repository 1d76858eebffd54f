/**
 * Class-incremental streams: the classes of one dataset, in a seeded order or their own, in disjoint groups, a task for each.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { random } from "../random.ts";
import { noLabel, type Example } from "./example.ts";
import type { Split, ClassStream, ClassTask } from "./task.ts";

/**
 * A task with some of its classes, by their old labels: label i of the new task is `classes[i]` of the old. Images of other classes are left
 * out; an example that stands for damaged data is kept, so that it is met and counted. The splits are read when they are walked.
 *
 * ```ts
 * const none = async () => ({ _tag: "Right" as const, right: [] });
 * const pets = { name: "pets", classNames: ["ant", "bee", "cat"], templates: ["a {c}."], train: none, test: none };
 * assert.deepEqual(withClasses([2, 0])(pets).classNames, ["cat", "ant"]);
 * ```
 */
export const withClasses =
  (classes: readonly number[]) =>
  (task: ClassTask): ClassTask => {
    const renumbered = new Map([[noLabel, noLabel], ...classes.map((old, label) => [old, label] as const)]);
    const restrict = (split: Split): Split =>
      pipe(
        split,
        TE.map((examples) =>
          examples.flatMap((example): readonly Example[] => {
            const label = renumbered.get(example.label);
            return label === undefined ? [] : [{ ...example, label }];
          }),
        ),
      );
    return { ...task, classNames: classes.map((c) => task.classNames[c]), train: restrict(task.train), test: restrict(task.test) };
  };

/** Into how many groups the classes go (of sizes that differ by at most one, the larger first), or how many classes each group has. */
export type ClassGroups = { readonly tasks: number } | { readonly sizes: readonly number[] };

const sizesOf = (groups: ClassGroups, classes: number): readonly number[] =>
  "sizes" in groups
    ? groups.sizes
    : Array.from({ length: Math.max(0, groups.tasks) }, (_, i) => Math.floor(classes / groups.tasks) + (i < classes % groups.tasks ? 1 : 0));

/** Leaves out what cannot be read: it belongs to no class, and one task of a stream is enough to meet it. */
const readable = (split: Split): Split =>
  pipe(
    split,
    TE.map((examples) => examples.filter(({ label }) => label !== noLabel)),
  );

/**
 * The tasks `NAME-1`, `NAME-2`, … over disjoint groups of a task's classes, scored among the classes seen so far (METHODS.md E.4). The order
 * of the classes is a permutation that depends on the seed and the number of classes alone; without a seed it is their own. Fails with `BadOption` where the
 * groups do not hold every class once.
 *
 * ```ts
 * const none = async () => ({ _tag: "Right" as const, right: [] });
 * const pets = { name: "pets", classNames: ["ant", "bee", "cat", "dog", "eel"], templates: ["a {c}."], train: none, test: none };
 * const split = splitClasses(pets, { tasks: 2, seed: 0 });
 * assert.deepEqual(split._tag === "Right" && split.right.tasks.map((t) => [t.name, t.classNames.length]), [["pets-1", 3], ["pets-2", 2]]);
 * ```
 */
export const splitClasses = (task: ClassTask, { seed, ...groups }: ClassGroups & { readonly seed?: number }): E.Either<Failure, ClassStream> => {
  const classes = task.classNames.length;
  const sizes = sizesOf(groups, classes);
  if (sizes.some((n) => !Number.isInteger(n) || n < 1) || sizes.reduce((a, b) => a + b, 0) !== classes) {
    const asked = "sizes" in groups ? `groups of ${groups.sizes.join(", ")}` : `${groups.tasks} groups`;
    return E.left({ _tag: "BadOption", option: `classes of ${task.name}`, detail: `${classes} classes cannot go into ${asked}, each of at least one` });
  }
  const order = seed === undefined ? [...task.classNames.keys()] : [...random(seed, "class-order").permutation(classes)];
  const tasks = sizes.map((size, i): ClassTask => {
    const first = sizes.slice(0, i).reduce((a, b) => a + b, 0);
    const part = withClasses(order.slice(first, first + size))(task);
    return { ...part, name: `${task.name}-${i + 1}`, ...(i === 0 ? {} : { train: readable(part.train), test: readable(part.test), notes: undefined }) };
  });
  return E.right({ labelSpace: "seen", tasks });
};
