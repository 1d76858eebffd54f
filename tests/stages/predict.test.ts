/** What learners of all kinds take pictures for: the same as `evaluate` says of them, whatever head, branch or calibration their method has. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get } from "../../src/failure.ts";
import { methods, type MethodName, type MethodOptions } from "../../src/methods/table.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { readModel, type Model } from "../../src/model/model.ts";
import { initialWeights } from "../../src/model/weights.ts";
import { accuracies } from "../../src/stages/evaluate.ts";
import { placesOfNames, placesOfTasks } from "../../src/stages/fitted.ts";
import type { Calibration, Predictor } from "../../src/stages/inference.ts";
import { course } from "../../src/stages/learn.ts";
import { asked, classified, type Classified, type Labels } from "../../src/stages/predict.ts";
import { best, ranking } from "../../src/stages/scores.ts";
import type { Event } from "../../src/training/runtime.ts";
import type { ClassStream, ClassTask } from "../../src/data/task.ts";
import { left, right } from "../fixtures/datasets.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { runtimeOf } from "../methods/trace.ts";

const stream: ClassStream = {
  labelSpace: "union",
  tasks: [patternTask("first", ["cat", "dog"], 1), patternTask("second", ["car", "van", "bus"], 2), patternTask("third", ["oak", "elm"], 3)],
};
const labels = stream.tasks.flatMap(({ classNames }) => classNames);
const sizes = stream.tasks.map(({ classNames }) => classNames.length);
const quick: MethodOptions = { steps: 4, batch: 8, rank: 3, lr: 1e-2 };

/** Two blocks: what enters the second sees images, so that a memory of features has something to remember. */
const clip = async (): Promise<Model> => {
  const plain = await tinyClip();
  const config = { ...plain.config, vision: { ...plain.config.vision, layers: 2 } };
  return { ...plain, config, weights: initialWeights(plain.architecture, config, 1) };
};
const vit = () => get(readModel("tests/fixtures/vit-tiny"));

/** The learner of a method after the stream, and what is known of it behind a run. */
const learned = async (device: Device, name: MethodName, model: Model, options: MethodOptions = {}): Promise<Required<Omit<Predictor, "asking">>> => {
  const method = methods[name]({ ...quick, ...options });
  const { learner: after } = await get(method.run(course(learner(model), stream))(runtimeOf(device)));
  return { learner: after, inference: method.inference!, tasks: sizes };
};

/** What a learner takes the test pictures of all tasks for. */
const predicted = async (device: Device, predictor: Predictor, options: Labels): Promise<readonly Classified[]> => {
  const examples = (await Promise.all(stream.tasks.map(({ test }) => get(test)))).flat();
  return get(classified(right(asked(predictor, options)), { examples }, options.top)(runtimeOf(device)));
};

/** The same share of a picture; on a GPU to rounding, since which kernel computes a feature depends there on how many pictures are computed together. */
const sameShare = ({ adapter }: Device, got: number, want: number): void =>
  adapter.kind === "cpu" ? assert.is(got, want) : assert.ok(Math.abs(got - want) < 1e-6, `${got} is not ${want}`);

/** The same labels of all pictures, and the same shares of each. */
const sameShares = (device: Device, got: readonly Classified["labels"][], want: readonly Classified["labels"][]): void => {
  const names = (of: typeof got) => of.map((all) => all.map(({ label }) => label));
  assert.equal(names(got), names(want));
  got.forEach((all, i) => all.forEach(({ score }, j) => sameShare(device, score, want[i][j].score)));
};

const failure = (predictor: Predictor, options: Labels): string => describe(left(asked(predictor, options)));

for (const [name, model, options] of [
  ["codyra", clip, {}],
  ["keeplora+", clip, {}],
  ["duallora", clip, { threshold: 0.99, prediction: { mode: "soft", temperature: 1 } }],
  ["duallora", clip, { threshold: 0.99, prediction: { mode: "hard", confidence: 0 } }],
  ["duallora", vit, { threshold: 0.99 }],
  ["color", clip, {}],
  ["color", vit, {}],
  ["moram", clip, {}],
  ["sequential-lora", vit, {}],
] as const) {
  deviceTest(`${name} on a ${model.name} predicts what its evaluation answers ${JSON.stringify(options)}`, async (device) => {
    const predictor = await learned(device, name, await model(), options);
    const told: Extract<Event, { type: "predictions" }>[] = [];
    const runtime = { ...runtimeOf(device), top: 2, emit: (event: Event) => void (event.type === "predictions" && told.push(event)) };
    const { answers } = await get(accuracies(predictor.learner, stream, 3, predictor.inference)(runtime));
    const wanted = answers!.flatMap((task) => task!.answers.map((answer) => labels[answer]));
    const got = await predicted(device, predictor, { labels, template: "{c}" });
    assert.equal(
      got.map(({ labels: [{ label }] }) => label),
      wanted,
    );
    // The order of labels means nothing, and those that were learned need no names.
    const turned = await predicted(device, predictor, { labels: labels.toReversed(), template: "{c}" });
    const scores = (of: readonly Classified[]) => of.map(({ labels: all }) => labels.map((label) => all.find((one) => one.label === label)!.score.toFixed(6)));
    assert.equal(scores(turned), scores(got));
    assert.equal(await predicted(device, predictor, { template: "{c}" }), got);
    // An evaluation tells of the same shares.
    const top = told.flatMap(({ predictions }) => predictions.map((one) => one.top));
    sameShares(
      device,
      top,
      got.map((one) => one.labels.slice(0, 2)),
    );
    const first = told[1].predictions[0];
    assert.equal([told[1].dataset, first.sample, first.label], ["second", "second 0 8", "car"]);
    sameShare(device, first.score!, got[8].labels.find(({ label }) => label === "car")!.score);
    for (const { labels: all } of got) assert.ok(Math.abs(all.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-9);
  });
}

for (const [name, model, options] of [
  ["color", clip, {}],
  ["duallora", clip, { threshold: 0.99, prediction: { mode: "hard", confidence: 0 } }],
] as const) {
  deviceTest(`${name} on a ${model.name} answers among the classes of a part of its tasks, of pictures of all`, async (device) => {
    const predictor = await learned(device, name, await model(), options);
    const calibration: Calibration = { ...predictor.inference.calibration!, of: () => () => 0 };
    const uncorrected = { ...predictor, inference: { ...predictor.inference, calibration } };
    const whole = await predicted(device, predictor, { labels, template: "{c}" });
    const isOut = (all: Classified["labels"], { classNames }: ClassTask): boolean =>
      all.every(({ label, score }) => !classNames.includes(label) || score === 0);
    let without = 0;
    for (const pair of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      const tasks = pair.map((position) => stream.tasks[position]);
      const among = { labels: tasks.flatMap(({ classNames }) => classNames), template: "{c}" };
      const got = await predicted(device, predictor, among);
      const plain = await predicted(device, uncorrected, among);
      for (const [i, { labels: all }] of got.entries()) {
        assert.ok(Math.abs(all.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-9, JSON.stringify(all));
        // Where the task that an image is taken for is not asked about, scores alone count.
        if (tasks.every((task) => isOut(whole[i].labels, task))) {
          without++;
          assert.equal(all, plain[i].labels);
        } else for (const task of tasks) assert.is(isOut(all, task), isOut(whole[i].labels, task));
      }
    }
    assert.ok(without > 0);
  });
}

deviceTest("some of the labels share what all had, and a new one counts by its text alone", async (device) => {
  const predictor = await learned(device, "keeplora+", await clip());
  const two = await predicted(device, predictor, { labels: ["dog", "van"], template: "{c}" });
  const all = await predicted(device, predictor, { labels: [...labels, "a whale"], template: "{c}" });
  const ratio = ({ labels: list }: Classified): number => list.find(({ label }) => label === "dog")!.score / list.find(({ label }) => label === "van")!.score;
  two.forEach((one, i) => assert.ok(Math.abs(ratio(one) / ratio(all[i]) - 1) < (device.adapter.kind === "cpu" ? 1e-6 : 1e-5)));
  const plain = { ...predictor, learner: { ...predictor.learner, head: undefined } };
  const shares = (of: readonly Classified[]) => of.map(({ labels: list }) => list.find(({ label }) => label === "a whale")!.score);
  const headless = await predicted(device, plain, { labels: ["a whale", "a shark"], template: "{c}" });
  const headed = await predicted(device, predictor, { labels: ["a whale", "a shark"], template: "{c}" });
  assert.equal(shares(headed), shares(headless));
  // Behind a head come classes of a method that trains none.
  const { head } = predictor.learner;
  const half = { ...predictor.learner, head: { ...head!, rows: head!.rows.subarray(0, (5 * head!.rows.length) / 7), bias: head!.bias.subarray(0, 5) } };
  const scores = async (learner: Learner) =>
    (await predicted(device, { ...predictor, learner }, { labels: ["oak", "elm"], template: "{c}" })).map((one) => one.labels);
  assert.equal(await scores(half), await scores(plain.learner));
});

deviceTest("a label that two tasks have learned has the better of their rows", async (device) => {
  const { learner: after } = await learned(device, "sequential-lora", await vit());
  const twice: Learner = { ...after, seen: ["cat", "dog", "car", "van", "Dog", "oak", "elm"] };
  const all = await predicted(device, { learner: after }, { labels });
  const merged = await predicted(device, { learner: twice }, {});
  assert.is(merged[0].labels.length, 6);
  merged.forEach(({ labels: [first] }, i) => assert.is(first.label, all[i].labels[0].label === "bus" ? "dog" : all[i].labels[0].label));
});

deviceTest("what cannot be answered is refused before a device is asked", async (device) => {
  const [fresh, seeing] = [{ learner: learner(await clip()) }, { learner: learner(await vit()) }];
  assert.match(failure(fresh, {}), /labels: there are none, and the learner has learned no classes/);
  assert.match(failure(fresh, { labels: [] }), "labels: there are none");
  assert.match(failure(fresh, { labels: ["cat", " "] }), "one of them is empty");
  assert.match(failure(fresh, { labels: ["cat", "dog", "Cat"] }), '"cat" and "Cat" are one name');
  assert.match(failure(fresh, { labels: ["cat"], template: "a photo" }), '"a photo" has no {c}');
  assert.match(failure(fresh, { labels: ["cat"], template: [] }), "template: there is none");
  assert.match(failure(seeing, { labels: ["cat"] }), "a vit reads no texts, and this one has learned no classes");
  const headed = await learned(device, "sequential-lora", seeing.learner.model);
  assert.match(failure(headed, { labels: ["cat", "whale"] }), /"whale" is no class that was learned.*it knows "cat", "dog"/);
  const fewer = { ...headed.learner, head: { ...headed.learner.head!, bias: new Float32Array(5) } };
  assert.match(failure({ learner: fewer }, { labels: ["cat", "oak"] }), '"oak" is no class that was learned');
  const { learner: branched } = await learned(device, "duallora", fresh.learner.model, { threshold: 0.99 });
  assert.match(failure({ learner: branched }, { labels: ["cat"] }), "give the folder of its run");
});

const none = (): number => 0;

test("a ranking begins with the best class, falls, and sums to one", () => {
  const scores = fc.array(fc.double({ min: -200, max: 200, noNaN: true }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(scores, (of) => {
      const [tasks, score] = [[{ position: 0, first: 0, count: of.length }], (_: number, c: number) => of[c]];
      const distinct = of.map((_, c) => c);
      const ranked = ranking(0, score, tasks, none, distinct)!;
      assert.is(ranked[0].cls, best(0, score, tasks, none));
      ranked.slice(1).forEach((one, i) => assert.ok(of[one.cls] <= of[ranked[i].cls] && one.score <= ranked[i].score));
      assert.ok(Math.abs(ranked.reduce((sum, one) => sum + one.score, 0) - 1) < 1e-9);
      const oneName = ranking(0, score, tasks, none, of.map(none))!;
      assert.equal(oneName, [{ cls: 0, score: 1 }]);
    }),
  );
  const two = [0, 1].map((position) => ({ position, first: position, count: 1 }));
  assert.equal(
    ranking(
      0,
      () => 3,
      two,
      (_, position) => (position === 0 ? -Infinity : 0),
      [0, 1],
    ),
    [
      { cls: 1, score: 1 },
      { cls: 0, score: 0 },
    ],
  );
  assert.is(
    ranking(0, () => Number.NaN, two, none, [0, 1]),
    undefined,
  );
  const allOut = (): number => -Infinity;
  assert.is(
    best(0, (_, cls) => cls, two, allOut),
    1,
    "where a correction leaves no task, scores alone count",
  );
});

test("tasks of a learner's own stream stand where they stood, in whatever order they are given", () => {
  const name = fc.constantFrom("ant", "bee", "cat", "dog");
  const tasks = fc.array(fc.uniqueArray(name, { minLength: 1 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(tasks, (of) => {
      const seen = of.flat();
      const own = of.map((classNames) => ({ classNames }));
      assert.equal(
        placesOfTasks(seen, own).flat(),
        seen.map((_, i) => i),
      );
      for (const [k, places] of placesOfTasks(seen, own.toReversed()).entries())
        assert.equal(
          places.map((place) => seen[place!]),
          own.toReversed()[k].classNames,
        );
    }),
  );
  assert.equal(placesOfTasks(["ant", "bee", "cat"], [{ classNames: ["cat", "dog"] }, { classNames: ["Bee"] }]), [[2, undefined], [1]]);
  assert.equal(placesOfNames(["ant", "bee", "Ant"], ["ant", "dog"]), [[0, 2], []]);
});

runTests();
