/** What the model takes the pictures of a task for before it has learned anything. */
import { type data, get, learner, methods, runMethod } from "../../mod.ts";
import { shownExample, spread } from "./pictures.ts";
import type { Preview, Shown } from "./protocol.ts";
import { keep, phase, runtimeOf, taskOf, type Signal, type Study } from "./study.ts";
import { scoring, type Scores } from "./watching.ts";

/** So many pictures of a task are shown. */
const most = 12;

/** How many classes are told of for every picture. */
export const top = 3;

/** The pictures that are shown of a task, with what they were taken for. */
const shownOf = async (task: data.ClassTask, { guesses }: Scores): Promise<readonly Shown[]> => {
  const scored = guesses[task.name] ?? {};
  const examples = spread(
    (await get(task.test)).filter(({ id }) => id in scored),
    most,
  );
  return Promise.all(
    examples.map(async (example) => ({
      id: example.id,
      image: await shownExample(task)(example),
      label: task.classNames[example.label],
      guesses: scored[example.id],
    })),
  );
};

/** Looks at a task, unless that was done before: nothing that is learned changes it. Throws where that fails. */
export const look = async (study: Study, id: string, signal: Signal): Promise<void> => {
  const { task, data: own } = taskOf(study, id);
  if (study.kept.previews[id] !== undefined) return;
  phase(study, { kind: "scoring", what: `The model looks at ${task.name}`, task: id, seconds: task.test * study.pace.picture });
  const began = performance.now();
  const { event, scores } = scoring();
  const stream: data.ClassStream = { labelSpace: "task", tasks: [own] };
  await get(runMethod(methods["zero-shot"]({}), learner(study.model), stream)(runtimeOf(study, { emit: event, signal, top })));
  study.pace = { ...study.pace, picture: (performance.now() - began) / 1000 / Math.max(1, task.test) };
  const preview: Preview = { accuracy: scores().row[own.name] ?? null, shown: await shownOf(own, scores()) };
  await keep(study, { ...study.kept, previews: { ...study.kept.previews, [id]: preview } });
  study.tell({ type: "previewed", task: id, preview });
};
