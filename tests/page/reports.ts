/** Reports of runs for the tests of the page: one with answers, and arbitrary ones. */
import fc from "fast-check";
import type { DatasetAnswers, RunReport } from "../../src/report/runReport.ts";
import { runResult } from "../../src/report/result.ts";
import { ran } from "../report/fixture.ts";

const text = fc.string({ unit: fc.constantFrom(..."abcxyz 0123<>&\"'\\|$%_{}[]*~#,;\n\u00e9\u6f22\u{1f332}"), maxLength: 12 });
const accuracy = fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { freq: 6 });
const option = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom("a", "b", "<", "&", '"') });

const answersOf = (dataset: string, classNames: readonly string[]): fc.Arbitrary<DatasetAnswers> =>
  fc.integer({ min: 0, max: 30 }).chain((images) => {
    const cls = fc.integer({ min: 0, max: classNames.length - 1 });
    const each = <A>(a: fc.Arbitrary<A>): fc.Arbitrary<A[]> => fc.array(a, { minLength: images, maxLength: images });
    return fc
      .record({ labels: each(cls), learned: each(fc.option(cls)), last: each(fc.option(cls)) })
      .map((some) => ({ dataset, classNames, ids: some.labels.map((_, i) => `${dataset} ${i}`), ...some }));
  });

/** A run of a method over some datasets, as far as it got: with holes, in one label space or two, with probes or without, with losses and answers or without. */
const report = (datasets: readonly string[]): fc.Arbitrary<RunReport> => {
  const row = fc.array(accuracy, { minLength: datasets.length, maxLength: datasets.length });
  const rows = fc.array(row, { minLength: 0, maxLength: datasets.length });
  const counts = fc.array(fc.nat(20_000), { minLength: datasets.length, maxLength: datasets.length });
  const scored = fc.record({ zeroShot: row, rows, chance: row });
  const facts = fc.record({
    method: fc.oneof(fc.constantFrom("zero-shot", "codyra", "sequential-lora"), text),
    title: fc.option(text, { nil: undefined }),
    options: fc.dictionary(text, option, { maxKeys: 4 }),
    seed: fc.nat(3),
    known: fc.option(fc.record({ classes: counts, images: counts }), { nil: undefined }),
    own: scored,
    union: fc.option(scored, { nil: undefined }),
    probe: fc.option(fc.record({ name: text, after: row, zeroShot: accuracy }), { nil: undefined }),
    trainableParameters: fc.constantFrom(0, 1, 1e6),
    ranks: fc.constantFrom([], [{ "vision.layers.0.q": 1 }], [{ "vision.layers.0.q": 1, head: 2.5 }, {}]),
  });
  const classNames = ["cat", "dog", "Cat ", "<tree>"];
  const losses = fc.array(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), { maxLength: 90 }), {
    maxLength: datasets.length,
  });
  return fc
    .record({
      facts,
      losses: fc.option(losses, { nil: undefined }),
      answers: fc.option(fc.tuple(...datasets.map((name) => answersOf(name, classNames))), { nil: undefined }),
    })
    .map(({ facts: { known, own, union, probe, ...rest }, losses: lost, answers }) => ({
      result: runResult({
        ...rest,
        ...known,
        ...{ adapter: "an adapter", labelSpace: "task", bytesKept: 7, seconds: 3, zeroShot: own.zeroShot, chance: own.chance },
        matrix: { datasets, rows: own.rows },
        also: union === undefined ? {} : { union: { zeroShot: union.zeroShot, chance: union.chance, matrix: { datasets, rows: union.rows } } },
        probes: probe === undefined ? [] : [{ ...probe, classes: 4, images: 9, chance: 25 }],
      }),
      ...(lost === undefined ? {} : { losses: lost }),
      ...(answers === undefined ? {} : { answers }),
    }));
};

/** Runs of one to three tasks, of one method or several, of one seed or several. */
export const reports: fc.Arbitrary<readonly RunReport[]> = fc
  .uniqueArray(text, { minLength: 1, maxLength: 3 })
  .chain((datasets) => fc.array(report(datasets), { minLength: 1, maxLength: 4 }));

const classNames = ["cat", "dog", "cow", "oak", "elm"];

/** Two tasks of four pictures each. Of animals two answers are lost and one is won; trees are learned last. */
export const answered = (method = "codyra", seed = 1): RunReport => ({
  result: {
    ...ran(
      method,
      [
        [75, 50],
        [50, 100],
      ],
      { seed, options: { seed }, classes: [3, 2], images: [4, 4], chance: [100 / 3, 50] },
    ),
    datasets: ["animals", "trees"],
  },
  losses: [
    [4, 3, 2, 1],
    [3, 2],
  ],
  answers: [
    { dataset: "animals", classNames, ids: ["a0", "a1", "a2", "a3"], labels: [0, 0, 1, 2], learned: [0, 0, 1, 1], last: [1, 1, 1, 2] },
    { dataset: "trees", classNames, ids: ["t0", "t1", "t2", "t3"], labels: [3, 3, 4, 4], learned: [3, 3, 4, 4], last: [3, 3, 4, 4] },
  ],
});

/** The files that a page's links hold. */
export const savedIn = (html: string): readonly string[] =>
  [...html.matchAll(/href="data:[^,"]*;base64,([^"]*)"/g)].map(([, data]) => new TextDecoder().decode(Uint8Array.from(atob(data), (c) => c.charCodeAt(0))));
