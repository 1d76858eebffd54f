/** Classes of one name: in a label space that holds several of them, an image of one is answered rightly by each. */
import type { LabelSpace, Stream, Task } from "./task.ts";

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
export const firstOfName = (tasks: readonly Task[]): readonly number[] => {
  const first = new Map<string, number>();
  return tasks
    .flatMap(({ classNames }) => classNames)
    .map((name, cls) => {
      const key = keyOf(name);
      if (!first.has(key)) first.set(key, cls);
      return first.get(key)!;
    });
};

/** How many names a note spells out. */
const spelledOut = 5;

/** The classes of some tasks that share a name, as `"dog" (pets, photos)`. */
const sharedIn = (tasks: readonly Task[]): readonly string[] => {
  const names = tasks.flatMap(({ name: task, classNames }) => classNames.map((name) => ({ name, task })));
  const groups = new Map<number, (typeof names)[number][]>();
  firstOfName(tasks).forEach((first, cls) => groups.set(first, [...(groups.get(first) ?? []), names[cls]]));
  return [...groups.values()]
    .filter(({ length }) => length > 1)
    .map((group) => `${JSON.stringify(group[0].name)} (${group.map(({ task }) => task).join(", ")})`);
};

/**
 * A sentence on the names that stand more than once among the classes that images are scored in: of all tasks, or of one where `spaces` has no other. Undefined
 * where there are none.
 */
export const sharedNames = ({ tasks }: Pick<Stream, "tasks">, spaces: readonly LabelSpace[]): string | undefined => {
  const shared = spaces.every((space) => space === "task") ? tasks.flatMap((task) => sharedIn([task])) : sharedIn(tasks);
  if (shared.length === 0) return undefined;
  const rest = shared.length > spelledOut ? ` and ${shared.length - spelledOut} more` : "";
  return `several classes have one name, and an answer with that name is right: ${shared.slice(0, spelledOut).join(", ")}${rest}`;
};
