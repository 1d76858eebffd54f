/** Batches of questions and answers: what stands where, against hand computation; their order, what is skipped and what is cut; and that they are learned. */
import * as assert from "uvu/assert";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import type { AnswerTask } from "../../src/data/task.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { learner } from "../../src/model/learner.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import type { HostRecord } from "../../src/tensor/replay.ts";
import type { Lesson } from "../../src/training/lesson.ts";
import { objective } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import type { Event, Runtime } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";
import { left } from "../either.ts";
import { colourTask, question, tinyLlama, wordTokenizer } from "../fixtures/tinyLlama.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const model = tinyLlama();
const plain: AnswerTask = { ...colourTask("plain", 0), train: TE.right([question("q", "is it red", "no one"), question("r", "what", "sea")]) };
const lessonOf = (task: AnswerTask): Lesson => ({ learner: learner(model), task, position: 0, stream: { tasks: [task], labelSpace: "task" }, learned: 1 });

const encoded = async (device: Device, task: AnswerTask, batch: number, more: Partial<Runtime> = {}): Promise<TrainingBatches> =>
  (await get(encode({ batch, steps: 4 }).run(lessonOf(task))({ ...runtimeOf(device), ...more }))).batches;

/** The texts of a batch's rows, and of each the tokens that are predicted, with what each counts. */
const readable = ({ ids, positions, next, share }: HostRecord, length: number): readonly unknown[] =>
  Array.from({ length: ids.length / length }, (_, row) => {
    const tokens = [...ids.slice(row * length, (row + 1) * length)];
    const own = [...positions.keys()].filter((i) => share[i] > 0 && Math.floor(positions[i] / length) === row);
    return [wordTokenizer.decode(tokens), own.map((i) => [positions[i] % length, next[i], share[i]])];
  }).sort();

deviceTest("the tokens of answers and what closes them are predicted, each with the same part; all else is filled up", async (device) => {
  const batches = await encoded(device, plain, 2);
  const id = (word: string): number => wordTokenizer.encode(word)[0];
  assert.equal(batches.shape, { images: 0, texts: 2, length: 16, positions: 8, previous: 0 });
  const record = await get(batches.at(0));
  const sixth = Math.fround(1 / 6);
  // <s> is _ it _ red \n no _ one </s>, and <s> what \n sea </s>
  assert.equal(readable(record, 16), [
    [
      "is it red\nno one",
      [
        [6, id("no"), sixth],
        [7, id(" "), sixth],
        [8, id("one"), sixth],
        [9, 2, sixth],
      ],
    ],
    [
      "what\nsea",
      [
        [2, id("sea"), sixth],
        [3, 2, sixth],
      ],
    ],
  ]);
  assert.equal([...record.starts], [0, 0]);
  assert.equal([record.share[6], record.share[7], record.next[7]], [0, 0, 0]);
});

deviceTest("every epoch holds every question once, whatever was asked before, and a seed gives the same bits", async (device) => {
  const [a, b] = [await encoded(device, colourTask("a", 0), 4), await encoded(device, colourTask("a", 0), 4)];
  assert.is(a.epoch, 2);
  const third = await get(b.at(3));
  const all = [await get(a.at(0)), await get(a.at(1)), await get(a.at(2)), await get(a.at(3))];
  assert.equal(all[3], third);
  const texts = (from: HostRecord): readonly string[] =>
    Array.from({ length: 4 }, (_, row) => wordTokenizer.decode([...from.ids.slice(row * a.shape.length, (row + 1) * a.shape.length)]));
  const epoch = (i: number): readonly string[] => [...texts(all[i]), ...texts(all[i + 1])].sort();
  assert.equal(epoch(0), epoch(2));
  assert.is(new Set(epoch(0)).size, 8);
});

deviceTest("an answer without a token is a failure that names its question, or is left out and counted", async (device) => {
  const task: AnswerTask = { ...plain, train: TE.right([question("empty one", "is it red", " "), question("q", "is it red", "no")]) };
  const failed = left(await encode({ batch: 2, steps: 1 }).run(lessonOf(task))(runtimeOf(device))());
  assert.match(describe(failed), /empty one.*its answer is empty/);
  const events: Event[] = [];
  const batches = await encoded(device, task, 2, { onCorrupt: "skip", emit: (event) => void events.push(event) });
  const record = await get(batches.at(0));
  assert.is(wordTokenizer.decode([...record.ids]), "is it red\nno".repeat(2));
  assert.equal(events, [{ type: "skipped", id: "empty one", detail: "its answer is empty" }]);
});

deviceTest("a question that is too long is cut at its beginning, and that is told; an answer that is too long is refused", async (device) => {
  const events: Event[] = [];
  const task: AnswerTask = { ...plain, context: 9, chat: "the: {prompt}\n" };
  const batches = await encoded(device, task, 2, { emit: (event) => void events.push(event) });
  // <s> the : _ red \n no _ one </s> has 14 tokens; 9 are allowed.
  const texts = readable(await get(batches.at(0)), batches.shape.length).map((row) => (row as [string])[0]);
  assert.equal(texts, ["the: what\nsea", "the: \nno one"].sort());
  assert.equal(events, [{ type: "note", detail: "1 of 2 questions of plain are longer than 9 tokens with their answers; they are cut at their beginning" }]);
  const refused = left(await encode({ batch: 2, steps: 1 }).run(lessonOf({ ...task, context: 8 }))(runtimeOf(device))());
  assert.match(describe(refused), /context.*q has 14 tokens/);
});

const answers = objective("answers", ({ outputs }) => outputs.answerLoss, ["answerLoss"]);

deviceTest("what is encoded is learned: the loss of the answers falls", async (device) => {
  const losses: number[] = [];
  const emit = (event: Event): void => {
    if (event.type === "step") losses.push(event.losses.loss);
  };
  const stage = pipeline(
    encode({ batch: 4, steps: 40 }),
    adapt({ adapters: lora({ rank: 4 }), steps: repeat(40, gradient(answers), update(adamW({ lr: constantly(1e-2) }))) }),
  );
  const after = await stage.run(lessonOf(colourTask("a", 1)))({ ...runtimeOf(device), emit })();
  assert.ok(E.isRight(after));
  assert.is(losses.length, 40);
  assert.ok(losses[39] < 0.6 * losses[0], `${losses[0]} to ${losses[39]}`);
});

runTests();
