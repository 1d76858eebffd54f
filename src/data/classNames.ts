/** Classes of one name: in a label space that holds several of them, an image of one is answered rightly by each. */
import { printed } from "../formats/json.ts";
import { printable } from "./leftOut.ts";
import type { LabelSpace, ClassStream, ClassTask } from "./task.ts";

/** What two names have in common that are one: letters may be capital, and composed or not (Unicode NFC). */
const keyOf = (name: string): string => name.normalize("NFC").trim().toLowerCase();

/**
 * For every class, counted through all tasks, the number of the first class of its name: its own where no earlier one has the name.
 *
 * ```ts
 * const none = async () => ({ _tag: "Right" as const, right: [] });
 * const task = (name: string, classNames: readonly string[]) => ({ name, classNames, templates: ["a {c}."], train: none, test: none });
 * assert.deepEqual(data.firstOfName([task("pets", ["cat", "dog"]), task("photos", ["tree", "dog"])]), [0, 1, 2, 1]);
 * ```
 */
export const firstOfName = (tasks: readonly Pick<ClassTask, "classNames">[]): readonly number[] => {
  const first = new Map<string, number>();
  return tasks
    .flatMap(({ classNames }) => classNames)
    .map((name, cls) => {
      const key = keyOf(name);
      if (!first.has(key)) first.set(key, cls);
      return first.get(key)!;
    });
};

/**
 * How many names the classes of some tasks have.
 *
 * ```ts
 * const none = async () => ({ _tag: "Right" as const, right: [] });
 * const task = (name: string, classNames: readonly string[]) => ({ name, classNames, templates: ["a {c}."], train: none, test: none });
 * assert.equal(data.namesOf([task("pets", ["cat", "dog"]), task("photos", ["tree", "Dog"])]), 3);
 * ```
 */
export const namesOf = (tasks: readonly ClassTask[]): number => new Set(firstOfName(tasks)).size;

/** How many names a note spells out. */
const spelledOut = 5;

/**
 * A sentence on the names that classes of several tasks have, where images are scored among the classes of all tasks. Undefined where there are none, or where
 * every task is scored alone.
 */
export const sharedNames = ({ tasks }: Pick<ClassStream, "tasks">, spaces: readonly LabelSpace[]): string | undefined => {
  if (spaces.every((space) => space === "task")) return undefined;
  const classes = tasks.flatMap(({ name: task, classNames }) => classNames.map((name) => ({ name, task })));
  const groups = new Map<number, Set<string>>();
  firstOfName(tasks).forEach((first, cls) => groups.set(first, (groups.get(first) ?? new Set()).add(classes[cls].task)));
  const shared = [...groups].filter(([, holders]) => holders.size > 1);
  if (shared.length === 0) return undefined;
  const listed = shared.slice(0, spelledOut).map(([first, holders]) => `${printed(classes[first].name)} (${[...holders].map(printable).join(", ")})`);
  const rest = shared.length > spelledOut ? ` and ${shared.length - spelledOut} more` : "";
  return `several tasks have classes of one name, and an answer with that name is right: ${listed.join(", ")}${rest}`;
};
