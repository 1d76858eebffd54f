/** Label spaces: among which classes the images of a task are scored. */
import type { LabelSpace, ClassStream, ClassTask } from "./task.ts";

/**
 * The tasks among whose classes the images of the task at `position` are scored after `learned` tasks, and the index of its own first class among
 * them.
 *
 * ```ts
 * const none = async () => ({ _tag: "Right" as const, right: [] });
 * const task = (name: string, classNames: readonly string[]) => ({ name, classNames, templates: ["a {c}."], train: none, test: none });
 * const stream = { tasks: [task("pets", ["cat", "dog"]), task("cars", ["van"])], labelSpace: "union" as const };
 * assert.equal(data.labelSpace(stream, 1, 2).offset, 2);
 * assert.deepEqual(data.labelSpace(stream, 1, 2, "task"), { tasks: [stream.tasks[1]], offset: 0 });
 * assert.deepEqual(data.labelSpace(stream, 0, 1, "seen"), { tasks: [stream.tasks[0]], offset: 0 });
 * ```
 */
export const labelSpace = (
  stream: ClassStream,
  position: number,
  learned: number,
  space: LabelSpace = stream.labelSpace,
): { readonly tasks: readonly ClassTask[]; readonly offset: number } => {
  if (space === "task") return { tasks: [stream.tasks[position]], offset: 0 };
  const tasks = space === "seen" ? stream.tasks.slice(0, Math.max(learned, position + 1)) : stream.tasks;
  return { tasks, offset: stream.tasks.slice(0, position).reduce((n, t) => n + t.classNames.length, 0) };
};
