import fc from "fast-check";
import * as TE from "fp-ts/lib/TaskEither.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { chooseFewShot, fewShot, limitTest } from "../../src/data/sampling.ts";
import { damagedExample, type Example } from "../../src/data/example.ts";
import { damageOf, damagedQuestion, type Question } from "../../src/data/question.ts";
import type { AnswerTask, ClassTask } from "../../src/data/task.ts";

const test = suite("sampling");

const example = (label: number, i: number): Example => ({
  id: `${i}`,
  label,
  image: { kind: "pixels", image: { width: 1, height: 1, data: new Uint8Array(3) } },
});
const ids = (examples: readonly Example[]): readonly number[] => examples.map((s) => Number(s.id));

test("the law: min(k, all) of each class, distinct, in the old order, the same for the same seed", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), fc.nat(), (labels, k, seed) => {
      const examples = labels.map(example);
      const chosen = chooseFewShot(examples, k, seed);
      const count = (of: readonly Example[], label: number): number => of.filter((s) => s.label === label).length;
      for (const label of new Set(labels)) assert.is(count(chosen, label), Math.min(k, count(examples, label)));
      const order = ids(chosen);
      assert.ok(order.every((id, i) => i === 0 || order[i - 1] < id));
      assert.equal(ids(chooseFewShot(examples, k, seed)), order);
    }),
  );
});

test("the law of repeats: exactly k of each class, all of that class, and none twice where there are enough", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), fc.nat(), (labels, k, seed) => {
      const examples = labels.map(example);
      const [once, chosen] = [false, true].map((repeats) => chooseFewShot(examples, k, seed, "few-shot", { repeats }));
      for (const label of new Set(labels)) {
        const [all, of, alone] = [examples, chosen, once].map((list) => list.filter((s) => s.label === label));
        assert.is(of.length, k);
        assert.ok(of.every((s) => all.includes(s)));
        if (all.length >= k) assert.equal(of, alone);
      }
      assert.equal(chooseFewShot(examples, k, seed, "few-shot", { repeats: true }), chosen);
      assert.ok(ids(chosen).every((id, i) => i === 0 || ids(chosen)[i - 1] <= id));
    }),
  );
});

test("another seed chooses others; what a class gives does not depend on the other classes", () => {
  const examples = Array.from({ length: 300 }, (_, i) => example(i % 3, i));
  assert.not.equal(ids(chooseFewShot(examples, 5, 1)), ids(chooseFewShot(examples, 5, 2)));
  const alone = chooseFewShot(
    examples.filter((s) => s.label === 1),
    5,
    1,
  );
  assert.equal(ids(alone), ids(chooseFewShot(examples, 5, 1).filter((s) => s.label === 1)));
});

test("an example that stands for unreadable data is kept", () => {
  const bad = damagedExample("x", { _tag: "FileCorrupt", path: "p", detail: "d" });
  assert.ok(chooseFewShot([example(0, 1), bad, bad, example(0, 2)], 1, 3).filter((s) => s.label === -1).length === 2);
});

test("fewShot and limitTest leave the task and its other split alone", async () => {
  const split = TE.right(Array.from({ length: 100 }, (_, i) => example(i % 4, i)));
  const task: ClassTask = { name: "t", classNames: ["a", "b", "c", "d"], templates: ["{c}"], train: split, test: split };
  const few = fewShot(2, 8)(task);
  assert.is((await get(few.train)).length, 8);
  assert.is(few.test, task.test);
  assert.is((await get(task.train)).length, 100);
  const limited = limitTest(10, 8)(task);
  assert.is((await get(limited.test)).length, 10);
  assert.equal(ids(await get(limited.test)), ids(await get(limited.test)));
  assert.is((await get(limitTest(1000, 8)(task).test)).length, 100);
  assert.not.equal(ids(await get(fewShot(2, 8)({ ...task, name: "u" }).train)), ids(await get(few.train)), "tasks draw apart");
});

test("of questions, shots are so many a task whatever the answers are; what cannot be read is kept, and choices are no classes", async () => {
  const failure = { _tag: "FileCorrupt", path: "p", detail: "d" } as const;
  const question = (i: number): Question => ({ id: `${i}`, prompt: "?", pictures: [], answer: i % 2 === 0 ? "yes" : "no", choices: ["yes", "no"] });
  const split = TE.right([...Array.from({ length: 50 }, (_, i) => question(i)), damagedQuestion("x", failure)]);
  const task: AnswerTask = { kind: "answer", name: "t", score: "choice", train: split, test: split };
  const few = fewShot(7, 8)(task);
  const chosen = await get(few.train);
  assert.is(chosen.length, 8);
  assert.equal(damageOf(chosen[7]), failure);
  const order = chosen.slice(0, 7).map(({ id }) => Number(id));
  assert.ok(order.every((id, i) => i === 0 || order[i - 1] < id));
  assert.equal([few.test, few.score], [task.test, "choice"]);
  assert.is((await get(fewShot(100, 8)(task).train)).length, 51);
  assert.is((await get(limitTest(10, 8)(task).test)).length, 10);
});

test.run();
