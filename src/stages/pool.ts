/** All tasks of a stream as one: what joint training learns. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { decoderOf } from "../data/decode.ts";
import { noLabel, type ExampleDecoder } from "../data/example.ts";
import { pictureOf } from "../data/question.ts";
import { isAnswered, type AnswerTask, type ClassTask, type Task } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import type { Course } from "./learn.ts";
import { prompts } from "./captions.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** All tasks as one: every class under its own task's prompt. */
export const pooledClasses = (tasks: readonly ClassTask[]): ClassTask => {
  const offsets = tasks.map((_, j) => tasks.slice(0, j).reduce((n, t) => n + t.classNames.length, 0));
  const split = (of: (t: ClassTask) => ClassTask["train"]): ClassTask["train"] =>
    pipe(
      TE.sequenceArray(tasks.map(of)),
      TE.map((lists) => lists.flatMap((examples, j) => examples.map((e) => (e.label === noLabel ? e : { ...e, label: e.label + offsets[j] })))),
    );
  const decode: ExampleDecoder = (example) => decoderOf(tasks[offsets.findLastIndex((offset) => offset <= example.label)])(example);
  return {
    name: tasks.map((t) => t.name).join(" + "),
    classNames: tasks.flatMap((t) => prompts(t.templates[0], t.classNames)),
    templates: ["{c}"],
    train: split((t) => t.train),
    test: split((t) => t.test),
    ...(tasks.some((t) => t.decode !== undefined) ? { decode } : {}),
  };
};

/** All tasks as one that are answered in words. Each decodes its own pictures; a model is asked in one way alone. */
const pooledAnswers = (tasks: readonly AnswerTask[]): E.Either<Failure, AnswerTask> => {
  const [first, ...rest] = tasks;
  const other = rest.find(({ chat }) => chat !== first.chat);
  if (other !== undefined) {
    const [one, two] = [first, other].map(({ name, chat }) => `${name} by ${chat === undefined ? "that of the model" : printed(chat)}`);
    return E.left({ _tag: "BadOption", option: "chat", detail: `tasks that are learned as one are asked by one template, and ${one}, ${two}` });
  }
  const owners = new Map<string, AnswerTask>();
  const split = (of: (task: AnswerTask) => AnswerTask["train"]): AnswerTask["train"] =>
    pipe(
      TE.sequenceArray(tasks.map(of)),
      TE.map((lists) => {
        lists.forEach((questions, j) => questions.forEach((question) => question.pictures.forEach((_, k) => owners.set(pictureOf(question, k).id, tasks[j]))));
        return lists.flat();
      }),
    );
  const contexts = tasks.map(({ context }) => context ?? Number.POSITIVE_INFINITY);
  const longest = Math.max(...contexts);
  return E.right({
    ...first,
    name: tasks.map(({ name }) => name).join(" + "),
    train: split(({ train }) => train),
    test: split(({ test }) => test),
    ...(Number.isFinite(longest) ? { context: longest } : {}),
    decode: (example) => decoderOf(owners.get(example.id) ?? first)(example),
  });
};

/** Replaces the curriculum by one task that holds them all: what joint training learns. Fails with `BadOption` where tasks are asked by several templates. */
export const pool: TaskStage<Course, Course> = taskStage("pool", undefined, (course) => {
  const { curriculum } = course;
  const answered = curriculum.filter(isAnswered);
  const classified = curriculum.filter((task): task is ClassTask => !isAnswered(task));
  return () =>
    TE.fromEither(
      pipe(
        answered.length > 0 ? pooledAnswers(answered) : E.right<Failure, Task>(pooledClasses(classified)),
        E.map((task: Task): Course => ({ ...course, curriculum: [task], pooled: true })),
      ),
    );
});
