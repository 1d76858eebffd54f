/** What a run has learned its classes as: a folder or a preset may name them otherwise by the time that it goes on. */
import * as E from "fp-ts/lib/Either.js";
import { someOf } from "../data/leftOut.ts";
import { classNamesOf, type Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Learner } from "../model/learner.ts";
import type { Report } from "../training/lesson.ts";

/**
 * Whether a stream names the classes of the tasks behind a learner as it has seen them; else `BadOption`. What the learner has seen before these tasks does not
 * count. Nor do tasks that were learned as one: such a run has ended with its first report.
 */
export const sameClasses = ({ seen }: Pick<Learner, "seen">, { tasks }: Stream, reports: readonly Pick<Report, "task">[]): E.Either<Failure, void> => {
  if (reports.some(({ task }, i) => task !== tasks[i]?.name)) return E.right(undefined);
  const behind = reports.flatMap((_, i) => classNamesOf(tasks[i]).map((name) => ({ name, task: tasks[i].name })));
  const learned = behind.map((_, i): string | undefined => seen[seen.length - behind.length + i]);
  const differing = [...behind.keys()].filter((i) => behind[i].name !== learned[i]);
  if (differing.length === 0) return E.right(undefined);
  const { task } = behind[differing[0]];
  const ofTask = differing.filter((i) => behind[i].task === task);
  const listed = (of: (i: number) => string): string => someOf(ofTask.map(of), 3);
  const [then, now] = [listed((i) => learned[i] ?? "nothing"), listed((i) => behind[i].name)];
  const others = `the classes of ${task} have other names than when this run learned them: then ${then}, now ${now}`;
  return E.left({ _tag: "BadOption", option: "source", detail: `${others}; go on with the version and the data that it was begun with, or begin anew` });
};
