/**
 * The hyper-parameters of every method in every protocol: those that its paper or code states (METHODS.md A.6, B.6, C.6, D.7), and where
 * neither says anything those of the nearest protocol. What does not depend on the protocol is the method's own default.
 */
import type { EvaluateOptions } from "../stages/evaluate.ts";
import type { Length } from "../training/schedule.ts";
import type { ProtocolOptions } from "../data/checkProtocol.ts";
import { taskCount, type Protocol, type ProtocolName } from "../data/protocols.ts";
import type { MethodName, MethodOptions } from "./table.ts";

/** Options of a method, but for how it is scored. */
type Options = Omit<MethodOptions, "evaluate">;

/** How a method is run in a protocol. */
export interface Preset {
  readonly options: Options;
  readonly evaluate: EvaluateOptions;
  /** Where the method's code has one for this protocol; in others all methods have the same, and with it the same few shots and order of classes. */
  readonly seed?: number;
  readonly firstTemplate?: ProtocolOptions["firstTemplate"];
  /** Whether the method's own paper or code states the options for this protocol. */
  readonly stated: boolean;
}

/** A method's part of the table. */
interface Entry {
  readonly seed?: number;
  readonly firstTemplate?: ProtocolOptions["firstTemplate"];
  readonly options: Options;
  /** Default: the first template. */
  readonly evaluate?: EvaluateOptions;
  /** What is other than in `options`. */
  readonly other?: Readonly<Partial<Record<ProtocolName, Options>>>;
  readonly stated: readonly ProtocolName[];
}

/** The baselines train as CoDyRA does, so that a comparison differs in the method alone; their ranks are their own. */
const base: Options = { steps: 500, batch: 64, lr: 5e-4 };

const epochs = (...counts: readonly number[]): readonly Length[] => counts.map((n) => ({ epochs: n }));

/** The epochs of KeepLoRA in both orders of MTIL. */
const keepEpochs = (one: readonly Length[], two: readonly Length[]): Entry["other"] => ({
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

const dacOrderTwo: Options = { lr: [2e-3, 2e-3, 1e-3, 2e-3, 2e-3, 2e-3, 3e-3, 2e-3, 2e-3, 1e-3, 3e-3] };

const incremental = ["cifar100-10", "imagenet-r-5", "imagenet-r-10", "imagenet-r-20", "domainnet-5"] as const;

const imagenetR: Options = { steps: { epochs: 50 }, batch: 128, rank: 10, lr: 5e-4, optimizer: "adam", threshold: 0.98 };

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

/**
 * The options of a method in a protocol. A method whose authors state nothing trains as the baselines do; `joint` gets their steps times the
 * tasks, for it trains once.
 *
 * ```ts
 * assert.equal(preset(data.protocols["x-tail"], "codyra").options.kappa, 0.005);
 * assert.deepEqual(preset(data.protocols["mtil-1"], "joint").options.steps, 5500);
 * ```
 */
export const preset = (protocol: Protocol, method: MethodName): Preset => {
  const { seed, firstTemplate, options, evaluate = { templates: "single" }, other = {}, stated } = entries[method] ?? baseline;
  const name = protocol.name as ProtocolName;
  const once = method === "joint" ? { steps: 500 * taskCount(protocol) } : {};
  const isStated = stated.includes(name);
  return { options: { ...options, ...other[name], ...once }, evaluate, seed: isStated ? seed : undefined, firstTemplate, stated: isStated };
};
