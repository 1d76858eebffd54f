import fc from "fast-check";
import * as TE from "fp-ts/lib/TaskEither.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { splitClasses, withClasses, type ClassGroups } from "../../src/data/classSplit.ts";
import { damagedExample, type Example } from "../../src/data/example.ts";
import type { Split, ClassTask } from "../../src/data/task.ts";
import { left, right } from "../fixtures/datasets.ts";

const test = suite("classSplit");

const example = (label: number, i: number): Example => ({
  id: `${i}`,
  label,
  image: { kind: "pixels", image: { width: 1, height: 1, data: new Uint8Array(3) } },
});
const split = (examples: readonly Example[]): Split => TE.right(examples);
const classNames = (classes: number): readonly string[] => Array.from({ length: classes }, (_, c) => `class ${c}`);

const taskOf = (classes: number, train: readonly number[], test: readonly number[] = []): ClassTask => ({
  name: "all",
  classNames: classNames(classes),
  templates: ["a {c}."],
  train: split(train.map(example)),
  test: split(test.map(example)),
});

const examplesOf = async (of: Split): Promise<readonly Example[]> => await get(of);

/** A number of classes, groups that hold them all, and labels of examples. */
const drawn = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }).chain((sizes) => {
  const classes = sizes.reduce((a, b) => a + b, 0);
  const groups: fc.Arbitrary<ClassGroups> = fc.oneof(
    fc.constant({ sizes }),
    fc.integer({ min: 1, max: classes }).map((tasks) => ({ tasks })),
  );
  return fc.record({ classes: fc.constant(classes), groups, labels: fc.array(fc.nat(classes - 1), { maxLength: 40 }), seed: fc.nat() });
});

test("the law: every class once, every example in one task and under its old name", () =>
  fc.assert(
    fc.asyncProperty(drawn, async ({ classes, groups, labels, seed }) => {
      const whole = taskOf(classes, labels, labels.slice(0, 9));
      const { tasks, labelSpace } = right(splitClasses(whole, { ...groups, seed }));
      assert.is(labelSpace, "seen");
      assert.equal([...tasks.flatMap((t) => t.classNames)].sort(), [...whole.classNames].sort());
      const sizes = tasks.map((t) => t.classNames.length);
      if ("sizes" in groups) assert.equal(sizes, groups.sizes);
      else assert.ok(sizes.length === groups.tasks && Math.max(...sizes) - Math.min(...sizes) <= 1);
      for (const which of ["train", "test"] as const) {
        const lists = await Promise.all(tasks.map((t) => examplesOf(t[which])));
        const found = lists.flatMap((examples, t) => examples.map(({ id, label }) => `${id} ${tasks[t].classNames[label]}`));
        const wanted = (await examplesOf(whole[which])).map(({ id, label }) => `${id} ${whole.classNames[label]}`);
        assert.equal([...found].sort(), [...wanted].sort());
        for (const examples of lists)
          assert.ok(
            examples.every(({ id }, i) => i === 0 || Number(examples[i - 1].id) < Number(id)),
            "the old order",
          );
      }
    }),
  ));

test("the order of the classes depends on the seed and their number alone", () => {
  const order = (task: ClassTask, groups: ClassGroups, seed: number): readonly string[] =>
    right(splitClasses(task, { ...groups, seed })).tasks.flatMap((t) => t.classNames);
  const first = order(taskOf(30, [0, 1, 2]), { tasks: 3 }, 7);
  assert.equal(order({ ...taskOf(30, [9]), name: "other" }, { sizes: [5, 25] }, 7), first);
  assert.not.equal(order(taskOf(30, [0, 1, 2]), { tasks: 3 }, 8), first);
  assert.not.equal(first, classNames(30));
});

test("without a seed classes keep their own order", () => {
  const { tasks } = right(splitClasses(taskOf(7, []), { tasks: 3 }));
  assert.equal(
    tasks.map((t) => t.classNames.length),
    [3, 2, 2],
  );
  assert.equal(
    tasks.flatMap((t) => t.classNames),
    classNames(7),
  );
});

test("tasks are numbered and keep the templates; nothing is read before a split is walked", async () => {
  let reads = 0;
  const counted: Split = () => {
    reads += 1;
    return Promise.resolve({ _tag: "Right", right: [example(0, 0), example(1, 1)] });
  };
  const { tasks } = right(splitClasses({ ...taskOf(2, []), train: counted, test: counted }, { tasks: 2, seed: 0 }));
  assert.equal(
    tasks.map((t) => t.name),
    ["all-1", "all-2"],
  );
  assert.equal(tasks[1].templates, ["a {c}."]);
  assert.is(reads, 0);
  assert.equal(
    (await examplesOf(tasks[0].train)).map((s) => s.label),
    [0],
  );
  assert.is(reads, 1);
});

test("what cannot be read is met once", async () => {
  const bad = damagedExample("x", { _tag: "FileCorrupt", path: "p", detail: "d" });
  const whole: ClassTask = { ...taskOf(4, []), train: split([example(0, 0), bad, example(3, 1)]) };
  const { tasks } = right(splitClasses(whole, { tasks: 2, seed: 3 }));
  const lists = await Promise.all(tasks.map((t) => examplesOf(t.train)));
  assert.equal(
    lists.map((examples) => examples.filter((s) => s.label === -1).length),
    [1, 0],
  );
});

test("withClasses leaves classes out and renumbers the others", async () => {
  const some = withClasses([3, 1])(taskOf(4, [0, 1, 2, 3, 1]));
  assert.equal(some.classNames, ["class 3", "class 1"]);
  assert.equal(
    (await examplesOf(some.train)).map(({ id, label }) => [id, label]),
    [
      ["1", 1],
      ["3", 0],
      ["4", 1],
    ],
  );
});

test("groups that do not hold every class once are refused", () => {
  for (const groups of [{ tasks: 5 }, { tasks: 0 }, { tasks: 1.5 }, { sizes: [2, 1] }, { sizes: [2, 3] }, { sizes: [4, 0] }, { sizes: [] }]) {
    const failure = left(splitClasses(taskOf(4, []), { ...groups, seed: 0 }));
    assert.is(failure._tag, "BadOption", JSON.stringify(groups));
  }
});

test.run();
