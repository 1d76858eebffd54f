/**
 * The hyper-parameters of every method where tasks are answered in words. KeepLoRA's are those of its authors' code for LLaVA and Video-LLaVA, O-LoRA's
 * those of its scripts for LLaMA, which keep the rate constant. TRACE's own are those of its LoRA baseline, but for α 32 and dropout, which the baselines here
 * do not have.
 */
import type { answerProtocols, AnswerProtocol } from "../data/answerProtocols.ts";
import type { Length } from "../training/schedule.ts";
import { optionNames } from "./declare.ts";
import { epochs, type Preset, type PresetOptions } from "./preset.ts";
import { methods, type MethodName } from "./table.ts";

type AnswerProtocolName = keyof typeof answerProtocols;

/** A value for every order of the standard benchmark. */
const inEveryOrder = <A>(value: A): Readonly<Record<`standard-cl-${1 | 2 | 3}`, A>> => ({
  "standard-cl-1": value,
  "standard-cl-2": value,
  "standard-cl-3": value,
});

/** How a task is trained in each protocol by every method, so that a comparison differs in the method alone. The tower of vision stays as it is. */
const training: Readonly<Record<AnswerProtocolName, PresetOptions>> = {
  ucit: { steps: { epochs: 1 }, batch: 64, rank: 32, lr: 2e-4, towers: ["language"] },
  "mllm-dcl": { steps: epochs(1, 3, 1, 2, 1), batch: 64, rank: 64, lr: 2e-5, towers: ["language"] },
  "cl-vista": { steps: { epochs: 1 }, batch: 16, rank: 64, lr: 1e-4, towers: ["language"] },
  trace: { steps: epochs(5, 3, 7, 5, 3, 5, 5, 7), batch: 32, rank: 8, lr: 1e-4, modules: ["q", "v"] },
  ...inEveryOrder({ steps: { epochs: 1 }, batch: 32, rank: 8, lr: 1e-3, modules: ["q", "v"] } as const),
};

/** A method's part of the table: what is other than in {@link training}, and in which protocols its authors state it. */
interface Entry {
  readonly options?: PresetOptions;
  readonly other?: Readonly<Partial<Record<AnswerProtocolName, PresetOptions>>>;
  readonly stated?: readonly AnswerProtocolName[];
}

const keeplora: Entry = {
  options: { modules: "all" },
  other: {
    ucit: { alpha: 8, lr: [2e-4, 2e-4, 2e-4, 2e-4, 2e-4, 1e-4], projectorLr: 2e-5 },
    "mllm-dcl": { alpha: 128, projectorLr: 2e-5 },
    "cl-vista": { alpha: 128, projectorLr: 1e-5, gradientShare: 0.1 },
  },
  stated: ["ucit", "mllm-dcl", "cl-vista"],
};

const entries: Readonly<Partial<Record<MethodName, Entry>>> = {
  // Its authors' for decoders were not found: these are those of classification.
  codyra: { options: { rank: 16, kappa: 0.005, dense: 0.5, modules: "all" } },
  keeplora,
  "keeplora++": keeplora,
  "o-lora": { other: inEveryOrder({ orthogonality: 0.5 }), stated: ["standard-cl-1", "standard-cl-2", "standard-cl-3"] },
};

/** The mean of the epochs of all tasks, for who trains once. */
const once = (steps: PresetOptions["steps"]): Length => {
  const lengths = (Array.isArray(steps) ? steps : [steps]) as readonly { readonly epochs: number }[];
  return { epochs: Math.round(lengths.reduce((sum, length) => sum + length.epochs, 0) / lengths.length) };
};

/** Those of the options that a method has. */
const known = (method: MethodName, options: PresetOptions): PresetOptions => {
  const names: readonly string[] = optionNames(methods[method].declaration);
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
};

/** The options of a method in a protocol that is answered in words. */
export const answerPreset = (protocol: AnswerProtocol, method: MethodName): Preset => {
  const name = protocol.name as AnswerProtocolName;
  const { options = {}, other = {}, stated = [] } = entries[method] ?? {};
  const all = { ...training[name], ...options, ...other[name] };
  const trainedOnce = method === "joint" ? { steps: once(all.steps) } : {};
  return { options: known(method, { ...all, ...trainedOnce }), evaluate: { templates: "single" }, stated: stated.includes(name) };
};
