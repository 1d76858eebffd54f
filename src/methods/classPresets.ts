/** The hyper-parameters of every method where tasks are classified (METHODS.md A.6, B.6, C.6, D.7). */
import type { EvaluateOptions } from "../stages/evaluate.ts";
import type { ProtocolOptions } from "../data/checked.ts";
import { taskCount, type ClassProtocol, type ClassProtocolName } from "../data/protocols.ts";
import { epochs, type Preset, type PresetOptions } from "./preset.ts";
import type { MethodName } from "./table.ts";

/** A method's part of the table. */
interface Entry {
  readonly seed?: number;
  readonly firstTemplate?: ProtocolOptions["firstTemplate"];
  readonly options: PresetOptions;
  /** Default: the first template. */
  readonly evaluate?: EvaluateOptions;
  /** What is other than in `options`. */
  readonly other?: Readonly<Partial<Record<ClassProtocolName, PresetOptions>>>;
  readonly stated: readonly ClassProtocolName[];
}

/** The baselines train as CoDyRA does, so that a comparison differs in the method alone; their ranks are their own. */
const base: PresetOptions = { steps: 500, batch: 64, lr: 5e-4 };

/** The epochs of KeepLoRA in both orders of MTIL. */
const keepEpochs = (one: ReturnType<typeof epochs>, two: ReturnType<typeof epochs>): Entry["other"] => ({
  "mtil-1": { steps: one },
  "mtil-1-5shot": { steps: one },
  "mtil-2": { steps: two },
  "mtil-2-5shot": { steps: two },
});

const keeplora: Entry = {
  seed: 42,
  firstTemplate: "keeplora",
  options: { steps: { epochs: 10 }, batch: 64, rank: 16, lr: 1e-3 },
  other: keepEpochs(epochs(10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 5), epochs(5, 2, 5, 5, 5, 5, 10, 10, 10, 10, 10)),
  stated: ["mtil-1", "mtil-2"],
};

const dacOrderTwo: PresetOptions = { lr: [2e-3, 2e-3, 1e-3, 2e-3, 2e-3, 2e-3, 3e-3, 2e-3, 2e-3, 1e-3, 3e-3] };

const incremental = ["cifar100-10", "imagenet-r-5", "imagenet-r-10", "imagenet-r-20", "domainnet-5"] as const;

const imagenetR: PresetOptions = { steps: { epochs: 50 }, batch: 128, rank: 10, lr: 5e-4, optimizer: "adam", threshold: 0.98 };

/** InfLoRA's public configurations (METHODS.md D.7). */
const inflora: Entry = {
  options: { ...base, rank: 10 },
  other: {
    "cifar100-10": { steps: { epochs: 20 }, batch: 128, rank: 10, lr: 5e-4, optimizer: "adam", threshold: 0.95 },
    "imagenet-r-5": imagenetR,
    "imagenet-r-10": imagenetR,
    "imagenet-r-20": imagenetR,
    "domainnet-5": { steps: { epochs: 5 }, batch: 128, rank: 30, lr: 5e-3, headLr: 1e-2, optimizer: "sgd", threshold: 0.95 },
  },
  stated: incremental,
};

const entries: Readonly<Partial<Record<MethodName, Entry>>> = {
  "zero-shot": { options: {}, stated: [] },
  codyra: { seed: 8, options: { ...base, rank: 16, kappa: 0.005 }, stated: ["x-tail"] },
  keeplora,
  "keeplora++": keeplora,
  "keeplora+": {
    ...keeplora,
    options: { ...keeplora.options, steps: { epochs: 5 } },
    other: keepEpochs(epochs(5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5), epochs(5, 1, 1, 5, 5, 5, 5, 5, 5, 5, 5)),
  },
  dac: {
    seed: 42,
    // The authors' loop counts from 0 to 500 inclusive.
    options: { steps: 501, batch: 32, rank: 12, lr: 2e-3 },
    evaluate: { templates: "ensemble" },
    other: { "mtil-2": dacOrderTwo, "mtil-2-5shot": dacOrderTwo },
    stated: ["mtil-1-5shot", "mtil-2-5shot"],
  },
  inflora,
  // DualLoRA's own were not found: METHODS.md D.7 takes InfLoRA's.
  duallora: { ...inflora, stated: [] },
};

/** A method without an entry is trained as the other baselines are. */
const baseline: Entry = { options: base, stated: [] };

/** The options of a method in a protocol of classification. */
export const classPreset = (protocol: ClassProtocol, method: MethodName): Preset => {
  const { seed, firstTemplate, options, evaluate = { templates: "single" }, other = {}, stated } = entries[method] ?? baseline;
  const name = protocol.name as ClassProtocolName;
  const once = method === "joint" ? { steps: 500 * taskCount(protocol) } : {};
  const isStated = stated.includes(name);
  return { options: { ...options, ...other[name], ...once }, evaluate, seed: isStated ? seed : undefined, firstTemplate, stated: isStated };
};
