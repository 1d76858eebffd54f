/** Where a run has no value stands a dash or nothing, never the word of a program for it: in tables, pages, sentences and files, of any result that can be read. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bundleOf, display, displayCurves, displayMatrices, displayRanks, displayReplies, displayTable } from "../../src/page/display.ts";
import { htmlReport } from "../../src/page/html.ts";
import { comparisons } from "../../src/report/comparison.ts";
import { csvTable, matrixCsv } from "../../src/report/csv.ts";
import { latexTable, markdownTable, matrixLatex, matrixMarkdown } from "../../src/report/markup.ts";
import type { RunResult } from "../../src/report/result.ts";
import { decodeRunResult } from "../../src/report/resultCodec.ts";
import { summarise } from "../../src/report/summary.ts";
import { textTable } from "../../src/report/table.ts";
import { comparedTable, tableFormats, type Compared } from "../../src/runs/compare.ts";
import { summary, type Outcome } from "../../src/runs/outcome.ts";
import { right } from "../fixtures/datasets.ts";
import { learned, still } from "../report/fixture.ts";
import { reports, savedIn } from "./reports.ts";

const noValue = /undefined|null|NaN|Infinity|\[object/;

/** What an older version did not write. */
const optional = ["title", "labelSpace", "classes", "images", "probes", "chance", "learned", "gainKept"] as const;

/** A result as somebody may find it: by an older version, with ranks of fewer tasks, and with options that were left open. */
const found = (result: RunResult): fc.Arbitrary<RunResult> => {
  const names = result.datasets.map((_, i) => `layers.${i}.q`);
  return fc
    .record({
      without: fc.subarray([...optional]),
      withoutByDataset: fc.boolean(),
      ranks: fc.array(fc.dictionary(fc.constantFrom("text.layers.0.q", ...names), fc.nat(16), { maxKeys: 2 }), { maxLength: result.datasets.length }),
      effectiveRank: fc.array(fc.option(fc.nat(16)), { maxLength: result.datasets.length }),
      options: fc.constantFrom(
        {},
        { shots: null, evalLimit: null },
        { shots: 4, evalLimit: undefined, towers: [null], evaluate: { also: null, templates: [] } },
      ),
    })
    .map(({ without, withoutByDataset, ranks, effectiveRank, options }) => {
      const less = (o: object, keys: readonly string[]): object => Object.fromEntries(Object.entries(o).filter(([key]) => !keys.includes(key)));
      const also = Object.fromEntries(Object.entries(result.also).map(([space, scores]) => [space, less(scores, without)]));
      const perDataset = withoutByDataset ? less(result.perDataset, without) : result.perDataset;
      const json = { ...less(result, without), also, perDataset, ranks, effectiveRank, options: { ...result.options, ...options } };
      return right(decodeRunResult("result.json")(JSON.parse(JSON.stringify(json))));
    });
};

/** All that is printed of some results. */
const printed = (results: readonly RunResult[]): readonly string[] => {
  const page = htmlReport(results, { facts: { Model: "models/clip" } });
  const compared: Compared = { runs: results.map((result, i) => ({ folder: `runs/${i}`, result, interrupted: i === 0 })), notes: ["A note."] };
  const summaries = summarise(results);
  return [
    ...[40, 120, Infinity].map((columns) => textTable(results, columns)),
    ...[csvTable, markdownTable, latexTable].map((write) => write(results)),
    ...summaries.flatMap((s) => [matrixCsv, matrixMarkdown, matrixLatex].map((write) => write(s))),
    ...summaries.map(({ label }) => label),
    ...comparisons(summaries).flatMap(({ sentence, notes }) => [sentence, notes.seeds, notes.bold]),
    ...[display, displayTable, displayMatrices, displayCurves, displayRanks, displayReplies].flatMap((shows) => Object.values(bundleOf(shows(results)))),
    ...[page, ...savedIn(page)],
    ...tableFormats.map((format) => comparedTable(compared, format)),
    ...results.map((result) => {
      const outcome = { result, interrupted: true, sessions: { seen: [], final: null, mean: null }, tasks: 3, model: "runs/a/model", folder: "runs/a" };
      return summary(outcome as unknown as Outcome, "runs/a");
    }),
  ].map((text) => text.replace(/base64,[^"]*/g, ""));
};

test("results of any version, finished or not, of one stream or several", () => {
  const some = fc
    .array(reports, { minLength: 1, maxLength: 2 })
    .chain((all) => fc.tuple(...all.flat().map(({ result }) => found(result))))
    .map((results): readonly RunResult[] => results);
  fc.assert(
    fc.property(some, (results) => {
      for (const text of printed(results)) assert.not.match(text, noValue);
    }),
    { numRuns: 50 },
  );
});

test("a stream of which nothing is known", () => {
  const none = { ...still, datasets: [], zeroShot: [], chance: [], matrix: [], ranks: [], effectiveRank: [] };
  const perDataset = Object.fromEntries(Object.keys(still.perDataset).map((name) => [name, []]));
  for (const text of printed([right(decodeRunResult("x")({ ...none, perDataset }))])) assert.not.match(text, noValue);
});

test("what tells two runs of a method apart is said in words where one of them left it open", () => {
  const labels = (a: object, b: object): readonly string[] => summarise([learned(1, 0, { ...a }), learned(1, 0, { ...b })]).map(({ label }) => label);
  assert.equal(labels({ shots: null }, { shots: 4 }), ["codyra shots not set", "codyra shots=4"]);
  assert.equal(labels({}, { evalLimit: 100 }), ["codyra evalLimit not set", "codyra evalLimit=100"]);
  assert.equal(labels({ towers: [null] }, { towers: [] }), ["codyra towers=–", "codyra towers=none"]);
});

test("how a run was computed is told apart by the defaults, where one of them was left at its own", () => {
  const labels = (b: object): readonly string[] => summarise([learned(1, 0, {}), learned(1, 0, { ...b })]).map(({ label }) => label);
  assert.equal(labels({ precision: "mixed" }), ["codyra precision=f32", "codyra precision=mixed"]);
  assert.equal(labels({ accumulate: 4, recompute: "blocks" }), ["codyra accumulate=1 recompute=none", "codyra accumulate=4 recompute=blocks"]);
  assert.equal(labels({ precision: "f32", accumulate: 1 }), ["codyra"]);
});

test.run();
