/** Questions about pictures, on a tiny LLaVA: what a batch shows to which row, and that what is asked together is answered as what is asked alone. */
import * as assert from "uvu/assert";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, get, type Failure } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import type { ImageReference } from "../../src/data/example.ts";
import type { Question } from "../../src/data/question.ts";
import type { AnswerTask } from "../../src/data/task.ts";
import { learner } from "../../src/model/learner.ts";
import { readModel } from "../../src/model/model.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import { evaluated } from "../../src/stages/evaluate.ts";
import { merge } from "../../src/stages/merge.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { pool } from "../../src/stages/pool.ts";
import { course } from "../../src/stages/learn.ts";
import { inputGrams } from "../../src/subspace/inputs.ts";
import type { Lesson } from "../../src/training/lesson.ts";
import { answers } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import type { Event, Runtime } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { left } from "../either.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, relativeError, runTests } from "../tensor/check.ts";

const model = await get(readModel("tests/fixtures/llava-tiny"));
const chat = "{prompt}\n";

const coloured = (red: number, blue: number): ImageReference => {
  const data = Uint8Array.from({ length: 3 * 28 * 28 }, (_, i) => [red, (i * 7) % 256, blue][i % 3]);
  return { kind: "pixels", image: { width: 28, height: 28, data } };
};
const [red, blue] = [coloured(220, 10), coloured(10, 220)];

const ask = (id: string, pictures: readonly ImageReference[], answer: string, prompt = "is it?"): Question => ({
  id,
  prompt,
  pictures,
  answer,
  choices: ["yes", "no", "nose"],
});

const questions: readonly Question[] = [
  ask("red", [red], "yes"),
  ask("none", [], "no", "is it not?"),
  ask("blue", [blue], "no"),
  ask("both", [blue, red], "nose"),
];
const taskOf = (name: string, test: readonly Question[]): AnswerTask => ({
  kind: "answer",
  name,
  score: "choice",
  chat,
  maxTokens: 3,
  train: TE.right(test),
  test: TE.right(test),
});
const lessonOf = (task: AnswerTask): Lesson => ({ learner: learner(model), task, position: 0, stream: { tasks: [task], labelSpace: "task" }, learned: 1 });

const repliesTo = async (device: Device, list: readonly Question[], more: Partial<Runtime> = {}) => {
  const { replies } = await get(evaluated(learner(model), { tasks: [taskOf("all", list)], labelSpace: "task" }, 0)({ ...runtimeOf(device), ...more }));
  return replies![0]!.map(({ sample, predicted, generated }) => ({ sample, predicted, generated }));
};

deviceTest("questions with one picture, several and none are answered together as they are alone", async (device) => {
  const together = await repliesTo(device, questions);
  assert.equal(together.length, 4);
  for (const [i, question] of questions.entries()) assert.equal(await repliesTo(device, [question]), [together[i]]);
});

deviceTest("every row of a batch sees its own pictures, and what fills up is not there", async (device) => {
  const { batches } = await get(encode({ batch: 4, steps: 1 }).run(lessonOf(taskOf("all", questions)))(runtimeOf(device)));
  const { length, images, texts } = batches.shape;
  assert.equal([texts, images], [4, 8]);
  const { ids, picks, pixels, seen, real } = await get(batches.at(0));
  const plane = 3 * 28 * 28;
  for (let row = 0; row < 4; row++) {
    const own = [...picks.subarray(row * length, (row + 1) * length)].filter((pick) => pick > 0);
    const pictures = own.length / 16;
    assert.equal(
      own,
      Array.from({ length: own.length }, (_, i) => 1 + row * 2 * 16 + i),
    );
    assert.equal([...seen.subarray(2 * row, 2 * row + 2)], [pictures > 0 ? 1 : 0, pictures > 1 ? 1 : 0]);
    for (let k = 0; k < 2; k++) {
      const sum = [...pixels.subarray((2 * row + k) * plane, (2 * row + k + 1) * plane)].reduce((a, b) => a + Math.abs(b), 0);
      assert.is(sum > 0, k < pictures);
    }
    const tokens = [...real.subarray(row * length, (row + 1) * length)].filter((x) => x === 1).length;
    assert.ok([...ids.subarray(row * length + tokens, (row + 1) * length)].every((id) => id === 301));
  }
});

deviceTest("grams are those of the tokens and the pictures that there are: a longer batch of the same questions has the same", async (device) => {
  const layers = { modules: ["q", "fc1", "linear1"], towers: "all", tokens: "all", accumulate: "gram" } as const;
  const gramsOf = async (batch: number) => {
    const lesson = await get(encode({ batch, steps: 1 }).run(lessonOf(taskOf("all", questions)))(runtimeOf(device)));
    const grams = await Promise.all(
      (["vision", "projector", "language"] as const).map((tower) => {
        const kinds = { vision: ["q", "fc1"], projector: ["linear1"], language: ["q", "up"] }[tower];
        return get(inputGrams(lesson, { ...layers, modules: kinds, towers: [tower] })(runtimeOf(device)));
      }),
    );
    return new Map(grams.flatMap((part) => [...part]));
  };
  const [whole, single] = [await gramsOf(4), await gramsOf(1)];
  assert.ok(whole.size > 6);
  for (const [layer, { data }] of whole) assert.ok(relativeError(data, single.get(layer)!.data) < 1e-4, layer);
});

deviceTest("grams of a projector that pools its tokens are those of its pictures, however long the texts are", async (device) => {
  const pooled = { ...model, config: { ...model.config, pooled: true } };
  const choice = { modules: ["linear1"], towers: ["projector"], tokens: "all", accumulate: "gram" } as const;
  const found = new Map<number, ArrayLike<number>>();
  for (const more of ["", " it? is it? is", " it? is it? is it? is it? is"]) {
    const asked = questions.map((question) => ({ ...question, prompt: `is${more}`, pictures: question.pictures.slice(0, 1) }));
    const lesson = { ...lessonOf(taskOf("all", asked)), learner: learner(pooled) };
    const encoded = await get(encode({ batch: 4, steps: 1 }).run(lesson)(runtimeOf(device)));
    const [gram] = (await get(inputGrams(encoded, choice)(runtimeOf(device)))).values();
    found.set(encoded.batches.shape.length, gram.data);
  }
  // At one length a text has as many tokens as the projector sees of a picture.
  const [own, ...others] = [found.get(16)!, ...found.values()];
  assert.ok(found.size > 1, `${[...found.keys()]}`);
  for (const other of others) assert.ok(relativeError(other, own) < 1e-5);
});

deviceTest("a step on all towers is learned and merged", async (device) => {
  const losses: number[] = [];
  const emit = (event: Event): void => void (event.type === "step" && losses.push(event.losses.loss));
  const stage = pipeline(
    encode({ batch: 4, steps: 12 }),
    adapt({ adapters: lora({ rank: 2 }), steps: repeat(12, gradient(answers), update(adamW({ lr: constantly(2e-2) }))) }),
    merge(),
  );
  const after = await get(stage.run(lessonOf(taskOf("all", questions)))({ ...runtimeOf(device), emit }));
  assert.ok(losses[11] < 0.9 * losses[0], `${losses[0]} to ${losses[11]}`);
  assert.ok(after.mergeError < 1e-3, `${after.mergeError}`);
});

deviceTest("a picture that cannot be decoded stops, or its question is left out; joint training decodes each as its own task does", async (device) => {
  const failure: Failure = { _tag: "CorruptSample", path: "pictures", member: "x.png", detail: "bad" };
  const bad = ask("bad", [red, { kind: "damaged", failure }], "yes");
  assert.equal(left(await evaluated(learner(model), { tasks: [taskOf("all", [bad])], labelSpace: "task" }, 0)(runtimeOf(device))()), failure);
  const skipped: string[] = [];
  const emit = (event: Event): void => void (event.type === "skipped" && skipped.push(event.id));
  assert.equal(await repliesTo(device, [questions[0], bad], { onCorrupt: "skip", emit }), await repliesTo(device, [questions[0]]));
  assert.equal(skipped, ["bad"]);
  const named = (name: string, image: ImageReference): AnswerTask => ({
    ...taskOf(name, [ask(name, [{ kind: "named", name }], "yes")]),
    decode: ({ image: { kind } }) => (kind === "named" && image.kind === "pixels" ? TE.right(image.image) : TE.left(failure)),
  });
  const stream = { tasks: [named("red", red), named("blue", blue)], labelSpace: "task" as const };
  const pooled = await get(pool.run(course(learner(model), stream))(runtimeOf(device)));
  const [both] = pooled.curriculum as readonly AnswerTask[];
  const { batches } = await get(encode({ batch: 2, steps: 1 }).run({ ...lessonOf(both), stream })(runtimeOf(device)));
  const { pixels } = await get(batches.at(0));
  assert.ok(relativeError(pixels.subarray(0, 3 * 784), pixels.subarray(3 * 784)) > 0.1);
  const other = { ...stream, tasks: [stream.tasks[0], { ...stream.tasks[1], chat: "vicuna" }] };
  assert.match(describe(left(await pool.run(course(learner(model), other))(runtimeOf(device))())), /asked by one template, and red by/);
});

runTests();
