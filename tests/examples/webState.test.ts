import * as assert from "node:assert/strict";
import { test } from "uvu";
import { compared, initial, learnedTasks, reduce, type State } from "../../examples/web/state.ts";
import type { Event, Lesson, Task } from "../../examples/web/protocol.ts";

const task = (id: string, own = false): Task => ({ id, name: id, own, classNames: ["a", "b"], train: 12, test: 4, samples: [] });
const lesson = (id: string, row: Lesson["row"]): Lesson => ({ task: id, row, guesses: {} });

const opened: Event = {
  type: "opened",
  adapter: "SwiftShader (software, on the CPU)",
  slow: "No GPU.",
  model: "icon-nano",
  training: { steps: 24, batch: 16 },
  rival: "keeplora++",
  tasks: [task("animals"), task("cups", true)],
  taught: { codyra: { lessons: [lesson("animals", { animals: 80 })], curves: [{ task: "animals", steps: 2, losses: [2, 1] }] } },
  previews: { animals: { accuracy: 50, shown: [] } },
};

const after = (events: readonly Event[], from: State = initial): State => events.reduce(reduce, from);

test("what an earlier visit has kept is there when the page is open", () => {
  const state = after([opened]);
  assert.deepEqual(compared(state), ["sequential-lora", "keeplora++"]);
  assert.deepEqual(learnedTasks(state), ["animals"]);
  assert.deepEqual(state.methods.codyra.curves[0].losses, [2, 1]);
  assert.deepEqual(state.methods["sequential-lora"].lessons, []);
  assert.equal(state.previews.animals.accuracy, 50);
});

test("losses grow the curve of their task alone, and a training that goes on keeps what was before it", () => {
  const begin = (from: number): Event => ({ type: "begun", method: "codyra", task: "cups", from, steps: 4 });
  const losses = (first: number, ...all: readonly number[]): Event => ({ type: "losses", method: "codyra", task: "cups", first, losses: all });
  const stopped: Event = { type: "stopped", method: "codyra", task: "cups", step: 2 };
  const state = after([opened, begin(0), losses(0, 3, 2), stopped]);
  assert.deepEqual(state.methods.codyra.stopped, { task: "cups", step: 2 });
  const on = after([begin(2), losses(2, 1.5, 1)], state);
  assert.deepEqual(
    on.methods.codyra.curves.map(({ losses: all }) => all),
    [
      [2, 1],
      [3, 2, 1.5, 1],
    ],
  );
  assert.equal(on.methods.codyra.stopped, undefined);
  assert.deepEqual(after([begin(0)], on).methods.codyra.curves[1].losses, []);
});

test("a lesson is behind those before it", () => {
  const state = after([opened, { type: "learned", method: "codyra", lesson: lesson("cups", { animals: 70, cups: 90 }) }]);
  assert.deepEqual(
    state.methods.codyra.lessons.map(({ row }) => row),
    [{ animals: 80 }, { animals: 70, cups: 90 }],
  );
  assert.deepEqual(learnedTasks(state), ["animals", "cups"]);
});

test("a failure stands until the next thing begins, and loses nothing", () => {
  const failed = after([opened, { type: "phase", phase: null }, { type: "failed", request: "learn", sentence: "The disk is full." }]);
  assert.equal(failed.failure?.sentence, "The disk is full.");
  assert.deepEqual(learnedTasks(failed), ["animals"]);
  const next = reduce(failed, { type: "phase", phase: { kind: "scoring", what: "The model looks at cups" } });
  assert.equal(next.failure, undefined);
});

test("a task that is told of again takes its place", () => {
  const state = after([opened, { type: "task", task: { ...task("cups", true), train: 99 } }, { type: "task", task: task("forks", true) }]);
  assert.deepEqual(
    state.tasks.map(({ id, train }) => [id, train]),
    [
      ["animals", 12],
      ["cups", 99],
      ["forks", 12],
    ],
  );
});

test("what is forgotten is gone, and the adapter stays", () => {
  const state = after([opened, { type: "guessed", image: "data:,", guesses: {} }, { type: "forgotten" }]);
  assert.deepEqual(
    state.tasks.map(({ id }) => id),
    ["animals"],
  );
  assert.deepEqual(learnedTasks(state), []);
  assert.equal(state.guessed, undefined);
  assert.equal(state.adapter, "SwiftShader (software, on the CPU)");
});

test.run();
