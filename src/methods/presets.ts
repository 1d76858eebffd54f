/**
 * The hyper-parameters of every method in every protocol: those that its paper or code states, and where neither says anything those of the nearest
 * protocol. What does not depend on the protocol is the method's own default.
 */
import { isAnswerProtocol, type Protocol } from "../data/protocols.ts";
import { answerPreset } from "./answerPresets.ts";
import { classPreset } from "./classPresets.ts";
import type { Preset } from "./preset.ts";
import type { MethodName } from "./table.ts";

/**
 * The options of a method in a protocol. A method whose authors state nothing trains as the baselines do there; `joint` trains once, and gets their steps
 * times the tasks, or where tasks are answered in words their mean epochs.
 *
 * ```ts
 * assert.equal(preset(data.protocols["x-tail"], "codyra").options.kappa, 0.005);
 * assert.deepEqual(preset(data.protocols["mtil-1"], "joint").options.steps, 5500);
 * assert.equal(preset(data.protocols.ucit, "keeplora").options.rank, 32);
 * ```
 */
export const preset = (protocol: Protocol, method: MethodName): Preset =>
  isAnswerProtocol(protocol) ? answerPreset(protocol, method) : classPreset(protocol, method);
