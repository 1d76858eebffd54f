/** One `pipeline` for any number of stages, at either scale: what it does, what it says, and what its types keep. */
import * as E from "fp-ts/lib/Either.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { allParameters, lora, parallel, wholeLayers } from "../../src/model/adapters/index.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { evaluate } from "../../src/stages/evaluate.ts";
import { scan } from "../../src/stages/learn.ts";
import { merge } from "../../src/stages/merge.ts";
import { identity, manifest, named, pipeline, stepStage, taskStage, type StepStage, type TaskStage } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { all } from "../../src/subspace/selection.ts";
import { imageToText } from "../../src/training/objective.ts";
import { sgd } from "../../src/training/optimizer.ts";
import { constantly } from "../../src/training/schedule.ts";

const add = (n: number): StepStage<number, number> => stepStage(`+${n}`, { n }, (x) => x + n);
const text = stepStage("text", undefined, (x: number) => `${x}`);
const wants = <N extends string>(name: N): StepStage<number, number, N> => stepStage<number, number, N>(name, undefined, (x) => x);

/** The result of a stage that asks nothing of the tracing environment. */
const resultOf = <B>(stage: StepStage<number, B, string>, x: number): B => {
  const ended = stage.run(x)(undefined as never);
  assert.ok(E.isRight(ended));
  return ended.right;
};

test("one stage is itself, and many are run from left to right", () => {
  const one = add(1);
  assert.is(pipeline(one), one);
  const many = pipeline(add(1), add(2), add(3), add(4), add(5), add(6), add(7), add(8), add(9), add(10), add(11), add(12), text);
  assert.is(resultOf(many, 0), "78");
  assert.is(manifest(many).parts?.length, 13);
  assert.is(manifest(many).parts?.[12].name, "text");
});

test("beyond ten stages what does not fit is refused, too", () => {
  const ten = [add(1), add(2), add(3), add(4), add(5), add(6), add(7), add(8), add(9), add(10)] as const;
  const eleven: StepStage<number, string> = pipeline(...ten, text);
  assert.is(resultOf(eleven, 0), "55");
  // @ts-expect-error a text is no number
  pipeline(...ten, text, add(1));
  // @ts-expect-error the end is a text
  const wrong: StepStage<number, number> = pipeline(...ten, text);
  assert.ok(wrong);
});

test("what stages need adds up, wherever they stand", () => {
  const few: StepStage<number, number, "gate" | "∂A"> = pipeline(wants("gate"), add(1), wants("∂A"));
  const [a, b, c] = [add(1), add(2), add(3)] as const;
  const late: StepStage<number, number, "gate" | "∂A"> = pipeline(wants("gate"), a, b, c, a, b, c, a, b, c, a, wants("∂A"));
  // @ts-expect-error it needs gates
  const none: StepStage<number, number> = pipeline(a, b, c, a, b, c, a, b, c, a, wants("gate"));
  assert.equal(
    [few, late, none].map((stage) => resultOf(stage, 0)),
    [1, 19, 19],
  );
});

test("a composition is evaluated through what its last evaluation is", () => {
  const through = { name: "calibration", options: {}, of: () => () => 0 };
  const [plain, calibrated] = [evaluate(), evaluate({}, { calibration: through })];
  assert.equal(plain.inference, {});
  assert.is(pipeline(plain, calibrated).inference, calibrated.inference);
  assert.is(pipeline(calibrated, plain).inference, plain.inference);
  assert.is(named("m", {}, scan(pipeline(calibrated, identity("task")))).inference, calibrated.inference);
  assert.is(pipeline(add(1), add(2)).inference, undefined);
});

test("a composition makes updates of any rank where one of its stages does", () => {
  const steps = repeat(1, gradient(imageToText), update(sgd({ lr: constantly(1) })));
  const [some, whole] = [adapt({ adapters: lora(), steps }), adapt({ adapters: allParameters(), steps })] as readonly TaskStage<any, any>[];
  const beside = adapt({ adapters: parallel({ a: lora(), b: wholeLayers({ modules: ["q"], towers: "all" }) }), steps }) as TaskStage<any, any>;
  const merging = (drawn: "task" | "original") => merge(all, { interpolation: { alpha: 0.5, with: drawn } });
  const of = (...stages: readonly [TaskStage<any, any>, TaskStage<any, any>]) => named("of", {}, pipeline(...stages)).fullRank === true;
  assert.equal([of(some, merging("task")), of(some, merging("original")), of(whole, merging("task")), of(beside, merging("task"))], [false, true, true, true]);
});

test("a function in a stage knows what the stages before it give", () => {
  interface Chosen {
    readonly directions: string;
  }
  const given: TaskStage<string, Chosen> = taskStage("given", undefined, (directions) => RTE.of({ directions }));
  const using = <L extends object>(use: (lesson: L) => number): TaskStage<L, L & { readonly used: number }> =>
    taskStage("using", undefined, (lesson) => RTE.of({ ...lesson, used: use(lesson) }));
  const whole = pipeline(
    given,
    using(({ directions }) => directions.length),
    using(({ used }) => used + 1),
  );
  const typed: TaskStage<string, { readonly directions: string; readonly used: number }> = whole;
  pipeline(
    given,
    // @ts-expect-error nobody has given prototypes
    using(({ prototypes }) => prototypes),
  );
  assert.is(typed.scale, "task");
});

test("stages of two scales do not compose", () => {
  const task: TaskStage<number, number> = taskStage("task", undefined, (x) => RTE.of(x));
  // @ts-expect-error a step behind a task
  pipeline(task, add(1));
  // @ts-expect-error a task behind a step
  pipeline(add(1), task);
});

test.run();
