/** What there is to know of a model, in words. */
import { bytes, count, counted, fixed } from "../report/format.ts";
import { alignLeft, alignRight } from "../report/table.ts";
import type { DecoderMemory } from "./decoderMemory.ts";
import type { LearnerInfo, ModelInfo } from "./modelInfo.ts";
import { countedRank, type StepMemory, type TrainingMemory } from "./trainingMemory.ts";

/** What adapters would train of a model. */
export const adapterTable = ({ adapters, parameters }: ModelInfo | LearnerInfo): string => {
  const columns = [
    alignLeft([`Adapter of rank ${countedRank} on all layers`, ...adapters.map(({ name }) => name)]),
    alignRight(["Trainable parameters", ...adapters.map(({ trainableParameters }) => count(trainableParameters))]),
    alignRight(["Of the model's", ...adapters.map(({ trainableParameters }) => `${fixed(1)((100 * trainableParameters) / parameters)} %`)]),
  ];
  const [head, ...rows] = columns[0].map((_, i) => columns.map((column) => column[i]).join("  "));
  return [head, "\u2500".repeat([...head].length), ...rows].join("\n");
};

const pictureFact = ({ imageSize, pictureTokens }: ModelInfo | LearnerInfo): string => {
  if (imageSize === null) return "none";
  return `${imageSize} x ${imageSize} pixels${pictureTokens === null ? "" : `, ${counted(pictureTokens, "token")} each`}`;
};

const textFact = ({ texts }: ModelInfo | LearnerInfo): string => {
  if (texts === null) return "none: it has no text tower";
  const { context, vocabulary, continued } = texts;
  return `${continued ? "continued: " : ""}at most ${count(context)} tokens${vocabulary === null ? "" : ` of a vocabulary of ${count(vocabulary)}`}`;
};

const memoryFacts = ({ stored, weights, token }: DecoderMemory): readonly (readonly [string, string])[] => [
  ["Weights", `${bytes(stored)} in its files; on a device ${bytes(weights.f32)} as f32, ${bytes(weights.f16)} with matrices as f16`],
  ["Generation", `keeps ${bytes(token)} of every token`],
];

const batchText = ({ images, texts, tokens }: TrainingMemory["batch"], continued: boolean): string => {
  if (continued) return `a text of ${counted(tokens, "token")}`;
  return `${counted(images, "picture")}, ${counted(texts, "class", "classes")}`;
};

/** What a step of a training needs, in f32 and with the options that lower it. */
const trainingFacts = ({ batch, plain, recomputed, mixed }: TrainingMemory, continued: boolean): readonly (readonly [string, string])[] => {
  const needs = ({ weights, rest }: StepMemory): string => `${bytes(rest)} beside ${bytes(weights)} of weights`;
  return [
    ["Training", `a step of ${batchText(batch, continued)}, LoRA of rank ${countedRank} on all layers, needs on a GPU`],
    ["", `${needs(plain)}`],
    ["", `${needs(recomputed)} with --recompute blocks`],
    ["", `${needs(mixed)} with --precision mixed`],
  ];
};

/** The facts of a model by name. */
export const modelFacts = (info: ModelInfo | LearnerInfo): readonly (readonly [string, string | undefined])[] => [
  ...info.towers.map(
    ({ name, blocks, layers, kinds }) =>
      [`Tower ${name}`, `${counted(blocks, "block")}, ${counted(layers, "layer")} for adapters: ${kinds.join(", ")}`] as const,
  ),
  ["Parameters", `${count(info.parameters)}, ${info.dtype}${info.exported === info.dtype ? "" : `; cambium export writes ${info.exported}`}`],
  ["Pictures", pictureFact(info)],
  ["Texts", textFact(info)],
  ...(info.memory === null ? [] : memoryFacts(info.memory)),
  ...(info.training === null ? [] : trainingFacts(info.training, info.memory !== null)),
];
