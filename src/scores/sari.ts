/** SARI: how well a text was made simpler. */
import { countRuns } from "./captionWords.ts";
import { fMeasure, mean, type Scoring } from "./scoring.ts";

/** Words of a text in lower case, with punctuation as words of its own: the tokens 13a of mteval. */
export const mteval = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
    .replace(/([^0-9])([.,])/g, "$1 $2 ")
    .replace(/([.,])([^0-9])/g, " $1 $2")
    .replace(/([0-9])(-)/g, "$1 $2 ")
    .split(/\s+/)
    .filter((word) => word !== "");

type Counts = ReadonlyMap<string, number>;

const times = (counts: Counts, factor: number): Counts => new Map([...counts].map(([run, count]) => [run, count * factor]));

const positive = (counts: readonly (readonly [string, number])[]): Counts => new Map(counts.filter(([, count]) => count > 0));

const common = (a: Counts, b: Counts): Counts => positive([...a].map(([run, count]) => [run, Math.min(count, b.get(run) ?? 0)]));

const without = (a: Counts, b: Counts): Counts => positive([...a].map(([run, count]) => [run, count - (b.get(run) ?? 0)]));

const total = (counts: Counts): number => [...counts.values()].reduce((sum, count) => sum + count, 0);

/** A share of nothing is all of it. */
const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);

/** The mean over the runs of `whole` of the share that `part` has of each. */
const meanShare = (part: Counts, whole: Counts): number =>
  share(
    [...part].reduce((sum, [run, count]) => sum + count / whole.get(run)!, 0),
    whole.size,
  );

/** SARI of one text in runs of n words: F1 of what is kept and of what is added, precision of what is deleted. */
const ofRuns = (source: Counts, said: Counts, references: readonly Counts[]): number => {
  const wanted = new Map<string, number>();
  for (const counts of references) for (const [run, count] of counts) wanted.set(run, (wanted.get(run) ?? 0) + count);
  const [before, after] = [times(source, references.length), times(said, references.length)];
  const [kept, toKeep] = [common(before, after), common(before, wanted)];
  const keptRight = common(kept, wanted);
  const keep = fMeasure(meanShare(keptRight, kept), share(total(keptRight), total(toKeep)));
  const deleted = without(before, after);
  const remove = meanShare(without(deleted, wanted), deleted);
  const [added, toAdd] = [[...said.keys()].filter((run) => !source.has(run)), [...wanted.keys()].filter((run) => !source.has(run))];
  const addedRight = added.filter((run) => wanted.has(run)).length;
  return mean([keep, remove, fMeasure(share(addedRight, added.length), share(addedRight, toAdd.length))]);
};

/**
 * SARI: the mean over the test set, and over runs of 1 to 4 words, of how well is kept, deleted and added what the references keep, delete and add of the
 * source. Without `sources` every word counts as added.
 *
 * ```ts
 * const references = ["About 95 species are currently known.", "About 95 species are now accepted.", "95 species are now accepted."];
 * const score = sari(["About 95 you now get in."], [references], ["About 95 species are currently accepted."]);
 * assert.equal(score.toFixed(3), "26.954");
 * ```
 */
export const sari: Scoring = (predictions, references, sources) =>
  100 *
  mean(
    predictions.map((prediction, i) => {
      if (references[i].length === 0) return 0;
      const [source, said] = [mteval(sources?.[i] ?? ""), mteval(prediction)];
      const wanted = references[i].map(mteval);
      return mean(
        [1, 2, 3, 4].map((n) =>
          ofRuns(
            countRuns(source, n),
            countRuns(said, n),
            wanted.map((words) => countRuns(words, n)),
          ),
        ),
      );
    }),
  );
