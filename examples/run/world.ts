/** What `npm start` shows: a model that comes along, and a stream of tasks that it learns. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Stream } from "../../src/data/task.ts";
import type { Failure } from "../../src/failure.ts";
import type { MethodName, MethodOptions } from "../../src/methods/table.ts";
import { clip } from "../../src/model/clip.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { llava } from "../../src/model/llava.ts";
import { readModelAs } from "../../src/model/model.ts";
import { counted } from "../../src/page/markup.ts";
import type { EvaluateOptions } from "../../src/stages/evaluate.ts";
import { iconQuestions } from "../icons/questions.ts";
import { iconStream } from "../icons/world.ts";
import { paced } from "./pace.ts";
import type { Plan, Plans } from "./plan.ts";

/** A model, and what it learns. */
export interface World {
  /** The folder of the model that comes along. */
  readonly model: string;
  /** The largest stream. */
  readonly tasks: number;
  readonly plans: Plans;
  readonly evaluate: EvaluateOptions;
  /** Reads a model folder, as a learner and its stream under a plan. */
  readonly open: (dir: string) => TE.TaskEither<Failure, { readonly learner: Learner; readonly stream: (plan: Plan) => Stream }>;
  /** The learning rate of a method for so many steps a task. */
  readonly rate: (method: MethodName, steps: number) => number;
  /** What a method is given here beside the steps and the rate. */
  readonly options: (method: MethodName) => MethodOptions;
  /** The tasks in words, such as "5 tasks of icons with 20 to 54 classes". */
  readonly named: (plan: Plan, stream: Stream) => string;
  /** What is tested after every task, in a sentence. */
  readonly tested: string;
  /** What it learns from and is tested on, one of them. */
  readonly example: "picture" | "question";
  readonly title: string;
}

const wholeIcons = { tasks: 5, steps: 45, batch: 32 };

/** Pictures of icons that are classified by icon-nano, a CLIP. */
const icons: World = {
  model: "models/icon-nano",
  tasks: 8,
  plans: {
    gpu: { ...wholeIcons, seconds: { step: 0.02, task: 0.5 } },
    lavapipe: { ...wholeIcons, seconds: { step: 0.24, task: 4 } },
    swiftshader: { tasks: 3, classes: 20, steps: 36, batch: 16, towers: ["vision"], seconds: { step: 0.55, task: 6 } },
  },
  // Among the task's classes, and among those of all tasks.
  evaluate: { also: ["union"] },
  open: (dir) =>
    pipe(
      readModelAs(clip, dir),
      TE.map((model) => ({ learner: learner(model), stream: (plan) => iconStream(model.config.vision.imageSize, plan) })),
    ),
  rate: paced,
  options: () => ({}),
  named: ({ tasks }, stream) => {
    const classes = stream.tasks.map((task) => ("classNames" in task ? task.classNames.length : 0));
    const [fewest, most] = [Math.min(...classes), Math.max(...classes)];
    return `${counted(tasks, "task")} of icons with ${fewest === most ? most : `${fewest} to ${most}`} classes`;
  },
  tested: "After every task it is tested on all tasks, with drawings of other artists, and on 200 things that no task is about.",
  example: "picture",
  title: "The icon stream",
};

const wholeQuestions = { tasks: 4, steps: 36, batch: 16 };

/** Questions about pictures of icons that icon-llava, a LLaVA, answers in words. */
const questions: World = {
  model: "models/icon-llava",
  tasks: 4,
  plans: {
    gpu: { ...wholeQuestions, seconds: { step: 0.03, task: 1 } },
    lavapipe: { ...wholeQuestions, seconds: { step: 0.3, task: 8 } },
    swiftshader: { tasks: 3, steps: 24, batch: 8, towers: ["language"], seconds: { step: 0.6, task: 12 } },
  },
  // What it writes by itself would take as long again.
  evaluate: { scores: "own" },
  open: (dir) =>
    pipe(
      readModelAs(llava, dir),
      TE.map((model) => ({ learner: learner(model), stream: ({ tasks }) => iconQuestions(model.config.vision.imageSize, { tasks, test: 48 }) })),
    ),
  // One rate for all methods: KeepLoRA's form for questions is tuned for many more steps at a low one.
  rate: (_, steps) => 0.16 / Math.max(steps, 30),
  // KeepLoRA's gradients of single questions would take longer than the training.
  options: (method) => ({ rank: 8, ...(method.startsWith("keeplora") ? { gradientBatch: 8 } : {}) }),
  named: ({ tasks }, stream) => `${counted(tasks, "task")} of questions about pictures (${stream.tasks.map(({ name }) => name).join(", ")})`,
  tested: "After every task it answers the questions of all tasks about pictures by other artists, by the likeliest choice.",
  example: "question",
  title: "The stream of questions about icons",
};

/** By the names that `--stream` takes. */
export const worlds = { icons, "icon-questions": questions } as const satisfies Readonly<Record<string, World>>;

/** The name of a world. */
export type WorldName = keyof typeof worlds;
