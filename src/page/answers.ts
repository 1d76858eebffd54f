/** What the answers to single pictures tell: which were lost and won while the stream went on, and which classes are taken for which. */
import { firstOfName } from "../data/classNames.ts";
import type { DatasetAnswers } from "../report/runReport.ts";

/** The pictures of one dataset whose answers turned, by their positions in the answers. */
export interface Turned {
  /** Right once their task was learned, wrong at the end. */
  readonly lost: readonly number[];
  /** Wrong once their task was learned, right at the end. */
  readonly won: readonly number[];
  /** How many were right once their task was learned; null where that was not scored. */
  readonly rightThen: number | null;
}

/** Whether an answer is right: the picture's class, or another one of the same name. */
const judge = ({ classNames, labels }: DatasetAnswers): ((i: number, answer: number) => boolean) => {
  const first = firstOfName([{ classNames }]);
  return (i, answer) => first[answer] === first[labels[i]];
};

/** The pictures whose answers turned between the end of their task and the end of the stream. */
export const turned = (answers: DatasetAnswers): Turned => {
  const right = judge(answers);
  const verdicts = answers.ids.map((_, i) => {
    const [learned, last] = [answers.learned[i] ?? null, answers.last[i] ?? null];
    return learned === null || last === null ? undefined : { was: right(i, learned), is: right(i, last) };
  });
  const where = (was: boolean, is: boolean): readonly number[] => verdicts.flatMap((v, i) => (v?.was === was && v.is === is ? [i] : []));
  const lost = where(true, false);
  const scored = verdicts.some((v) => v !== undefined);
  return { lost, won: where(false, true), rightThen: scored ? lost.length + where(true, true).length : null };
};

/** At most `most` of some pictures, of as many classes as there are: the first of each, then the second of each. */
export const spreadOut = ({ labels }: DatasetAnswers, positions: readonly number[], most: number): readonly number[] => {
  const seen = new Map<number, number>();
  const turn = positions.map((i) => {
    const n = seen.get(labels[i]) ?? 0;
    seen.set(labels[i], n + 1);
    return { i, n };
  });
  return turn
    .sort((a, b) => a.n - b.n)
    .slice(0, most)
    .map(({ i }) => i);
};

/** One class of a dataset: accuracies in percent, null where none of its pictures was scored, and what it is most often taken for at the end. */
export interface ClassRow {
  readonly name: string;
  readonly images: number;
  /** Right after the task. */
  readonly learned: number | null;
  /** At the end. */
  readonly last: number | null;
  readonly taken?: { readonly name: string; readonly images: number };
}

const share = (n: number, of: number): number | null => (of === 0 ? null : (100 * n) / of);

/** The most frequent of some answers, the first of equals; undefined where there are none. */
const mostFrequent = (answers: readonly number[]): { readonly answer: number; readonly images: number } | undefined => {
  const counts = new Map<number, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].reduce<{ answer: number; images: number } | undefined>(
    (found, [answer, images]) => (found === undefined || images > found.images ? { answer, images } : found),
    undefined,
  );
};

/** The classes of a dataset, the worst at the end first; among equals first those that lost most. */
export const classRows = (answers: DatasetAnswers): readonly ClassRow[] => {
  const { classNames, labels, learned, last } = answers;
  const right = judge(answers);
  const members = new Map<number, number[]>();
  for (const [i, label] of labels.entries()) {
    const found = members.get(label);
    if (found === undefined) members.set(label, [i]);
    else found.push(i);
  }
  const rows = [...members].map(([label, positions]): ClassRow => {
    const accuracy = (of: readonly (number | null)[]): number | null => {
      const scored = positions.filter((i) => (of[i] ?? null) !== null);
      return share(scored.filter((i) => right(i, of[i]!)).length, scored.length);
    };
    const wrong = mostFrequent(positions.flatMap((i) => (last[i] === null || right(i, last[i]) ? [] : [last[i]])));
    const taken = wrong === undefined ? {} : { taken: { name: classNames[wrong.answer], images: wrong.images } };
    return { name: classNames[label], images: positions.length, learned: accuracy(learned), last: accuracy(last), ...taken };
  });
  const worth = (x: number | null): number => x ?? 101;
  return rows.sort((a, b) => worth(a.last) - worth(b.last) || worth(b.learned) - worth(a.learned) || b.images - a.images);
};
