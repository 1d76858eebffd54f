/** What the page shows, as a function of all that the worker has told. Nothing here draws, and nothing waits. */
import {
  methodNames,
  type Curve,
  type Event,
  type Found,
  type Guess,
  type Memory,
  type MethodName,
  type Phase,
  type Preview,
  type Rival,
  type Task,
  type Taught,
  type Training,
} from "./protocol.ts";

/** What one method has learned, and where it stands. */
export interface Learned extends Taught {
  /** Where its last training was stopped, if it was. */
  readonly stopped?: { readonly task: string; readonly step: number };
  readonly memory?: Memory;
}

/** All that is shown. */
export interface State {
  /** The adapter in a line; undefined until it is open. */
  readonly adapter?: string;
  readonly slow?: string;
  readonly model?: string;
  readonly training: Training;
  readonly rival: Rival;
  readonly tasks: readonly Task[];
  readonly previews: Readonly<Record<string, Preview>>;
  readonly methods: Readonly<Record<MethodName, Learned>>;
  readonly phase?: Phase;
  readonly guessed?: { readonly image: string; readonly guesses: Readonly<Partial<Record<MethodName, readonly Guess[]>>> };
  readonly found?: { readonly text: string; readonly pictures: Readonly<Partial<Record<MethodName, readonly Found[]>>> };
  /** Bytes that are alive on the device when nothing is under way. */
  readonly alive?: number;
  readonly note?: string;
  /** What went wrong last; gone when the next thing begins. */
  readonly failure?: { readonly request: string; readonly sentence: string };
}

const untaught: Learned = { curves: [], lessons: [] };

const everybody = (of: (name: MethodName) => Learned): State["methods"] => ({
  "sequential-lora": of("sequential-lora"),
  codyra: of("codyra"),
  "keeplora++": of("keeplora++"),
});

/** Before anything was told. */
export const initial: State = {
  training: { steps: 24, batch: 16 },
  rival: "codyra",
  tasks: [],
  previews: {},
  methods: everybody(() => untaught),
};

/** The two methods that stand side by side. */
export const compared = ({ rival }: Pick<State, "rival">): readonly [MethodName, MethodName] => ["sequential-lora", rival];

/** The ids of the tasks that some method has learned, in the order learned. */
export const learnedTasks = ({ methods }: Pick<State, "methods">): readonly string[] => [
  ...new Set(methodNames.flatMap((name) => methods[name].lessons.map(({ task }) => task))),
];

const withMethod = (state: State, name: MethodName, change: (learned: Learned) => Learned): State => ({
  ...state,
  methods: { ...state.methods, [name]: change(state.methods[name]) },
});

const withTask = (tasks: readonly Task[], task: Task): readonly Task[] =>
  tasks.some(({ id }) => id === task.id) ? tasks.map((one) => (one.id === task.id ? task : one)) : [...tasks, task];

/** A curve of a task that begins, or goes on behind so many steps. */
const begun = (curves: readonly Curve[], task: string, from: number, steps: number): readonly Curve[] => {
  const before = curves.find((curve) => curve.task === task)?.losses.slice(0, from) ?? [];
  return [...curves.filter((curve) => curve.task !== task), { task, steps, losses: before }];
};

const longer = (curves: readonly Curve[], task: string, first: number, losses: readonly number[]): readonly Curve[] =>
  curves.map((curve) => (curve.task === task ? { ...curve, losses: [...curve.losses.slice(0, first), ...losses] } : curve));

/** The state behind an event. */
export const reduce = (state: State, event: Event): State => {
  switch (event.type) {
    case "opened": {
      const { type: _, taught, ...opened } = event;
      return { ...initial, ...opened, phase: state.phase, note: state.note, methods: everybody((name) => taught[name] ?? untaught) };
    }
    case "chosen":
      return { ...state, rival: event.rival };
    case "task":
      return { ...state, tasks: withTask(state.tasks, event.task) };
    case "previewed":
      return { ...state, previews: { ...state.previews, [event.task]: event.preview } };
    case "phase":
      return event.phase === null ? { ...state, phase: undefined } : { ...state, phase: event.phase, failure: undefined };
    case "begun": {
      const { method, task, from, steps } = event;
      return withMethod(state, method, ({ curves, lessons }) => ({ curves: begun(curves, task, from, steps), lessons }));
    }
    case "memory":
      return withMethod(state, event.method, (learned) => ({ ...learned, memory: event.memory }));
    case "losses":
      return withMethod(state, event.method, (learned) => ({ ...learned, curves: longer(learned.curves, event.task, event.first, event.losses) }));
    case "learned":
      return withMethod(state, event.method, ({ stopped: _, ...learned }) => ({ ...learned, lessons: [...learned.lessons, event.lesson] }));
    case "stopped":
      return withMethod(state, event.method, (learned) => ({ ...learned, stopped: { task: event.task, step: event.step } }));
    case "guessed":
      return { ...state, guessed: { image: event.image, guesses: event.guesses } };
    case "found":
      return { ...state, found: { text: event.text, pictures: event.pictures } };
    case "file":
      return state;
    case "alive":
      return { ...state, alive: event.bytes };
    case "note":
      return { ...state, note: event.sentence };
    case "failed":
      return { ...state, failure: { request: event.request, sentence: event.sentence } };
    case "forgotten": {
      const { rival, adapter, slow, model, training, phase } = state;
      return { ...initial, ...{ rival, adapter, slow, model, training, phase }, tasks: state.tasks.filter(({ own }) => !own) };
    }
  }
};
