/** A worker that computes nothing and tells a likely story, so that what is shown can be built and tried without a device. */
import type { Event, Guess, Learner, Lesson, MethodName, Request, Rival, Row, Shown, Task } from "./protocol.ts";

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A picture of one colour, as a data URL. */
const square = (hue: number): string =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#fff"/><circle cx="32" cy="32" r="24" fill="hsl(${hue} 70% 55%)"/></svg>`)}`;

const taskOf = (id: string, classNames: readonly string[]): Task => ({
  id,
  name: id,
  own: false,
  classNames,
  train: 6 * classNames.length,
  test: 2 * classNames.length,
  samples: classNames.slice(0, 6).map((_, i) => square(40 * i)),
  memory: { weights: 6.2e6, rest: 31e6, available: 2 ** 31 },
});

const alongTasks = [
  taskOf("animals", ["dog", "cat", "tiger", "horse", "cow", "pig", "rabbit", "mouse"]),
  taskOf("food", ["watermelon", "lemon", "banana", "pineapple", "pear", "peach", "cherries", "grapes"]),
  taskOf("flags", ["Norway", "Germany", "France", "Italy", "Spain", "Portugal", "Greece", "Poland"]),
];

/** Guesses among some classes, right with a probability. */
const guessesOf = (classNames: readonly string[], label: string, right: boolean, sure: number): readonly Guess[] => {
  const first = right ? label : classNames[(classNames.indexOf(label) + 1) % classNames.length];
  const others = classNames.filter((name) => name !== first);
  return [first, ...others].slice(0, 3).map((name, i) => ({ label: name, score: i === 0 ? sure : (1 - sure) / (1 + i) }));
};

const shownOf = ({ classNames }: Task, accuracy: number): readonly Shown[] =>
  classNames.map((label, i) => {
    const right = (100 * ((i * 7) % classNames.length)) / classNames.length < accuracy;
    return { id: label, image: square(40 * i), label, guesses: guessesOf(classNames, label, right, 0.3 + accuracy / 200) };
  });

const guessesById = (task: Task, accuracy: number): Readonly<Record<string, readonly Guess[]>> =>
  Object.fromEntries(shownOf(task, accuracy).map(({ id, guesses }) => [id, guesses]));

/** The worker, `speed` times as fast as SwiftShader. */
export const fakeLearner = (speed = 4): Learner => {
  let listener: (event: Event) => void = () => undefined;
  const tell = (event: Event): void => listener(event);
  let [tasks, rival, stopping]: [readonly Task[], Rival, boolean] = [alongTasks, "codyra", false];
  const lessons: Record<MethodName, Lesson[]> = { "sequential-lora": [], codyra: [], "keeplora++": [] };
  const at: Record<string, number> = {};
  const taskBy = (id: string): Task => tasks.find((one) => one.id === id) ?? tasks[0];

  const learn = async (method: MethodName, id: string, steps: number): Promise<void> => {
    const task = taskBy(id);
    tell({ type: "phase", phase: { kind: "preparing", what: `${method} prepares ${task.name}`, task: id, method, seconds: 20 / speed } });
    await pause(2000 / speed);
    const key = `${method}/${id}`;
    const from = at[key] ?? 0;
    tell({ type: "begun", method, task: id, from, steps });
    tell({ type: "memory", method, task: id, memory: { weights: 6.2e6, rest: 31e6, available: 2 ** 31 } });
    for (let step = from; step < steps; step += 2) {
      if (stopping) {
        at[key] = step;
        return tell({ type: "stopped", method, task: id, step });
      }
      const seconds = (0.4 * (steps - step)) / speed;
      tell({ type: "phase", phase: { kind: "learning", what: `${method} learns ${task.name}`, task: id, method, done: step, total: steps, seconds } });
      await pause(800 / speed);
      const loss = (s: number): number => 2.4 * Math.exp(-s / 9) + 0.3 + 0.12 * Math.sin(3 * s);
      tell({ type: "losses", method, task: id, first: step, losses: [loss(step), loss(step + 1)].slice(0, steps - step) });
    }
    const before = lessons[method].map((lesson) => lesson.task).filter((other) => other !== id);
    const keeps = method === "sequential-lora" ? 0.75 : 0.97;
    const row: Row = Object.fromEntries([...before.map((other, i) => [other, 88 * keeps ** (before.length - i)] as const), [id, 88]]);
    const guesses = Object.fromEntries(Object.entries(row).map(([other, accuracy]) => [other, guessesById(taskBy(other), accuracy ?? 0)]));
    delete at[key];
    lessons[method].push({ task: id, row, guesses });
    tell({ type: "learned", method, lesson: { task: id, row, guesses } });
  };

  const perform = async (request: Request): Promise<void> => {
    switch (request.type) {
      case "open":
        tell({ type: "phase", phase: { kind: "opening", what: "Opening the adapter and the model" } });
        await pause(1500 / speed);
        return tell({
          type: "opened",
          adapter: "SwiftShader Device (Subzero), software",
          slow: "No GPU runs this page: everything is computed on the processor, some hundred times slower.",
          model: "icon-nano",
          training: { steps: 24, batch: 16 },
          ...{ rival, tasks, taught: {}, previews: {} },
        });
      case "choose":
        rival = request.rival;
        return tell({ type: "chosen", rival });
      case "add": {
        const name = request.name ?? "my pictures";
        const task: Task = { ...taskOf(name, ["cup", "spoon", "fork"]), own: true };
        tasks = [...tasks, task];
        return tell({ type: "task", task });
      }
      case "preview":
        tell({ type: "phase", phase: { kind: "scoring", what: `The model looks at ${request.task}`, task: request.task, seconds: 4 / speed } });
        await pause(3000 / speed);
        return tell({ type: "previewed", task: request.task, preview: { accuracy: 37.5, shown: shownOf(taskBy(request.task), 37.5) } });
      case "learn":
        for (const method of ["sequential-lora", rival] as const) if (!stopping) await learn(method, request.task, request.training?.steps ?? 24);
        return;
      case "guess": {
        const guesses = guessesOf(alongTasks[0].classNames, "cat", true, 0.7);
        return tell({ type: "guessed", image: square(200), guesses: { "sequential-lora": guesses, [rival]: guesses } });
      }
      case "search": {
        const pictures = tasks.flatMap((task) => shownOf(task, 50).map(({ image, label }, i) => ({ task: task.id, image, label, score: 0.3 - 0.01 * i })));
        return tell({ type: "found", text: request.text, pictures: { "sequential-lora": pictures.slice(0, 8), [rival]: pictures.slice(2, 10) } });
      }
      case "download":
        return tell({ type: "file", name: `${request.method}-${request.what}.zip`, file: new Blob(["not a zip"]) });
      case "forget":
        for (const all of Object.values(lessons)) all.length = 0;
        tasks = alongTasks;
        return tell({ type: "forgotten" });
      case "stop":
        return;
    }
  };

  let last: Promise<void> = Promise.resolve();
  return {
    ask: (request) => {
      if (request.type === "stop") {
        stopping = true;
        return;
      }
      last = last.then(async () => {
        stopping = false;
        await perform(request);
        tell({ type: "phase", phase: null });
      });
    },
    listen: (to) => {
      listener = to;
    },
  };
};
