/** The comparison as a value: its rows, its columns, and what may be bold. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { comparisons } from "../../src/report/comparison.ts";
import { leader, leads } from "../../src/report/leads.ts";
import { finalOnlyMatrix } from "../../src/report/metrics.ts";
import type { RunResult } from "../../src/report/result.ts";
import { isJoint, summarise } from "../../src/report/summary.ts";
import { right } from "../fixtures/datasets.ts";
import { ran } from "./fixture.ts";

const compared = (results: readonly RunResult[]) => comparisons(summarise(results))[0];

const still = ran(
  "zero-shot",
  [
    [20, 20],
    [20, 20],
  ],
  { trainableParameters: 0 },
);

/** A method that learns 40 points on each of two tasks and ends with `last` on the first. */
const method = (name: string, seed: number, last: number, more = {}): RunResult =>
  ran(
    name,
    [
      [60, 20],
      [last, 60],
    ],
    { seed, ...more },
  );

const joint = ran("joint", [], { zeroShot: [20, 20], matrix: right(finalOnlyMatrix(["task 1", "task 2"], [70, 70])) });

test("references stand first: guessing, what never trains, joint; then the methods as they came", () => {
  const chance = [10, 5];
  const { rows } = compared([method("b", 1, 50, { chance }), joint, method("a", 1, 40), still]);
  assert.equal(
    rows.map(({ summary, role }) => [summary.label, role]),
    [
      ["chance", "reference"],
      ["zero-shot", "reference"],
      ["joint", "reference"],
      ["b", "method"],
      ["a", "method"],
    ],
  );
  assert.equal(
    rows[0].cells.map(({ mean }) => mean),
    ["\u2013", "\u2013", "5.0", "7.5", "7.5", "0.0", "", "", ""],
  );
  assert.equal(compared([still]).rows.length, 1, "chance is not known");
});

test("joint training is a reference on a stream of one task, too, and nothing is said of it", () => {
  const { rows, sentence, notes } = compared([ran("joint", [[70]]), ran("a", [[60]])]);
  assert.equal(
    rows.filter(({ role }) => role === "method").map(({ summary }) => summary.label),
    ["a"],
  );
  assert.not.match(sentence, "joint");
  assert.is(notes.bold, "");
  assert.equal(summarise([ran("joint", [[70]]), joint, ran("a", [[60]]), { ...joint, method: "all at once" }, still]).map(isJoint), [
    true,
    true,
    false,
    true,
    false,
  ]);
});

test("among the classes seen so far guessing is known at the end alone", () => {
  const { rows, columns } = compared([method("a", 1, 50, { labelSpace: "seen", chance: [10, 5] })]);
  const guess = columns.flatMap(({ heading }, k) => (/[0-9]/.test(rows[0].cells[k].mean) ? [`${heading} ${rows[0].cells[k].mean}`] : []));
  assert.equal(guess, ["Last 7.5"]);
});

test("a column that is empty in every row is left out", () => {
  const headings = (results: readonly RunResult[]) => compared(results).columns.map(({ heading }) => heading);
  assert.equal(headings([still]), ["Transfer", "Average", "Last", "Forgetting", "Time"]);
  assert.equal(headings([joint]), ["Last", "Trainable", "Kept", "Time"]);
  assert.equal(headings([{ ...joint, chance: [10, 10] }]), ["Last", "Trainable", "Kept", "Time"], "guessing keeps no column");
  const probes = [{ name: "birds", classes: 10, images: 100, chance: 10, zeroShot: 40, after: [30, 30] }];
  const all = ["Learned", "Gain kept", "Transfer", "Average", "Last", "Forgetting", "birds", "Trainable", "Kept", "Time"];
  assert.equal(headings([still, method("a", 1, 50, { probes })]), all);
});

test("other label spaces stand below their run, and say only what depends on them", () => {
  const matrix = {
    datasets: ["task 1", "task 2"],
    rows: [
      [30, 10],
      [20, 50],
    ],
  };
  const also = { union: { zeroShot: [10, 10], matrix, chance: [5, 5] } };
  const probes = [{ name: "birds", classes: 10, images: 100, chance: 10, zeroShot: 40, after: [30, 30] }];
  const { rows } = compared([method("a", 1, 50, { chance: [10, 10], also, probes }), method("b", 1, 50)]);
  assert.equal(
    rows.map(({ summary, elsewhere, cells }) => [summary.label, elsewhere, ...cells.slice(4).map(({ mean }) => mean)]),
    [
      ["chance", false, "10.0", "0.0", "10.0", "", "", ""],
      ["chance, union", true, "5.0", "0.0", "", "", "", ""],
      ["zero-shot", false, "20.0", "0.0", "40.0", "", "", ""],
      ["zero-shot, union", true, "10.0", "0.0", "", "", "", ""],
      ["a", false, "55.0", "10.0", "30.0", "1,000", "0 B", "1 min 00 s"],
      ["a, union", true, "35.0", "10.0", "", "", "", ""],
      ["b", false, "55.0", "10.0", "\u2013", "1,000", "0 B", "1 min 00 s"],
    ],
  );
});

test("bold is what leads every other method by more than two deviations of the difference, and nothing with one seed", () => {
  const bold = (results: readonly RunResult[]) => {
    const { rows, columns, notes } = compared(results);
    return [
      notes.bold.split(":")[0],
      ...rows.flatMap((row) => row.cells.flatMap((cell, k) => (cell.best ? [`${row.summary.label} ${columns[k].heading}`] : []))),
    ];
  };
  const two = (name: string, last: number, apart: number) => [method(name, 1, last - apart), method(name, 2, last + apart)];
  const led = ["a Gain kept", "a Average", "a Last", "a Forgetting"];
  assert.equal(bold([still, joint, ...two("a", 50, 1), ...two("b", 40, 1)]), ["Bold", ...led]);
  assert.equal(bold([...two("a", 50, 1), ...two("b", 40, 4)]), ["Bold"]);
  assert.equal(bold([...two("a", 50, 1), ...two("b", 40, 1), ...two("c", 49, 1)]), ["Bold"]);
  assert.equal(bold([method("a", 1, 50), method("b", 1, 20)]), ["Nothing is bold"]);
  assert.equal(bold([...two("a", 50, 1), method("b", 1, 20)]), ["Bold"], "one seed leads nobody and is led by nobody");
  assert.equal(bold([still, joint, ...two("a", 50, 1)]), [""], "there is nobody to lead");
  // One that gained nothing has no share of it that could be led.
  const idle = [1, 2].map((seed) => ran("c", joint.matrix, { seed, zeroShot: [20, 20], matrix: { datasets: still.datasets, rows: still.matrix } }));
  const some = bold([...two("a", 50, 1), ...two("b", 40, 1), ...idle]);
  assert.equal(some, ["Bold", "a Gain kept", "a Average", "a Last", "c Forgetting"]);
});

const spreads = fc.record({ mean: fc.option(fc.double({ min: 0, max: 100, noNaN: true })), std: fc.option(fc.double({ min: 0, max: 30, noNaN: true })) });

test("nobody leads itself or its leader, who leads all leads each that has a value, and a wider spread never makes a leader", () => {
  fc.assert(
    fc.property(fc.array(spreads, { maxLength: 5 }), fc.constantFrom("high" as const, "low" as const), (all, better) => {
      for (const a of all) {
        assert.not(leads(a, a, better));
        for (const b of all) assert.not(leads(a, b, better) && leads(b, a, better));
      }
      const first = leader(all, (s) => s, better);
      if (first !== undefined) for (const other of all) if (other !== first && other.mean !== null) assert.ok(leads(first, other, better));
      const wider = all.map((s) => ({ ...s, std: s.std === null ? null : s.std + 1 }));
      const second = leader(wider, (s) => s, better);
      if (second !== undefined) assert.is(wider.indexOf(second), all.indexOf(first!));
    }),
  );
});

test("by a score that only some tasks have, means are over these, and a row in which nothing is measured is left out", () => {
  const rows = [
    [60, 20],
    [50, 40],
  ];
  const some = (xs: readonly number[]) => xs.map((x, j) => (j === 0 ? x : null));
  const choice = { zeroShot: some([30, 0]), matrix: { datasets: ["task 1", "task 2"], rows: rows.map(some) }, chance: some([25, 0]) };
  const none = {
    ...choice,
    zeroShot: [null, null],
    matrix: {
      ...choice.matrix,
      rows: [
        [null, null],
        [null, null],
      ],
    },
    chance: [null, null],
  };
  const both = ran("a", rows, { labelSpace: "own", chance: some([25, 0]), also: { choice, exact: none } });
  const { columns, rows: shown, sentence } = compared([both]);
  const last = columns.findIndex(({ heading }) => heading === "Last");
  assert.equal(
    shown.map(({ summary, elsewhere, cells }) => [summary.label, elsewhere, cells[last].mean]),
    [
      ["chance, choice", false, "25.0"],
      ["zero-shot", false, "20.0"],
      ["zero-shot, choice", true, "30.0"],
      ["a", false, "45.0"],
      ["a, choice", true, "50.0"],
    ],
  );
  assert.match(sentence, / on this stream by each task's own score\./);
  assert.match(compared([ran("a", rows, { labelSpace: "choice" })]).sentence, / on this stream by choice\./);
});

test.run();
