/** Learning a task: both methods, one after the other, on one device. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { course, methods, type data, type Event as RunEvent, type Learner, type Method, type Runtime } from "../../mod.ts";
import { paced } from "../run/pace.ts";
import { writeKeptLearner, sweepKept, type KeptMethod } from "./kept.ts";
import { refusal } from "./limits.ts";
import { look, top } from "./looking.ts";
import { secondsOf, type Ahead } from "./pace.ts";
import { titles, type Lesson, type MethodName, type Phase, type Request, type Training } from "./protocol.ts";
import { keep, learnerOf, methodsOf, phase, runtimeOf, taskOf, trainingOn, type Signal, type Study } from "./study.ts";
import { scoring } from "./watching.ts";

type Keeper = NonNullable<Runtime["keep"]>;
type State = NonNullable<ReturnType<NonNullable<Keeper["training"]>>["from"]>;

/** A training that was stopped: its state, and what was told of it. */
export interface Resumable {
  readonly state: State;
  readonly losses: readonly number[];
}

const keyOf = (method: MethodName, task: string): string => `${method}/${task}`;

/** A method as it learns here. On a processor the part of the model that sees is trained alone, which takes half as long. */
const methodOf = (name: MethodName, { steps, batch }: Training, kind: "gpu" | "cpu"): Method => {
  const towers = kind === "gpu" ? ("all" as const) : (["vision"] as const);
  const options = { steps, batch, towers, lr: paced(name, steps), evaluate: {} };
  return name === "keeplora++" ? methods[name]({ ...options, rank: 8 }) : methods[name]({ ...options, rank: 8 });
};

/** The tasks that a method has learned, and one more. */
const streamOf = (study: Study, name: MethodName, id: string): data.ClassStream => {
  const behind = (study.kept.methods[name]?.lessons ?? []).map(({ task }) => task);
  return { labelSpace: "task", tasks: [...behind, id].map((one) => taskOf(study, one).data) };
};

/** The test pictures that are scored behind a lesson. */
const scoredBehind = (study: Study, name: MethodName, id: string): number =>
  streamOf(study, name, id).tasks.reduce((sum, task) => sum + taskOf(study, task.name).task.test, 0);

/** The guesses that belong to pictures which are shown. */
const shownGuesses = (study: Study, guesses: Lesson["guesses"]): Lesson["guesses"] =>
  Object.fromEntries(
    Object.entries(guesses).map(([task, all]) => {
      const shown = (study.kept.previews[task]?.shown ?? []).flatMap(({ id }) => (id in all ? [[id, all[id]] as const] : []));
      return [task, Object.fromEntries(shown)];
    }),
  );

/** What of a lesson a method still has to do, and what comes behind it. */
interface Standing {
  readonly name: MethodName;
  readonly training: Training;
  readonly behind: readonly Ahead[];
}

/** Seconds since a time. */
const seconds = (since: number): number => (performance.now() - since) / 1000;

/** Tells how far a lesson is, from what its run tells; and measures how long things take. */
const telling = (study: Study, id: string, { name, training: { steps }, behind }: Standing, pictures: number) => {
  const { task } = taskOf(study, id);
  const began = performance.now();
  let [from, done, first, losses]: [number, number, number, readonly number[]] = [0, 0, began, []];
  let burst: readonly number[] = [];
  const ahead = (around: boolean): Ahead => ({ method: name, around, steps: steps - done, pictures });
  const tell = (kind: Phase["kind"], what: string, left: Ahead): void =>
    phase(study, { kind, what, task: id, method: name, done, total: steps, seconds: secondsOf(study.pace, [left, ...behind]) });
  const title = titles[name];
  const flush = (): void => {
    study.tell({ type: "losses", method: name, task: id, first: done, losses: burst });
    [losses, done, burst] = [[...losses, ...burst], done + burst.length, []];
    study.pace = { ...study.pace, step: seconds(first) / (done - from) };
    tell("learning", `${title} learns ${task.name}`, ahead(false));
  };
  // Several steps are told of at a time, when their losses were read.
  const stepped = (loss: number): void => {
    if (burst.length === 0) queueMicrotask(flush);
    burst = [...burst, loss];
  };
  const event = (event: RunEvent): void => {
    switch (event.type) {
      case "training":
        tell("preparing", `${title} prepares its first step: kernels are chosen and compiled`, ahead(true));
        break;
      case "memory":
        study.pace = { ...study.pace, around: { ...study.pace.around, [name]: seconds(began) } };
        first = performance.now();
        study.tell({ type: "memory", method: name, task: id, memory: { weights: event.weights, rest: event.rest, available: study.available } });
        break;
      case "step":
        stepped(event.losses.loss);
        break;
      case "evaluating": {
        const what = event.datasets === 1 ? "what it has learned" : `all ${event.datasets} tasks that it has learned`;
        tell("scoring", `${title} is tested on ${what}`, { ...ahead(false), steps: 0 });
        break;
      }
      case "skipped":
        study.tell({ type: "note", sentence: `A picture was left out: ${event.detail}` });
        break;
    }
  };
  return {
    event,
    begin: (at: number, before: readonly number[]): void => {
      [from, done, losses] = [at, at, before];
      study.tell({ type: "begun", method: name, task: id, from, steps });
      tell("preparing", `${title} gets ready for ${task.name}`, ahead(true));
    },
    losses: () => losses,
  };
};

/** Writes down what a method has learned, and then tells of it. */
const finish = async (study: Study, name: MethodName, lesson: Lesson, learner: Learner, steps: number, losses: readonly number[]): Promise<void> => {
  const before: Omit<KeptMethod, "folder"> = study.kept.methods[name] ?? { lessons: [], curves: [] };
  const lessons = [...before.lessons, lesson];
  const folder = await writeKeptLearner(study.folder, name, lessons.length, learner);
  const method: KeptMethod = { folder, lessons, curves: [...before.curves, { task: lesson.task, steps, losses }] };
  await keep(study, { ...study.kept, methods: { ...study.kept.methods, [name]: method } });
  study.learners = new Map([...study.learners, [name, learner]]);
  // What was stopped before goes on from another learner than this one.
  study.resumable = new Map([...study.resumable].filter(([key]) => !key.startsWith(keyOf(name, ""))));
  study.tell({ type: "learned", method: name, lesson });
  await sweepKept(study.folder, study.kept);
};

/** One method learns a task. Gives whether it came to its end; throws where it fails. */
const learnBy = async (study: Study, id: string, standing: Standing, signal: Signal): Promise<boolean> => {
  const { name, training } = standing;
  const key = keyOf(name, id);
  const resumed = study.resumable.get(key);
  const stream = streamOf(study, name, id);
  const { event, scores } = scoring();
  const told = telling(study, id, standing, scoredBehind(study, name, id));
  told.begin(resumed?.state.step ?? 0, resumed?.losses ?? []);
  let learned: Learner | undefined;
  const keeper: Keeper = {
    lesson: (learner) => {
      learned = learner;
      return TE.right(undefined);
    },
    training: () => ({
      from: resumed?.state,
      checkpoint: {
        save: (state) => {
          study.resumable = new Map([...study.resumable, [key, { state, losses: told.losses() }]]);
          return TE.right(undefined);
        },
      },
    }),
  };
  const emit = (one: RunEvent): void => {
    event(one);
    told.event(one);
  };
  const method = methodOf(name, training, study.device.adapter.kind);
  const start = course(learnerOf(study, name), stream, { from: stream.tasks.length - 1 });
  const ended = await method.run(start)(runtimeOf(study, { emit, signal, top, keep: keeper }))();
  if (E.isLeft(ended)) {
    if (ended.left._tag !== "Interrupted") throw ended.left;
    study.tell({ type: "stopped", method: name, task: id, step: study.resumable.get(key)?.state.step ?? 0 });
    return false;
  }
  phase(study, {
    kind: "saving",
    what: `What ${titles[name]} has learned is written down`,
    task: id,
    method: name,
    seconds: secondsOf(study.pace, standing.behind),
  });
  const { row, guesses } = scores();
  await finish(study, name, { task: id, row, guesses: shownGuesses(study, guesses) }, learned ?? ended.right.learner, training.steps, told.losses());
  return true;
};

/** Whether a method has learned a task. */
const knows = ({ kept }: Study, name: MethodName, id: string): boolean => kept.methods[name]?.lessons.some(({ task }) => task === id) ?? false;

/** How both methods learn a task: as they were asked to, or, where one has begun already, as that did. */
const trainingOf = (study: Study, { task, training }: Extract<Request, { readonly type: "learn" }>): Training => {
  const begun = methodsOf(study).some((name) => knows(study, name, task) || study.resumable.has(keyOf(name, task)));
  const before = begun ? study.trainings.get(task) : undefined;
  // An earlier visit has kept how many steps it were.
  const [steps] = methodsOf(study).flatMap((name) => (study.kept.methods[name]?.curves ?? []).flatMap((curve) => (curve.task === task ? [curve.steps] : [])));
  return before ?? { ...trainingOn(study.device), ...training, ...(steps === undefined ? {} : { steps }) };
};

/** What a method has ahead of it before a lesson. */
const aheadOf = (study: Study, name: MethodName, id: string, { steps }: Training): Ahead => {
  const done = study.resumable.get(keyOf(name, id))?.state.step ?? 0;
  return { method: name, around: true, steps: steps - done, pictures: scoredBehind(study, name, id) };
};

/** Both methods learn a task, each unless it has already. What one has learned is kept, whatever becomes of the other. Throws where one fails. */
export const learn = async (study: Study, request: Extract<Request, { readonly type: "learn" }>, signal: Signal): Promise<void> => {
  const { task: id } = request;
  const { task } = taskOf(study, id);
  const names = methodsOf(study).filter((name) => !knows(study, name, id));
  if (names.length === 0) throw new Error(`Both methods have learned ${task.name} already.`);
  const training = trainingOf(study, request);
  const fault = refusal(study.model, training, task.classNames.length, study.available);
  if (fault !== undefined) throw new Error(fault);
  study.trainings = new Map([...study.trainings, [id, training]]);
  await look(study, id, signal);
  for (const [i, name] of names.entries()) {
    const behind = names.slice(i + 1).map((other) => aheadOf(study, other, id, training));
    if (!(await learnBy(study, id, { name, training, behind }, signal))) return;
  }
};
