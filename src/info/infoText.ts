/** What lies in a folder, in words. */
import { someOf } from "../data/leftOut.ts";
import { legible } from "../failure.ts";
import { methods, type MethodName } from "../methods/table.ts";
import type { AnswerTaskSummary, QuestionSummary } from "../report/describeAnswers.ts";
import type { TaskSummary } from "../report/describeStream.ts";
import { bytes, count, counted, duration, fixed } from "../report/format.ts";
import { isScore } from "../report/result.ts";
import { optionText } from "../report/optionText.ts";
import { alignLeft, textTable, wrapped } from "../report/table.ts";
import type { DatasetInfo } from "./datasetInfo.ts";
import type { Job } from "../runs/job.ts";
import type { Info } from "./info.ts";
import type { LearnerInfo, ModelInfo } from "./modelInfo.ts";
import { adapterTable, modelFacts } from "./modelText.ts";
import type { PeftInfo } from "./peftInfo.ts";
import type { RunInfo } from "./runInfo.ts";
import type { SweepInfo } from "./sweepInfo.ts";

/** A sentence, facts by name, and what stands below them. */
interface Told {
  readonly is: string;
  readonly facts: readonly (readonly [string, string | undefined])[];
  readonly below?: (columns: number) => readonly string[];
}

const toldOfModel = (info: ModelInfo): Told => ({
  is: `a model of the architecture ${info.architecture}`,
  facts: modelFacts(info),
  below: () => [adapterTable(info)],
});

/** Bytes, and the examples that a learner keeps: of pictures where it has seen classes, else of questions. */
const keptText = ({ bytesKept, examplesKept, seen }: LearnerInfo): string =>
  examplesKept === 0 ? bytes(bytesKept) : `${counted(examplesKept, seen.length > 0 ? "picture" : "question")}, ${bytes(bytesKept)}`;

const toldOfLearner = (info: LearnerInfo): Told => ({
  is: `a learner: a model of the architecture ${info.architecture}, and what it remembers`,
  facts: [
    ["Learned", info.seen.length === 0 ? "no class yet" : `${counted(info.seen.length, "class", "classes")}: ${someOf(info.seen)}`],
    ["Remembers", info.remembers.length === 0 ? "nothing beside its weights" : `${info.remembers.join(", ")} (${keptText(info)})`],
    ["Head", info.head === null ? undefined : `${info.head.kind}, ${counted(info.head.rows, "row")}`],
    ...modelFacts(info),
  ],
  below: () => [adapterTable(info)],
});

const toldOfAdapter = ({ base, rank, alpha, own, targets, whole, layers, parameters }: PeftInfo): Told => ({
  is: "an adapter of PEFT: LoRA",
  facts: [
    ["Base model", base ?? "not said"],
    ["Rank", own.ranks === 0 ? `${rank}` : `${rank}, and ${counted(own.ranks, "layer or pattern", "layers or patterns")} with another`],
    ["Alpha", own.alphas === 0 ? `${alpha}` : `${alpha}, and ${counted(own.alphas, "layer or pattern", "layers or patterns")} with another`],
    ["Layers", `${count(layers)}, of ${whole ?? (typeof targets === "string" ? targets : someOf(targets, 8))}`],
    ["Parameters", count(parameters)],
  ],
});

/** What a split of questions shows, in words. */
const shownIn = ({ questions, pictures, videos }: QuestionSummary): string => {
  const asked = counted(questions, "question");
  if (videos === undefined) return pictures === 0 ? asked : `${asked} with ${counted(pictures, "picture")}`;
  return `${asked}, ${counted(videos.count, "video")} of ${counted(videos.frames, "frame")}`;
};

const toldOfQuestions = ({ score, chat, chance, sample, train, test, notes }: DatasetInfo & AnswerTaskSummary): Told => {
  const text = (words: string): string => legible(words.replace(/\s+/g, " ").trim(), 200);
  return {
    is: "a dataset of questions that are answered in words",
    facts: [
      ["Score", `${score}${chance === null ? "" : `; a guess among the choices is right in ${fixed(1)(chance)} %`}`],
      ["Chat", chat],
      ["Training", train === undefined ? undefined : shownIn(train)],
      ["Test", shownIn(test)],
      ["Sample", sample === undefined ? undefined : `${text(sample.prompt)} \u2192 ${text([sample.answer].flat()[0] ?? "")}`],
      ...notes.map((note, i) => [i === 0 ? "Notes" : "", note] as const),
    ],
  };
};

const toldOfClasses = ({ classNames, templates, train, test, notes }: DatasetInfo & TaskSummary): Told => ({
  is: `a dataset of ${counted(classNames.length, "class", "classes")}`,
  facts: [
    ["Classes", someOf(classNames, 8)],
    ["Training", train === undefined ? undefined : `${counted(train.pictures, "picture")} of ${counted(train.classes, "class", "classes")}`],
    ["Test", train === undefined ? undefined : `${counted(test.pictures, "picture")} of ${counted(test.classes, "class", "classes")}`],
    ["Pictures", train === undefined ? `${count(test.pictures)}, without train and test: --split 0.8 draws 80 % of them for training` : undefined],
    ["Templates", someOf(templates, 2)],
    ...notes.map((note, i) => [i === 0 ? "Notes" : "", note] as const),
  ],
});

const toldOfDataset = (info: DatasetInfo): Told => ("score" in info ? toldOfQuestions(info) : toldOfClasses(info));

const dataOf = (source: Job["source"]): string =>
  "folders" in source ? source.folders.join(", ") : source.root === undefined ? source.protocol : `${source.protocol} in ${source.root}`;

const methodText = ({ name, options = {} }: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> }): string =>
  [name, ...Object.entries(options).map(([option, value]) => `${option}=${optionText(value)}`)].join(" ");

const stateOf = ({ tasks, finished, steps, folder }: RunInfo): string => {
  const within = steps === null ? "" : `, and ${counted(steps, "step")} of the next ${steps === 1 ? "is" : "are"} kept`;
  if (finished.length >= tasks) return tasks === 1 ? "its one task is finished" : `all ${tasks} tasks are finished`;
  return `${finished.length} of ${counted(tasks, "task")} ${finished.length === 1 ? "is" : "are"} finished${within}; cambium resume ${folder} goes on`;
};

/** What may be typed next, and what that does. */
const nextLines = (next: readonly (readonly [string, string])[], columns: number): string => {
  const left = alignLeft(next.map(([typed]) => typed));
  const lines = next.map(([, does], i) => `  ${left[i]}  ${does}`);
  const fit = lines.every((line) => line.length <= columns);
  return ["Next:", ...(fit ? lines : next.flatMap(([typed, does]) => [`  ${typed}`, `      ${does}`]))].join("\n");
};

/** Whether a run was scored by answers in words, and in no label space. */
const inWords = (result: RunInfo["result"]): boolean => result !== null && isScore(result.labelSpace);

const exportOf = (folder: string, lowRank: boolean): readonly [string, string] =>
  lowRank
    ? [`cambium export ${folder} --peft DIR`, "writes what it has learned for peft"]
    : [`cambium export ${folder} --out DIR`, "writes it as a model for transformers"];

/** What may be done with a run that has ended. */
const nextOf = ({ folder, job, result, lowRank, branched }: RunInfo, columns: number): string =>
  nextLines(
    [
      inWords(result) ? [`cambium generate ${folder} --prompt TEXT`, "answers in words"] : [`cambium predict ${folder} PICTURE…`, "says what pictures show"],
      [`cambium evaluate ${folder} --data DATA`, "scores it on other datasets"],
      ...(branched ? [] : [exportOf(folder, lowRank)]),
      [`cambium run --model ${folder} --data DATA --method ${job.method.name} --out DIR`, "learns more tasks behind these"],
    ],
    columns,
  );

const toldOfRun = (info: RunInfo): Told => {
  const { job, finished, result, model } = info;
  const { method } = job;
  const title = methods[method.name as MethodName]?.declaration.title ?? method.name;
  const ended = model !== null && finished.length >= info.tasks;
  return {
    is: `a run of ${title}; ${stateOf(info)}`,
    facts: [
      ["Model", job.model],
      ["Data", dataOf(job.source)],
      ["Probes", job.probes?.join(", ")],
      ["Reference", info.distils ? (job.reference ?? "the task's own pictures") : job.reference && `${job.reference}, which ${title} has no use for`],
      ["Method", `${methodText(method)}${job.chat === undefined ? "" : ` chat=${optionText(job.chat)}`}`],
      ["Seed", `${job.seed}`],
      ["Precision", job.precision],
      ["Accumulate", job.accumulate === undefined ? undefined : `${job.accumulate} parts of a batch`],
      ["Finished", finished.length === 0 ? undefined : someOf(finished, 12)],
      ["Learner", model ?? undefined],
      ["Took", result === null ? undefined : duration(result.seconds)],
    ],
    below: (columns) => [...(result === null ? [] : [textTable([result], columns)]), ...(ended ? [nextOf(info, columns)] : [])],
  };
};

const toldOfSweep = ({ sweep, jobs, folder }: SweepInfo): Told => {
  const { base, methods: chosen, options = {}, orders = [], seeds } = sweep;
  const results = jobs.flatMap(({ result }) => result ?? []);
  const begun = jobs.filter(({ extent, failure }) => extent === "begun" && failure === null).map(({ name }) => name);
  const failed = jobs.flatMap(({ name, failure }) => (failure === null ? [] : [`${name}: ${failure}`]));
  const failures = failed.length === 0 ? "" : `, ${failed.length} ${failed.length === 1 ? "has" : "have"} failed`;
  const goesOn = results.length < jobs.length ? `, and cambium resume ${folder} goes on` : "";
  return {
    is: `a sweep; ${results.length} of ${counted(jobs.length, "job")} ${results.length === 1 ? "has" : "have"} ended${failures}${goesOn}`,
    facts: [
      ["Model", base.model],
      ["Data", dataOf(base.source)],
      ["Methods", chosen.map(methodText).join(", ")],
      [
        "Options",
        Object.keys(options).length === 0
          ? undefined
          : Object.entries(options)
              .map(([name, values]) => `${name}: ${optionText(values)}`)
              .join("; "),
      ],
      ["Orders", orders.length === 0 ? undefined : `${orders.length}`],
      ["Seeds", seeds.join(", ")],
      ["Begun", begun.length === 0 ? undefined : someOf(begun)],
    ],
    below: (columns) => [
      ...(results.length === 0 ? [] : [textTable(results, columns)]),
      ...(failed.length === 0
        ? []
        : [
            ["Failed:", ...failed.flatMap((line) => wrapped(legible(line, 2000), columns - 4).map((part, k) => (k === 0 ? `  ${part}` : `    ${part}`)))].join(
              "\n",
            ),
          ]),
      nextLines(
        [
          ...(results.length < jobs.length ? [[`cambium resume ${folder}`, "runs the jobs that have not ended"] as const] : []),
          ...(results.length === 0 ? [] : [[`cambium compare ${folder} --html FILE`, "writes a page of those that have"] as const]),
        ],
        columns,
      ),
    ],
  };
};

const toldOf = (info: Info): Told => {
  switch (info.kind) {
    case "model":
      return toldOfModel(info);
    case "learner":
      return toldOfLearner(info);
    case "adapter":
      return toldOfAdapter(info);
    case "dataset":
      return toldOfDataset(info);
    case "run":
      return toldOfRun(info);
    case "sweep":
      return toldOfSweep(info);
  }
};

/**
 * What lies in a folder, in words of at most `columns` characters a line.
 *
 * ```ts
 * const lora = { rank: 8, alpha: 16, own: { ranks: 0, alphas: 0 }, targets: ["q_proj"], layers: 24, parameters: 294_912 };
 * const told = infoText({ kind: "adapter", folder: "lora", base: "models/clip", ...lora });
 * assert.match(told, /^lora is an adapter of PEFT: LoRA\.\n/);
 * ```
 */
export const infoText = (info: Info, columns = 120): string => {
  const { is, facts, below } = toldOf(info);
  const known = facts.flatMap(([name, text]) => (text === undefined ? [] : [[name, legible(text, 2000)] as const]));
  const names = alignLeft(known.map(([name]) => name));
  const indent = 4 + (names[0] ?? "").length;
  const most = Math.max(40, columns);
  return [
    wrapped(`${legible(info.folder)} is ${is}.`, most).join("\n"),
    known.flatMap(([, text], i) => wrapped(text, most - indent).map((line, k) => (k === 0 ? `  ${names[i]}  ${line}` : " ".repeat(indent) + line))).join("\n"),
    ...(below?.(most) ?? []),
  ].join("\n\n");
};
