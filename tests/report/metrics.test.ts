import * as E from "fp-ts/lib/Either.js";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { classIncremental, maa } from "../../src/report/classIncremental.ts";
import * as _ from "../../src/report/metrics.ts";
import type { AccuracyMatrix, AccuracyRow, Metric } from "../../src/report/metrics.ts";
import { right } from "../either.ts";

const close = (actual: number | null, expected: number | null, tolerance = 1e-9): void => {
  if (actual === null || expected === null) assert.is(actual, expected);
  else assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);
};

const meanOf = (xs: readonly number[]): number => _.meanOf(xs)!;

const closeMetric = (actual: Metric, perDataset: readonly (number | null)[], mean: number | null): void => {
  assert.is(actual.perDataset.length, perDataset.length);
  perDataset.forEach((x, j) => close(actual.perDataset[j], x));
  close(actual.mean, mean);
};

// By hand. The 0 % cells are measured: what masks by value would call the first column's transfer and drop the zeros from the rest.
const m3: AccuracyMatrix = right(
  _.matrixFromRows(
    ["a", "b", "c"],
    [
      [90, 0, 30],
      [60, 80, 0],
      [0, 70, 95],
    ],
  ),
);

test("transfer", () => closeMetric(_.transfer(m3), [null, 0, 15], 7.5));
test("average", () => closeMetric(_.average(m3), [50, 50, 125 / 3], (50 + 50 + 125 / 3) / 3));
test("last", () => closeMetric(_.last(m3), [0, 70, 95], 55));
test("forgetting", () => closeMetric(_.forgetting(m3), [90, 10, null], 50));
test("bwt", () => closeMetric(_.bwt(m3), [-90, -10, null], -50));
test("fwt", () => closeMetric(_.fwt([50, 5, 10])(m3), [null, -5, -10], -7.5));
test("learned", () => closeMetric(_.learned(m3), [90, 80, 95], 265 / 3));
test("gainKept", () => closeMetric(_.gainKept([50, 5, 10])(m3), [-125, (100 * 65) / 75, 100], 50));

// Hyper-LLaVA on UCIT as its paper prints it: cells and metrics.
test("MFT, MFN, MAA and BWT of a published matrix", () => {
  const published = [
    [91.73],
    [90.4, 94.23],
    [89.37, 94.07, 61.37],
    [87.07, 94.1, 57.4, 86.0],
    [87.37, 94.27, 56.7, 78.73, 79.7],
    [86.67, 94.0, 58.71, 79.03, 64.33, 58.2],
  ];
  const tasks = ["ImageNet-R", "ArxivQA", "VizWiz", "IconQA", "CLEVR-Math", "Flickr30k"];
  const m = right(
    _.matrixFromRows(
      tasks,
      published.map((row) => tasks.map((_name, j) => row[j] ?? null)),
    ),
  );
  close(_.learned(m).mean, 78.54, 0.005);
  close(_.last(m).mean, 73.49, 0.005);
  close(maa(m), 83.27, 0.005);
  close(_.bwt(m).mean, -6.06, 0.005);
});

test("gain kept is of what was gained: nothing where nothing was, or where a cell is missing", () => {
  closeMetric(_.gainKept([90, 0, 0])(m3), [null, 87.5, 100], (100 * (-90 + 70 + 95)) / (0 + 80 + 95));
  closeMetric(_.gainKept([90, 80, 95])(m3), [null, null, null], null);
  closeMetric(_.gainKept([100, 100, 100])(m3), [null, null, null], null);
  closeMetric(_.gainKept([50, null, 10])(m3), [-125, null, 100], null);
  closeMetric(_.gainKept([])(m3), [null, null, null], null);
  // What prints as 0.0 points is no gain.
  const m = right(_.matrixFromRows(["a"], [[0.1 + 0.2]]));
  closeMetric(_.gainKept([0.3])(m), [null], null);
  closeMetric(_.gainKept([0.26])(m), [null], null);
  closeMetric(_.gainKept([0.24])(m), [100], 100);
  // In the mean the gain counts, not those of the datasets: +10 and -9.95.
  const both = right(
    _.matrixFromRows(
      ["a", "b"],
      [
        [60, 50],
        [55, 40.05],
      ],
    ),
  );
  closeMetric(_.gainKept([50, 50])(both), [50, null], null);
  closeMetric(_.gainKept([50, 49.9])(both), [50, null], (100 * (5 - 9.85)) / (10 - 9.85));
});

test("forgetting reads the best row, also before a dataset is learned", () => {
  const m = right(
    _.matrixFromRows(
      ["a", "b", "c"],
      [
        [50, 88, 10],
        [70, 80, 10],
        [65, 75, 20],
      ],
    ),
  );
  closeMetric(_.forgetting(m), [5, 13, null], 9);
  closeMetric(_.bwt(m), [15, -5, null], 5);
});

test("one task has Average and Last, and nothing to transfer or forget", () => {
  const m = right(_.matrixFromRows(["only"], [[42]]));
  closeMetric(_.transfer(m), [null], null);
  closeMetric(_.average(m), [42], 42);
  closeMetric(_.last(m), [42], 42);
  closeMetric(_.forgetting(m), [null], null);
  closeMetric(_.bwt(m), [null], null);
  closeMetric(_.fwt([1])(m), [null], null);
  closeMetric(_.learned(m), [42], 42);
  closeMetric(_.gainKept([2])(m), [100], 100);
});

test("no task has no metric", () => {
  const m = _.emptyMatrix([]);
  for (const f of [_.transfer, _.average, _.last, _.forgetting, _.bwt]) closeMetric(f(m), [], null);
});

test("a stream under way has no metric that names rows to come, its prefix has them all", () => {
  const m = right(
    _.matrixFromRows(
      ["a", "b", "c"],
      [
        [90, 0, 30],
        [60, 80, 0],
      ],
    ),
  );
  closeMetric(_.transfer(m), [null, 0, 15], 7.5);
  closeMetric(_.last(m), [null, null, null], null);
  closeMetric(_.average(m), [null, null, null], null);
  closeMetric(_.forgetting(m), [null, null, null], null);
  const p = _.prefixMatrix(2)(m);
  assert.equal(p, {
    datasets: ["a", "b"],
    rows: [
      [90, 0],
      [60, 80],
    ],
  });
  closeMetric(_.last(p), [60, 80], 70);
  closeMetric(_.forgetting(p), [30, null], 30);
});

test("the zero-shot row: Transfer over datasets 2 to T, Average and Last over all", () => {
  // REPRODUCIBILITY.md, Full MTIL, order I: 69.4 / 65.3 / 65.3.
  const row = [24.3, 88.4, 68.2, 44.6, 54.9, 71.0, 88.5, 59.4, 89.0, 64.7, 65.2];
  const m = right(
    _.constantMatrix(
      row.map((x) => String(x)),
      row,
    ),
  );
  close(_.transfer(m).mean, 69.4, 0.05);
  close(_.average(m).mean, 65.3, 0.05);
  close(_.last(m).mean, 65.3, 0.05);
  close(_.forgetting(m).mean, 0);
  close(_.bwt(m).mean, 0);
});

test("joint training has a Last and no stages", () => {
  const m = right(_.finalOnlyMatrix(["a", "b"], [70, 0]));
  closeMetric(_.last(m), [70, 0], 35);
  closeMetric(_.transfer(m), [null, null], null);
  closeMetric(_.average(m), [null, null], null);
  closeMetric(_.forgetting(m), [null, null], null);
});

// CoDyRA's page, 5-shot MTIL order I. A matrix that has a page's Transfer before a task, its Last at the end, and between them what its
// Average leaves over must give the page's three means; the last dataset has no rows between, so there Average is a check by itself.
const pages: readonly { readonly name: string; readonly rows: readonly (readonly number[])[]; readonly means: readonly number[] }[] = [
  {
    name: "CoDyRA",
    rows: [
      [NaN, 92.4, 68.4, 45.8, 54.5, 69.6, 87.4, 65.2, 88.5, 64.2, 64.5],
      [34.6, 95.8, 73.9, 60.0, 77.1, 81.3, 86.6, 75.9, 89.9, 66.1, 65.3],
      [31.6, 95.5, 72.8, 63.5, 85.0, 89.7, 85.0, 94.7, 93.2, 73.6, 73.0],
    ],
    means: [70.1, 73.3, 78.0],
  },
  {
    name: "MoE-Adapter",
    rows: [
      [NaN, 87.9, 68.2, 44.1, 48.1, 64.7, 88.8, 69.0, 89.1, 64.5, 65.1],
      [30.0, 89.6, 73.9, 58.7, 69.3, 79.3, 88.1, 76.5, 89.1, 65.3, 65.8],
      [30.1, 89.3, 74.9, 64.0, 82.3, 89.4, 87.1, 89.0, 89.1, 69.5, 72.5],
    ],
    means: [68.9, 71.4, 76.1],
  },
];

for (const page of pages) {
  test(`a published table is reproduced: ${page.name}`, () => {
    const [before, mean, end] = page.rows;
    const size = before.length;
    const cell = (i: number, j: number): number => {
      if (i < j) return before[j];
      if (i === size - 1) return end[j];
      return (size * mean[j] - (j === 0 ? 0 : j * before[j]) - end[j]) / (size - 1 - j);
    };
    const rows = before.map((_row, i) => before.map((_col, j) => cell(i, j)));
    const m = right(
      _.matrixFromRows(
        before.map((_row, j) => `d${j}`),
        rows,
      ),
    );
    close(_.transfer(m).mean, page.means[0], 0.06);
    close(_.average(m).mean, page.means[1], 0.06);
    close(_.last(m).mean, page.means[2], 0.06);
    close(_.average(m).perDataset[size - 1], mean[size - 1], 0.1);
  });
}

const cell = fc.integer({ min: 0, max: 1000 }).map((n) => n / 10);
const streams = fc
  .integer({ min: 1, max: 6 })
  .chain((size) =>
    fc.tuple(
      fc.array(cell, { minLength: size, maxLength: size }),
      fc.array(fc.array(cell, { minLength: size, maxLength: size }), { minLength: size, maxLength: size }),
    ),
  );

test("laws of what is learned and kept", () => {
  fc.assert(
    fc.property(streams, ([zeroShot, rows]) => {
      const m = right(
        _.matrixFromRows(
          rows.map((_row, j) => `${j}`),
          rows,
        ),
      );
      const [learned, kept, last, bwt] = [_.learned(m), _.gainKept(zeroShot)(m), _.last(m), _.bwt(m)];
      const size = rows.length;
      // What is lost since a dataset was learned is the backward transfer, over all but the last.
      close(last.mean! - learned.mean!, bwt.mean === null ? 0 : (bwt.mean * (size - 1)) / size, 1e-6);
      const gained = learned.mean! - meanOf(zeroShot);
      if (Math.abs(gained - 0.05) > 1e-9) assert.is(kept.mean === null, gained < 0.05);
      if (kept.mean !== null) close((kept.mean * gained) / 100, last.mean! - meanOf(zeroShot), 1e-6);
      // The dataset that was learned last keeps all that was gained, if anything was.
      assert.ok(kept.perDataset[size - 1] === null || Math.abs(kept.perDataset[size - 1]! - 100) < 1e-6);
      kept.perDataset.forEach((share, j) => assert.is(share === null, rows[j][j] - zeroShot[j] < 0.05));
      // A model that forgets nothing keeps everything.
      const faithful = right(
        _.matrixFromRows(
          m.datasets,
          rows.map((row, i) => row.map((x, j) => (i > j ? rows[j][j] : x))),
        ),
      );
      const all = _.gainKept(zeroShot)(faithful).mean;
      assert.ok(all === null || Math.abs(all - 100) < 1e-6);
    }),
  );
});

test("classIncremental weighs tasks by their test images and reads no unseen class", () => {
  const m = right(
    _.matrixFromRows(
      ["a", "b", "c"],
      [
        [90, null, null],
        [60, 80, null],
        [0, 50, 95],
      ],
    ),
  );
  const r = classIncremental([100, 300, 100])(m);
  assert.equal(r.seen, [90, 75, 49]);
  close(r.final, 49);
  close(r.mean, 214 / 3);
  closeMetric(_.forgetting(m), [90, 30, null], 60);
  assert.equal(classIncremental([0, 0, 0])(m).seen, [null, null, null]);
});

test("appendRow refuses what is no row, and changes nothing", () => {
  const empty = _.emptyMatrix(["a", "b"]);
  const say = (row: AccuracyRow, m = empty): string => {
    const e = _.appendRow(row)(m);
    return E.isLeft(e) ? describe(e.left) : "";
  };
  assert.match(say([1]), "row 1 has 1 values for 2 datasets");
  assert.match(say([1, 101]), "101 for b");
  assert.match(say([NaN, 1]), "NaN for a");
  assert.match(
    say(
      [1, 1],
      right(
        _.matrixFromRows(
          ["a", "b"],
          [
            [1, 1],
            [1, 1],
          ],
        ),
      ),
    ),
    "already has 2 rows",
  );
  assert.is(empty.rows.length, 0);
});

const accuracy = fc.integer({ min: 0, max: 1000 }).map((x) => x / 10);
const square = fc.integer({ min: 1, max: 7 }).chain((size) =>
  fc.array(fc.array(accuracy, { minLength: size, maxLength: size }), { minLength: size, maxLength: size }).map((rows) =>
    right(
      _.matrixFromRows(
        rows.map((_row, j) => `d${j}`),
        rows,
      ),
    ),
  ),
);
const law = (name: string, holds: (m: AccuracyMatrix) => void): void =>
  test(name, () =>
    fc.assert(
      fc.property(square, (m) => {
        holds(m);
      }),
    ),
  );

law("law: forgetting is never negative, nor less than -bwt", (m) => {
  const f = _.forgetting(m);
  const b = _.bwt(m);
  f.perDataset.forEach((x, j) => {
    if (j === m.datasets.length - 1) assert.is(x, null);
    else assert.ok((x ?? -1) >= Math.max(0, -(b.perDataset[j] ?? 0)) - 1e-9);
  });
});

law("law: a matrix without change has its row as Average and Last, and no forgetting", (m) => {
  const still = right(_.constantMatrix(m.datasets, m.rows[0]));
  m.rows[0].forEach((x, j) => {
    close(_.average(still).perDataset[j], x);
    close(_.last(still).perDataset[j], x);
  });
  if (m.datasets.length > 1) close(_.fwt(m.rows[0])(still).mean, 0);
  if (m.datasets.length > 1) close(_.forgetting(still).mean, 0);
});

law("law: Average and the best accuracy do not ask in which order the rows came, as long as the last stays", (m) => {
  const shuffled = { ...m, rows: [...m.rows.slice(0, -1).reverse(), ...m.rows.slice(-1)] };
  _.average(m).perDataset.forEach((x, j) => close(_.average(shuffled).perDataset[j], x));
  _.forgetting(m).perDataset.forEach((x, j) => close(_.forgetting(shuffled).perDataset[j], x));
});

law("law: Average and Last of a dataset move with its column", (m) => {
  const flip = <A>(xs: readonly A[]): readonly A[] => [...xs].reverse();
  const flipped = { datasets: flip(m.datasets), rows: m.rows.map(flip) };
  assert.equal(flip(_.average(flipped).perDataset), _.average(m).perDataset);
  assert.equal(flip(_.last(flipped).perDataset), _.last(m).perDataset);
});

law("law: a constant added to every accuracy moves levels by it and changes by nothing", (m) => {
  const halved = { ...m, rows: m.rows.map((row) => row.map((x) => (x ?? 0) / 2)) };
  const raised = { ...halved, rows: halved.rows.map((row) => row.map((x) => (x ?? 0) + 50)) };
  close(_.average(raised).mean, (_.average(halved).mean ?? 0) + 50);
  close(_.last(raised).mean, (_.last(halved).mean ?? 0) + 50);
  if (m.datasets.length > 1) {
    close(_.transfer(raised).mean, (_.transfer(halved).mean ?? 0) + 50);
    close(_.forgetting(raised).mean, _.forgetting(halved).mean);
    close(_.bwt(raised).mean, _.bwt(halved).mean);
  }
});

test.run();
