/** The stream icon-questions: what is asked, about which drawings, and that the answers are right. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { askBefore, pretrainingDrawings } from "../../examples/icons/questionPretraining.ts";
import { iconQuestions, numbers, thingNames } from "../../examples/icons/questions.ts";
import { grounds, sceneDecoder, sceneName } from "../../examples/icons/scenes.ts";
import { baseSets, testSets } from "../../examples/icons/tasks.ts";
import { pictureOf, type Question } from "../../src/data/question.ts";
import { get } from "../../src/failure.ts";
import { random } from "../../src/random.ts";

const size = 48;

/** The drawings of a question's scene, by cell. */
const placed = ({ pictures: [image] }: Question): readonly { readonly vendor: string; readonly icon: string; readonly cell: number }[] => {
  if (image.kind !== "named") throw new Error("a scene has a name");
  return image.name
    .split(" ")
    .slice(2)
    .map((text) => {
      const [, vendor, icon, cell] = text.match(/^(.*?):(.*)@(\d+)$/)!;
      return { vendor, icon, cell: Number(cell) };
    });
};

test("four tasks; training and test are drawn by different vendors, and neither by those of pre-training", async () => {
  const stream = iconQuestions(size);
  assert.equal(
    stream.tasks.map(({ name }) => name),
    ["names", "colours", "counts", "comparisons"],
  );
  for (const task of stream.tasks) {
    const [train, testing] = [await get(task.train), await get(task.test)];
    assert.equal([train.length, testing.length], [480, 96]);
    assert.ok(testing.every((q) => placed(q).every(({ vendor }) => testSets.has(vendor))));
    assert.ok(train.every((q) => placed(q).every(({ vendor }) => !testSets.has(vendor) && !baseSets.has(vendor))));
    assert.ok([...train, ...testing].every(({ answer, choices }) => choices!.includes(answer as string)));
    assert.equal(await get(task.train), train, "walked twice, the same");
  }
  const ids = (await Promise.all(stream.tasks.map(({ train }) => get(train)))).flat().map(({ id }) => id);
  assert.is(new Set(ids).size, ids.length);
});

test("answers are what the scenes show", async () => {
  const [, behind, counts, more] = await Promise.all(iconQuestions(size).tasks.map(({ train }) => get(train)));
  for (const { answer, pictures } of behind) assert.ok(pictures[0].kind === "named" && pictures[0].name.startsWith(`${answer} 2 `));
  for (const q of counts) {
    assert.is(q.answer, numbers[placed(q).length - 1]);
    assert.is(new Set(placed(q).map(({ cell }) => cell)).size, placed(q).length, "each in a cell of its own");
  }
  for (const q of more) assert.is(q.answer, placed(q).length > 3 ? "yes" : "no");
  const yes = more.filter(({ answer }) => answer === "yes").length;
  assert.ok(yes > 0.4 * more.length && yes < 0.6 * more.length, "both answers are as frequent");
});

test("the names of the first task are as frequent as one another, so that no answer is right by itself", async () => {
  const [names] = iconQuestions(size, { train: 2400 }).tasks;
  const counts = new Map<string, number>();
  for (const { answer } of await get(names.train)) counts.set(answer as string, (counts.get(answer as string) ?? 0) + 1);
  assert.equal([...counts.keys()].sort(), [...thingNames].sort());
  assert.ok(Math.max(...counts.values()) < 2 * (2400 / thingNames.length));
});

test("a scene is its drawings in their cells, on white", async () => {
  const [cat, dog] = ["noto:tiger", "noto:pig"];
  const decode = sceneDecoder(size);
  const [alone, one, both] = await Promise.all(
    [
      { grid: 2, placed: [{ drawing: cat, cell: 3 }] },
      { grid: 1, placed: [{ drawing: cat, cell: 0 }] },
      {
        grid: 2,
        placed: [
          { drawing: cat, cell: 3 },
          { drawing: dog, cell: 0 },
        ],
      },
    ].map((scene) => get(decode(pictureOf({ id: "a", prompt: "", answer: "", pictures: [{ kind: "named", name: sceneName(scene) }] }, 0)))),
  );
  assert.is(alone.width, size);
  const cell = ({ data }: { readonly data: Uint8Array }, c: number): readonly number[] =>
    Array.from({ length: 24 }, (_, y) => [
      ...data.subarray(3 * ((24 * (c >> 1) + y) * size + 24 * (c & 1)), 3 * ((24 * (c >> 1) + y) * size + 24 * (c & 1) + 24)),
    ]).flat();
  assert.ok([0, 1, 2].every((c) => cell(alone, c).every((v) => v === 255)));
  assert.not.ok(cell(alone, 3).every((v) => v === 255));
  assert.equal(cell(both, 3), cell(alone, 3));
  assert.not.equal(cell(both, 0), cell(alone, 0));
  assert.not.equal([...one.data], [...alone.data]);
  const red = await get(decode(pictureOf({ id: "a", prompt: "", answer: "", pictures: [{ kind: "named", name: "red 2 noto:tiger@3" }] }, 0)));
  assert.equal([...red.data.subarray(0, 6)], [...grounds.red, ...grounds.red]);
  assert.equal(cell(red, 3), cell(alone, 3));
});

test("pre-training asks about its own drawings, and its questions but that for the name are no task's", async () => {
  const drawings = await get(pretrainingDrawings);
  assert.ok(drawings.size > 1000);
  const asked = Array.from({ length: 300 }, (_, i) => askBefore(random(0, "test", i), drawings));
  const shown = new Set([...drawings.values()].flat());
  for (const { scene, answer } of asked) {
    assert.ok(scene.placed.every(({ drawing }) => shown.has(drawing)));
    assert.ok(answer.length > 0);
  }
  assert.not.ok(asked.some(({ prompt }) => /^(what colour|how many|are there more)/.test(prompt)));
});

test.run();
