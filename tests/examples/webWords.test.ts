/** What the page of a browser's tab says in words and plots, as a function of its state. */
import * as assert from "node:assert/strict";
import { test } from "uvu";
import { accuracyChart, begunTasks, lossChart } from "../../examples/web/plots.ts";
import type { Event, Lesson, Task } from "../../examples/web/protocol.ts";
import { initial, reduce, type State } from "../../examples/web/state.ts";
import { cardText, heldBy, lostBy, percent, progressText, verdict } from "../../examples/web/words.ts";

const task = (id: string): Task => ({ id, name: id, own: false, classNames: ["a", "b"], train: 12, test: 4, samples: [] });
const lesson = (id: string, row: Lesson["row"]): Lesson => ({ task: id, row, guesses: {} });
const preview = (accuracy: number) => ({ accuracy, shown: [] });

const opened: Event = {
  ...{ type: "opened", adapter: "an adapter", model: "icon-nano", training: { steps: 4, batch: 8 }, rival: "codyra" },
  tasks: [task("animals"), task("food"), task("flags")],
  taught: {},
  previews: { animals: preview(30), food: preview(55) },
};

const learned = (method: "sequential-lora" | "codyra", ...lessons: readonly Lesson[]): readonly Event[] =>
  lessons.map((one) => ({ type: "learned", method, lesson: one }));

const after = (events: readonly Event[], from: State = initial): State => events.reduce(reduce, from);

const two = after([
  opened,
  ...learned("sequential-lora", lesson("animals", { animals: 80 }), lesson("food", { animals: 45, food: 90 })),
  ...learned("codyra", lesson("animals", { animals: 75 }), lesson("food", { animals: 75.2, food: 85 })),
]);

test("what a method holds is compared with what it knew right after the lesson", () => {
  assert.deepEqual(heldBy(two.methods["sequential-lora"]), [
    { task: "animals", once: 80, now: 45 },
    { task: "food", once: 90, now: 90 },
  ]);
  assert.equal(lostBy(two.methods["sequential-lora"]), 35);
  assert.equal(lostBy(after([opened]).methods.codyra), undefined);
});

test("the verdict names what was lost, and asks for a second lesson before there is anything to lose", () => {
  assert.equal(verdict(after([opened])), "");
  const one = after([opened, ...learned("codyra", lesson("animals", { animals: 75 }))]);
  assert.match(verdict(one), /^It has learned animals\. Teach it a second thing/);
  assert.equal(verdict(two), "Since it learned food, of animals: Sequential LoRA has lost 35 points; CoDyRA has lost nothing.");
});

test("a card says where its task stands", () => {
  assert.equal(cardText(two, "food"), "lesson 2");
  assert.equal(cardText(two, "flags"), "not seen yet");
  assert.equal(cardText(after([opened]), "food"), "before any lesson 55\u202f%");
});

test("progress says how far it is and how long it takes, as far as that is known", () => {
  const phase = { kind: "learning", what: "CoDyRA learns food" } as const;
  assert.equal(progressText(phase), "");
  assert.equal(progressText({ ...phase, done: 3, total: 24, seconds: 8.4 }), "3 of 24 \u00b7 about 8 s left");
  assert.equal(progressText({ ...phase, seconds: 0.4 }), "a moment left");
  assert.equal(progressText({ ...phase, seconds: 127 }), "about 2 min 05 s left");
  assert.equal(percent(0.004), "< 1\u202f%");
  assert.equal(percent(0), "0\u202f%");
});

test("a lesson that goes on has half a line, and its accuracy is told in a sentence", () => {
  const going = after([{ type: "begun", method: "codyra", task: "flags", from: 0, steps: 4 }], two);
  assert.deepEqual(begunTasks(going), ["animals", "food", "flags"]);
  assert.equal(lossChart(going, "flags"), undefined);
  const half = after([{ type: "losses", method: "codyra", task: "flags", first: 0, losses: [2, 1] }], going);
  const chart = lossChart(half, "flags");
  assert.equal(chart?.label, "Loss on flags: CoDyRA from 2.00 to 1.00 at step 2 of 4.");
  const [first, second] = chart?.lines[0].points ?? [];
  const whole = after([{ type: "losses", method: "codyra", task: "flags", first: 2, losses: [1, 1] }], half);
  const points = lossChart(whole, "flags")?.lines[0].points ?? [];
  assert.equal(points.length, 4);
  // What was drawn stays where it was.
  assert.deepEqual(points.slice(0, 2), [first, second]);
  assert.equal(
    accuracyChart(half, "animals").label,
    "Accuracy on animals in percent: Sequential LoRA 30 before, 80 after lesson 1, 45 after lesson 2; CoDyRA 30 before, 75 after lesson 1, 75 after lesson 2.",
  );
});

test.run();
