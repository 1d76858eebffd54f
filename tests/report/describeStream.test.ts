/** What is said of a stream before it is learned. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { readAnswerTask } from "../../src/data/answerTask.ts";
import { splitClasses } from "../../src/data/classSplit.ts";
import { printable } from "../../src/data/leftOut.ts";
import { fewShot } from "../../src/data/sampling.ts";
import { taskFromFolder } from "../../src/data/taskFromFolder.ts";
import { describeStream } from "../../src/report/describeStream.ts";
import { left, png, right, tar, temporaryFolder, write, writeWebDataset } from "../fixtures/datasets.ts";

const { dir: root, remove } = temporaryFolder("describe-stream");
test.after(remove);

const folders = async (): Promise<string> => {
  const dir = join(root, "animals");
  const image = await png(1, 2);
  write(dir, {
    "train/cat/0.png": image,
    "train/cat/1.png": image,
    "train/dog/0.png": image,
    "train/dog/notes.txt": "no picture",
    "test/cat/0.png": image,
    "test/cat/a.svg": "<svg></svg>",
    "test/eel/0.png": image,
    "classnames.txt": "dog\ncat\neel\nfox\n",
  });
  return dir;
};

test("a table of pictures and classes, and a line for all that is left out or lacks pictures", async () => {
  const shards = join(root, "insects");
  await writeWebDataset(shards);
  const tasks = [await get(taskFromFolder(await folders())), fewShot(1, 0)(await get(taskFromFolder(shards)))];
  assert.is(
    await get(describeStream({ tasks, labelSpace: "task" })),
    [
      "Task     Classes  Training pictures  of classes  Test pictures  of classes",
      "──────────────────────────────────────────────────────────────────────────",
      "animals        4                  3           2              2           2",
      "insects        3                  3           3              4           3",
      "animals: training: left out 1 file that is no picture (train/dog/notes.txt)",
      "animals: test: left out 1 SVG picture (test/cat/a.svg)",
      "animals: 1 of 4 classes has no picture: fox",
      "animals: 1 of 4 classes has no training picture: eel",
      "animals: 1 of 4 classes has no test picture: dog",
    ].join("\n"),
  );
  assert.match(
    await get(describeStream({ tasks, labelSpace: "task" }, { training: false })),
    /^Task +Classes +Test pictures +of classes\n.*\nanimals +4 +2 +2\n/,
  );
});

test("probes stand behind the tasks, with test pictures alone", async () => {
  const shards = join(root, "beetles");
  await writeWebDataset(shards);
  const [animals, beetles] = [await get(taskFromFolder(await folders())), await get(taskFromFolder(shards))];
  assert.is(
    await get(describeStream({ tasks: [beetles], labelSpace: "task", probes: [animals] })),
    [
      "Task             Classes  Training pictures  of classes  Test pictures  of classes",
      "──────────────────────────────────────────────────────────────────────────────────",
      "beetles                3                 12           3              4           3",
      "animals (probe)        4                  –           –              2           2",
      "animals: test: left out 1 SVG picture (test/cat/a.svg)",
      "animals: 2 of 4 classes have no test picture: dog, fox",
    ].join("\n"),
  );
  assert.match(await get(describeStream({ tasks: [beetles], labelSpace: "task", probes: [animals] }, { training: false })), /\nanimals \(probe\) +4 +2 +2\n/);
});

test("a name that several classes have is said", async () => {
  const dir = join(root, "birds");
  await writeWebDataset(dir);
  write(dir, { "classnames.txt": "crane\nbee\ncrane\n" });
  const stream = { tasks: [await get(taskFromFolder(dir))], labelSpace: "task" } as const;
  assert.match(await get(describeStream(stream)), /\nbirds: 1 class name is that of several classes: crane$/);
});

test("what cannot be read is counted; class-incremental tasks say once what was left out", async () => {
  const dir = join(root, "spoiled");
  await writeWebDataset(dir);
  const image = await png(1, 2);
  write(dir, { "test/0.tar": await tar({ "a.png": image, "a.cls": "7", "b.png": image, "b.cls": "1", "c.txt": "" }) });
  const task = await get(taskFromFolder(dir, { onCorrupt: "skip" }));
  const parts = right(splitClasses(task, { tasks: 3, seed: 0 }));
  const said = await get(describeStream(parts));
  assert.is(said.match(/cannot be read: .*0\.tar:a\.cls/g)?.length, 1);
  assert.is(said.match(/left out/g)?.length, 1);
  const failing = await get(taskFromFolder(dir));
  assert.is(left(await describeStream({ tasks: [failing], labelSpace: "task" })())._tag, "CorruptSample");
});

test("questions: how they are scored, what a guess among choices gets, pictures where there are any, and what cannot be read", async () => {
  const record = (over: object): string => JSON.stringify({ prompt: "Is it red?", answer: "no", choices: ["yes", "no"], ...over });
  const picture = await png(1, 2);
  write(join(root, "colours"), {
    "a.png": picture,
    "train.jsonl": [record({ image: "a.png" }), record({ images: ["a.png", "a.png"], source: "web" }), '{"prompt": "Is it red?"}'].join("\n"),
    "test.jsonl": [record({}), record({ choices: ["yes", "no", "perhaps", "both"], source: "web" })].join("\n"),
  });
  write(join(root, "sums"), { "train.jsonl": '{"prompt": "1 + 1?", "answer": "2"}', "test.jsonl": '{"prompt": "1 + 2?", "answer": "3"}' });
  const [colours, sums] = await Promise.all(["colours", "sums"].map((name) => get(readAnswerTask(join(root, name), { onCorrupt: "skip" }))));
  const at = join(root, "colours", "train.jsonl:3");
  assert.is(
    await get(describeStream({ tasks: [colours, sums], labelSpace: "task" })),
    [
      "Task     Score   By chance  Training questions  with pictures  Test questions  with pictures",
      "────────────────────────────────────────────────────────────────────────────────────────────",
      "colours  choice       37.5                   2              3               2              0",
      "sums     exact           –                   1              0               1              0",
      "colours: left out fields that are not known: source",
      `colours: training: 1 cannot be read: ${printable(at)} (it has no "answer")`,
    ].join("\n"),
  );
  assert.is(
    await get(describeStream({ tasks: [sums], labelSpace: "task", probes: [colours] }, { training: false })),
    [
      "Task             Score   By chance  Test questions",
      "──────────────────────────────────────────────────",
      "sums             exact           –               1",
      "colours (probe)  choice       37.5               2",
      "colours: test: left out fields that are not known: source",
    ].join("\n"),
  );
});

test.run();
