/** Programs that run a learner's model as it is, without training. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Resident } from "../device/resident.ts";
import type { Failure } from "../failure.ts";
import type { BatchSize } from "../model/architecture.ts";
import { through, type Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import { networkOf, outputsOf } from "../model/model.ts";
import { frozenScope } from "../model/scope.ts";
import type { Leaves } from "../tensor/leaves.ts";
import { openSession, type Session } from "../tensor/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Runtime } from "../training/runtime.ts";

/** The name under which a session gives the output that it was opened for; what a branch notes has its own name. */
export const found = "found";

/** Programs for batches of one size, each bound when it is first used. */
export interface Programs {
  /** The session whose output {@link found} is the named output of the model. */
  readonly session: (output: string, batch: BatchSize) => TE.TaskEither<Failure, Session>;
  /** Releases sessions, those first that were used longest ago, until the others take no more than `kept` bytes; they may be opened again. Default 0: all. */
  readonly release: (kept?: number) => void;
}

/** Programs of a learner's model, through a branch if there is one, with its weights on the device. */
export const programs = (learner: Learner, { device }: Pick<Runtime, "device">, weights: Resident, branch: Branch | undefined): Programs => {
  const { model } = learner;
  const sessions = new Map<string, Session>();
  const step = (output: string, batch: BatchSize) => (leaves: Leaves) => {
    const notes: Record<string, Tensor> = {};
    const plain = frozenScope(networkOf(model), leaves.frozen);
    const asItIs = outputsOf(model, leaves, batch, plain);
    const note = (name: string, value: Tensor): void => void (notes[name] = value);
    const scope = through(branch, learner, plain, leaves.constant, note, (name) => asItIs[name]);
    // A branch notes what it does while the output is traced.
    const traced = outputsOf(model, leaves, batch, scope)[output];
    return E.right({ outputs: { ...notes, [found]: traced } });
  };
  return {
    session: (output, batch) => async () => {
      const key = JSON.stringify([output, batch]);
      const open = sessions.get(key);
      const opened = open === undefined ? await openSession(device, step(output, batch), { weights, label: output })() : E.right(open);
      // The one used last stands last.
      sessions.delete(key);
      if (E.isRight(opened)) sessions.set(key, opened.right);
      return opened;
    },
    release: (kept = 0) => {
      let bytes = [...sessions.values()].reduce((sum, session) => sum + session.bytes, 0);
      for (const [key, session] of sessions) {
        if (kept > 0 && bytes <= kept) return;
        bytes -= session.bytes;
        session.release();
        sessions.delete(key);
      }
    },
  };
};
