/**
 * The protocols of streams that are answered in words, as data: which tasks in which order, where their files lie as they are published, how they are asked and
 * scored. `checkAnswers.ts` says whether a folder has all of it.
 */
import type { TaskScore } from "./task.ts";

/** A task of a protocol that is answered in words. */
export interface AnswerDataset {
  readonly name: string;
  /** Names of its folder, from the root on; the first that is there counts. */
  readonly folders: readonly string[];
  /** The files of its splits as they are published, from its folder on. Where they are not there, whatever a folder of questions may have is read. */
  readonly train?: readonly string[];
  readonly test?: readonly string[];
  /** The folders that pictures are in, from its folder on. Default: it, and `images` in it. */
  readonly images?: readonly string[];
  /** The file of COCO's layout that has the references of test questions, each under its position, from 1. Without it the answers of the test file count. */
  readonly references?: string;
  readonly score: TaskScore;
  /** Questions of the test split, where the number is known. */
  readonly questions?: number;
}

/** A protocol whose tasks are answered in words: a stream that is not read yet. */
export interface AnswerProtocol {
  readonly kind: "answer";
  readonly name: string;
  /** The chat template, by name or as a text that has `{prompt}`. Default: the model's own. */
  readonly chat?: string;
  /** The most tokens of an answer that is generated. */
  readonly maxTokens: number;
  /** The most tokens of question and answer. */
  readonly context: number;
  /** Frames of each video. */
  readonly frames?: number;
  /** Training questions a task. Default: all. */
  readonly shots?: number;
  /** What differs from the published protocol, a sentence each. */
  readonly notes?: readonly string[];
  /** In the order learned. */
  readonly datasets: readonly AnswerDataset[];
}

/** UCIT's files: instructions and pictures in folders of their own as its authors lay them, or beside one another as MCITlib does. */
const ucitTask = (name: string, folders: readonly string[], train: string, score: "exact" | "captions"): AnswerDataset => ({
  name,
  folders: [...folders.map((folder) => `instructions/${folder}`), ...folders],
  train: [train, "train.json"],
  test: ["test_3000.json", "test.json"],
  images: ["../../datasets", "../datasets"],
  ...(score === "captions" ? { references: "val_coco_type_3000.json" } : {}),
  score,
  questions: 3000,
});

/** LLaVA-1.5 in MCITlib: Vicuna's template, greedy answers of at most 256 tokens, at most 2,048 tokens in all. */
const llava = { chat: "vicuna", maxTokens: 256, context: 2048 } as const;

const ucit: AnswerProtocol = {
  kind: "answer",
  name: "ucit",
  ...llava,
  datasets: [
    ucitTask("imagenet-r", ["ImageNet-R"], "train.json", "exact"),
    ucitTask("arxivqa", ["ArxivQA"], "train_4w.json", "exact"),
    ucitTask("vizwiz", ["VizWiz"], "train.json", "captions"),
    ucitTask("iconqa", ["IconQA"], "train.json", "exact"),
    ucitTask("clevr-math", ["CLEVR", "CLEVR-Math"], "train_4w.json", "exact"),
    ucitTask("flickr30k", ["Flickr30k", "Flickr30k-cap"], "train_brief_4w.json", "captions"),
  ],
};

const dclTask = (name: string, folder: string, score: TaskScore): AnswerDataset => ({
  name,
  folders: [folder, `Domain_data/${folder}`],
  train: ["train.json"],
  test: ["test.json"],
  score,
});

const mllmDcl: AnswerProtocol = {
  kind: "answer",
  name: "mllm-dcl",
  ...llava,
  datasets: [
    dclTask("remote-sensing", "RS", "contained-word"),
    dclTask("medicine", "Med", "contained"),
    dclTask("driving", "AD", "contained-word"),
    dclTask("science", "Sci", "science"),
    dclTask("finance", "Fin", "exact-compact"),
  ],
};

/** A task of CL-VISTA and its training file. The published test files have questions and answers apart, so they are wanted together, as `test.json`. */
const vista = (folder: string, train?: string): AnswerDataset => ({
  name: folder.toLowerCase(),
  folders: [folder],
  train: [...(train === undefined ? [] : [train]), "train.json"],
  test: ["test.json"],
  images: [".."],
  score: "rouge-l",
});

const clVista: AnswerProtocol = {
  kind: "answer",
  name: "cl-vista",
  chat: "vicuna",
  maxTokens: 256,
  context: 4096,
  frames: 8,
  notes: ["a language model judges the answers of CL-VISTA; none is asked here, and ROUGE-L stands in its place"],
  datasets: [
    vista("Counting", "json_row/train_data_20k.json"),
    vista("Space"),
    vista("Traffic", "json_row/train_data_30k.json"),
    vista("Movie", "train_json_row/movie_train_subtitle_30k.json"),
    vista("GUI", "json_row/train_data_30k.json"),
    vista("Science", "json_row/train_data_30k.json"),
    vista("Sports", "json_row/train_data_30k.json"),
    vista("STAR", "json_row/train_data_25k.json"),
  ],
};

const traceTask = (name: string, score: TaskScore): AnswerDataset => ({
  name: name.toLowerCase(),
  folders: [name],
  train: ["train.json"],
  test: ["test.json"],
  score,
});

const trace: AnswerProtocol = {
  kind: "answer",
  name: "trace",
  chat: "{prompt}",
  maxTokens: 512,
  context: 1024 + 512,
  datasets: [
    traceTask("C-STANCE", "exact"),
    traceTask("FOMC", "exact"),
    traceTask("MeetingBank", "rouge-l"),
    traceTask("Py150", "edit-similarity"),
    traceTask("ScienceQA", "exact"),
    traceTask("NumGLUE-cm", "exact"),
    traceTask("NumGLUE-ds", "exact"),
    traceTask("20Minuten", "sari"),
  ],
};

/** An order of the standard benchmark of continual learning on texts, in O-LoRA's paper. */
const standard = (order: 1 | 2 | 3, ...names: readonly string[]): AnswerProtocol => ({
  kind: "answer",
  name: `standard-cl-${order}`,
  maxTokens: 50,
  context: 512 + 50,
  datasets: names.map((name) => ({ name, folders: [name], score: "exact" })),
});

/** Every protocol that is answered in words, by its name. */
export const answerProtocols = {
  ucit,
  "mllm-dcl": mllmDcl,
  "cl-vista": clVista,
  trace,
  "standard-cl-1": standard(1, "dbpedia", "amazon", "yahoo", "agnews"),
  "standard-cl-2": standard(2, "dbpedia", "amazon", "agnews", "yahoo"),
  "standard-cl-3": standard(3, "yahoo", "amazon", "agnews", "dbpedia"),
} as const satisfies Readonly<Record<string, AnswerProtocol>>;
