/**
 * What the page and its worker tell each other. The page asks, and the worker tells what happened; everything is plain data, but for the pictures that a person
 * gives and the files that a person gets. What is shown follows from the events alone (`state.ts`).
 */

/** The methods that the page can compare: the first forgets, the others do not want to. */
export const methodNames = ["sequential-lora", "codyra", "keeplora++"] as const;
export type MethodName = (typeof methodNames)[number];

/** The methods that can stand beside sequential LoRA. */
export type Rival = Exclude<MethodName, "sequential-lora">;

/** What people call the methods. */
export const titles: Readonly<Record<MethodName, string>> = { "sequential-lora": "Sequential LoRA", codyra: "CoDyRA", "keeplora++": "KeepLoRA++" };

/** The part of a browser's `FileSystemDirectoryHandle` that is used; these types need no DOM library, so that tests in Node can read them. */
export interface Folder {
  readonly kind: "directory";
  readonly name: string;
  values(): AsyncIterable<Folder | { readonly kind: "file"; readonly name: string; getFile(): Promise<Blob> }>;
}

/** A picture that a person gave: its path, the last folder of which is its class, and the file. */
export interface Given {
  readonly path: string;
  readonly file: Blob;
}

/** How long and how wide a task is trained. */
export interface Training {
  readonly steps: number;
  readonly batch: number;
}

/** What the page asks for. Requests are answered one after the other; `stop` ends the one that is under way. */
export type Request =
  /** Opens the adapter and the model, and brings back what an earlier visit has kept. The first request. Default: the model that comes along. */
  | { readonly type: "open"; readonly model?: { readonly name: string; readonly files: readonly Given[] } }
  /** Which method stands beside sequential LoRA; refused once a task is learned. */
  | { readonly type: "choose"; readonly rival: Rival }
  /** A task of a person's own pictures, with one folder a class; the share `held` of each class is held out for tests. Default 0.25. */
  | { readonly type: "add"; readonly name?: string; readonly pictures: readonly Given[] | Folder; readonly held?: number }
  /** What the model takes the test pictures of a task for before it has learned anything. */
  | { readonly type: "preview"; readonly task: string }
  /** Both methods learn a task, one after the other. Default: as long as the adapter takes some seconds for. */
  | { readonly type: "learn"; readonly task: string; readonly training?: Partial<Training> }
  | { readonly type: "stop" }
  /** What both methods take a picture for, among all classes that were learned. */
  | { readonly type: "guess"; readonly picture: Blob }
  /** The pictures of the tasks that are nearest to a text. */
  | { readonly type: "search"; readonly text: string }
  /** The merged model of a method as the folder that Hugging Face reads, or what it has learned as an adapter that PEFT reads, in a zip. */
  | { readonly type: "download"; readonly method: MethodName; readonly what: "model" | "adapter" }
  /** Removes what was learned and the pictures that a person gave. */
  | { readonly type: "forget" };

/** A class with its share in the softmax over all classes that were asked for, from 0 to 1. */
export interface Guess {
  readonly label: string;
  readonly score: number;
}

/** A test picture that is shown: a data URL, what it is, and what it was taken for, the likeliest first. */
export interface Shown {
  readonly id: string;
  readonly image: string;
  readonly label: string;
  readonly guesses: readonly Guess[];
}

/** The bytes that something needs on the device, and how many a page should take there. */
export interface Memory {
  readonly weights: number;
  readonly rest: number;
  readonly available: number;
}

/** A task that can be learned. */
export interface Task {
  readonly id: string;
  readonly name: string;
  /** Whether its pictures are a person's own. */
  readonly own: boolean;
  readonly classNames: readonly string[];
  /** Pictures to learn from, and to be tested on. */
  readonly train: number;
  readonly test: number;
  /** Some of its pictures as data URLs. */
  readonly samples: readonly string[];
  /** What a training step needs, as it is planned. */
  readonly memory?: Memory;
}

/** Accuracies in percent by the id of the task; null where none could be measured. */
export type Row = Readonly<Record<string, number | null>>;

/** A task that a method has learned, and the accuracies behind it: of all tasks that were learned so far. */
export interface Lesson {
  readonly task: string;
  readonly row: Row;
  /** What it then takes the pictures of the previews for, by task and by the id of the picture. */
  readonly guesses: Readonly<Record<string, Readonly<Record<string, readonly Guess[]>>>>;
}

/** The losses of a method on one task; those of steps that were not told of yet are absent at the end. */
export interface Curve {
  readonly task: string;
  readonly steps: number;
  readonly losses: readonly number[];
}

/** What the model takes the pictures of a task for before it has learned anything. */
export interface Preview {
  readonly accuracy: number | null;
  readonly shown: readonly Shown[];
}

/** What a method has learned. */
export interface Taught {
  readonly lessons: readonly Lesson[];
  readonly curves: readonly Curve[];
}

/** What is going on. `seconds` is about how long it still takes, where that is known. */
export interface Phase {
  readonly kind: "opening" | "reading" | "scoring" | "preparing" | "learning" | "saving" | "searching" | "packing";
  /** A sentence: "CoDyRA learns animals". */
  readonly what: string;
  readonly task?: string;
  readonly method?: MethodName;
  readonly done?: number;
  readonly total?: number;
  readonly seconds?: number;
}

/** A picture that a search found. */
export interface Found {
  readonly task: string;
  readonly image: string;
  readonly label: string;
  /** The cosine between the text and the picture. */
  readonly score: number;
}

/** What the worker tells. */
export type Event =
  /** The adapter and the model are ready. `slow` is a sentence where no GPU runs it. */
  | {
      readonly type: "opened";
      readonly adapter: string;
      readonly slow?: string;
      readonly model: string;
      readonly training: Training;
      readonly rival: Rival;
      readonly tasks: readonly Task[];
      /** What an earlier visit has learned, and what it has looked at. */
      readonly taught: Readonly<Partial<Record<MethodName, Taught>>>;
      readonly previews: Readonly<Record<string, Preview>>;
    }
  | { readonly type: "chosen"; readonly rival: Rival }
  | { readonly type: "task"; readonly task: Task }
  | { readonly type: "previewed"; readonly task: string; readonly preview: Preview }
  | { readonly type: "phase"; readonly phase: Phase | null }
  /** A method begins to learn a task: its curve begins anew, or goes on behind `from` steps. */
  | { readonly type: "begun"; readonly method: MethodName; readonly task: string; readonly from: number; readonly steps: number }
  /** What the steps of a method need on the device, before the first of them. */
  | { readonly type: "memory"; readonly method: MethodName; readonly task: string; readonly memory: Memory }
  /** The losses of some steps, in order, from step `first` on. */
  | { readonly type: "losses"; readonly method: MethodName; readonly task: string; readonly first: number; readonly losses: readonly number[] }
  | { readonly type: "learned"; readonly method: MethodName; readonly lesson: Lesson }
  /** A training was stopped behind so many steps; learning the task again goes on there. */
  | { readonly type: "stopped"; readonly method: MethodName; readonly task: string; readonly step: number }
  | { readonly type: "guessed"; readonly image: string; readonly guesses: Readonly<Partial<Record<MethodName, readonly Guess[]>>> }
  | { readonly type: "found"; readonly text: string; readonly pictures: Readonly<Partial<Record<MethodName, readonly Found[]>>> }
  /** A file that a person asked for; the page hands it on and keeps nothing of it. */
  | { readonly type: "file"; readonly name: string; readonly file: Blob }
  /** Bytes that are alive on the device when nothing is under way: as many after a task as before it. */
  | { readonly type: "alive"; readonly bytes: number }
  | { readonly type: "note"; readonly sentence: string }
  /** A request could not be done; nothing that was learned is lost by it. */
  | { readonly type: "failed"; readonly request: Request["type"]; readonly sentence: string }
  | { readonly type: "forgotten" };

/** The worker as the page sees it. */
export interface Learner {
  readonly ask: (request: Request) => void;
  readonly listen: (listener: (event: Event) => void) => void;
}
