/** The answers to test images, as a run leaves them: right after their task, and at the end. */
import { isAnswerStream, type AnswerStream, type Stream } from "../data/task.ts";
import type { DatasetReplies, Followed, Reply, Said } from "../report/replies.ts";
import type { DatasetAnswers } from "../report/runReport.ts";
import type { Answers, Evaluated, Report } from "../training/lesson.ts";

/** The answers to some images, by their ids; null where an image was not scored. */
const answersTo = (ids: readonly string[], scored: Answers | null | undefined): readonly (number | null)[] => {
  const byId = new Map(scored?.ids.map((id, i) => [id, scored.answers[i]]));
  return ids.map((id) => byId.get(id) ?? null);
};

/** The answers of each dataset that a run of so many lessons was scored on; of those of the finished tasks, where it was stopped on the way. */
export const answersOf = (
  stream: Stream,
  { zeroShot, reports }: { readonly zeroShot: Evaluated; readonly reports: readonly Report[] },
  lessons: number | undefined,
): readonly DatasetAnswers[] => {
  if (isAnswerStream(stream)) return [];
  const { tasks } = stream;
  const classNames = tasks.flatMap((task) => task.classNames);
  const newest: Evaluated = reports.at(-1) ?? zeroShot;
  const taskByTask = lessons === undefined || lessons === tasks.length;
  return tasks.slice(0, lessons === undefined ? reports.length : tasks.length).map(({ name: dataset }, j) => {
    const [learned, last] = [taskByTask ? reports[j]?.answers?.[j] : undefined, newest.answers?.[j]];
    const { ids = [], labels = [] } = last ?? learned ?? {};
    return { dataset, classNames, ids, labels, learned: answersTo(ids, learned), last: answersTo(ids, last) };
  });
};

/** What was said to questions, by their ids; null where one was not asked. */
const saidTo = (replies: readonly Reply[] | null | undefined): ((sample: string) => Said | null) => {
  const bySample = new Map(replies?.map(({ sample, predicted, score }) => [sample, { predicted, score }]));
  return (sample) => bySample.get(sample) ?? null;
};

/** What the questions of each dataset were answered with, of a run as {@link answersOf} takes it. */
export const repliesOf = (
  { tasks }: AnswerStream,
  { zeroShot, reports }: { readonly zeroShot: Evaluated; readonly reports: readonly Report[] },
  lessons: number | undefined,
): readonly DatasetReplies[] => {
  const newest: Evaluated = reports.at(-1) ?? zeroShot;
  const taskByTask = lessons === undefined || lessons === tasks.length;
  return tasks.slice(0, lessons === undefined ? reports.length : tasks.length).map(({ name: dataset }, j) => {
    const [learned, last] = [taskByTask ? reports[j]?.replies?.[j] : undefined, newest.replies?.[j]];
    const [before, then, now] = [zeroShot.replies?.[j], learned, last].map(saidTo);
    const questions = (last ?? learned ?? []).map(
      ({ sample, prompt, answer }): Followed => ({ sample, prompt, answer, before: before(sample), learned: then(sample), last: now(sample) }),
    );
    return { dataset, questions };
  });
};
