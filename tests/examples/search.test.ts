/** The search among compositions: every one of them runs, what is chosen with is nothing that is reported, and the answer is a sentence, whatever it is. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { margins, ranked, verdict } from "../../examples/search/choose.ts";
import { composed, compositions, nameOf } from "../../examples/search/composition.ts";
import { onTraining, taskNames } from "../../examples/search/tasks.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { get } from "../../src/failure.ts";
import { learner } from "../../src/model/learner.ts";
import { runResult } from "../../src/report/result.ts";
import { summarise, type Summary } from "../../src/report/summary.ts";
import { course } from "../../src/stages/learn.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const tasks = [patternTask("warm", ["red", "orange"], 1, { train: 3, test: 1 }), patternTask("cold", ["blue", "green"], 2, { train: 3, test: 1 })];
const stream: ClassStream = { labelSpace: "task", tasks };

test("compositions are told apart by their names, and stand for CoDyRA's and KeepLoRA++'s stages among others", () => {
  const names = compositions.map(nameOf);
  assert.is(new Set(names).size, names.length);
  assert.ok(names.length >= 12 && names.length <= 24);
  assert.ok(names.includes("gradients+gates+images+depth"));
  assert.is(composed(compositions[0], { steps: 1, batch: 4, lr: 1e-3 }).title, "gradients + matching + depth");
});

deviceTest("every composition learns two tasks", async (device) => {
  const model = await tinyClip();
  for (const choice of compositions) {
    const after = await get(composed(choice, { steps: 1, batch: 4, lr: 1e-3 }).run(course(learner(model), stream))(runtimeOf(device)));
    assert.equal([after.reports.length, after.learner.seen.length], [2, 4], nameOf(choice));
    assert.ok(
      after.reports.every(({ row, mergeError }) => row.every((x) => x !== null) && mergeError! < 1e-3),
      nameOf(choice),
    );
    assert.is(after.learner.head !== undefined, choice.head === "cosine");
    const keeps = { bases: choice.projection !== "free", examples: choice.replay };
    for (const [place, kept] of Object.entries(keeps)) assert.is(place in after.learner.memory, kept, `${nameOf(choice)}: ${place}`);
  }
});

test("what is chosen with is held out of training, and no task of it is reported", async () => {
  assert.equal(
    taskNames.choosing.filter((name) => (taskNames.reporting as readonly string[]).includes(name)),
    [],
  );
  const task = patternTask("x", ["a", "b", "c"], 1, { train: 7 });
  const few = { ...task, train: TE.map((all: readonly { readonly id: string; readonly label: number }[]) => all.slice(0, 10) as never)(task.train) };
  for (const [of, held] of [
    [task, [5, 6, 5, 6, 5, 6]],
    // Of the second class there are three, of the third none.
    [few, [5, 6, 2]],
  ] as const) {
    const [all, train, scored] = [await get(of.train), await get(onTraining(of).train), await get(onTraining(of).test)];
    assert.equal([...train, ...scored].map(({ id }) => id).sort(), all.map(({ id }) => id).sort());
    assert.equal(
      scored.map(({ id }) => Number(id.split(" ")[2])),
      held,
    );
  }
});

/** An entry with seeds that reach so much before learning, and at the end; the second seed has half a point more. */
const entry = (method: string, transfer: number, last: number): Summary => {
  const facts = { method, options: {}, adapter: "", trainableParameters: 1, bytesKept: 0, ranks: [], seconds: 1, zeroShot: [30, 30] };
  const runs = [0, 0.5].map((more, seed) => {
    const rows = [
      [last + more, transfer + more],
      [last + more, last + more],
    ];
    return runResult({ ...facts, seed, matrix: { datasets: ["a", "b"], rows } });
  });
  return summarise(runs)[0];
};

const rivals = [entry("one", 30, 40), entry("two", 35, 30)];

test("the composition that is ahead the most where it is ahead the least comes first", () => {
  const [uneven, even, behind] = [entry("uneven", 36, 60), entry("even", 38, 44), entry("behind", 34, 80)];
  assert.equal(margins(even, rivals)[0], 3);
  assert.equal(
    ranked([behind, uneven, even], rivals).map(({ method }) => method),
    ["even", "uneven", "behind"],
  );
});

test("the answer is a composition that beats all, the first of those that were chosen, or none", () => {
  const [good, better, bad] = [entry("good", 36, 41), entry("better", 50, 60), entry("bad", 40, 39)];
  assert.match(
    verdict([bad, good, better], rivals, 19),
    /^good, number 2 of 19 by the tasks of choosing, beats one and two on Transfer, Average and Last at once: \+1\.0 on Transfer, .* and \+1\.0 on Last/,
  );
  assert.match(verdict([better], rivals, 19), /by more than two standard deviations of the difference on all three\.$/);
  assert.match(
    verdict([bad, entry("worse", 20, 20)], rivals, 19),
    /^None of the 2 compositions that were chosen among 19 beats one and two on Transfer, Average and Last at once; bad comes closest, with \+5\.0 on Transfer, .* and −1\.0 on Last/,
  );
  assert.match(verdict([bad], rivals, 19), /^The composition that was chosen among 19 does not beat one and two .*; it is \+5\.0 on Transfer/);
});

runTests();
