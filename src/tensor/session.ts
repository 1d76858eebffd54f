/**
 * A session: a step that is traced, bound to a device, run as often as wanted, read, and released, in one place.
 *
 * ```ts
 * const doubled = await withDevice({})((device) =>
 *   tensor.withSession(device, ({ input }) => {
 *     const x = input("x", tensor.floats([3]));
 *     return { _tag: "Right", right: { outputs: { y: tensor.scale(x, 2) } } };
 *   })((session) => async () => {
 *     session.run({ x: Float32Array.of(1, 2, 3) });
 *     return session.read("y")();
 *   }),
 * )();
 * assert.ok(doubled._tag === "Right");
 * assert.deepEqual([...doubled.right], [2, 4, 6]);
 * ```
 */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { allocated } from "../device/allocated.ts";
import type { Device } from "../device/device.ts";
import type { Failure } from "../failure.ts";
import type { HostTensor } from "../formats/hostTensor.ts";
import { instantiate, type Executable } from "./executable.ts";
import { leafBook, type Leaves } from "./leaves.ts";
import { trace, type Program, type Results } from "./program.ts";
import type { HostRecord } from "./replay.ts";
import { resident, storageOn, type Resident } from "../device/resident.ts";

/** A program that is bound to a device, with what its step asked for. */
export interface Session extends Pick<Executable, "read" | "recorded" | "states" | "bytes" | "launches" | "release"> {
  readonly program: Program;
  /** Bytes of the frozen tensors that it reads; {@link Executable.bytes} are beside them. */
  readonly frozenBytes: number;
  /** Writes states, which stay until they are replaced; those that the program does not read are passed over. Fails with `BadTensor` for another length. */
  readonly write: (states: HostRecord) => E.Either<Failure, void>;
  /** Writes inputs, but those that the program does not read, and submits one run. Does not wait. */
  readonly run: (inputs?: HostRecord) => E.Either<Failure, void>;
  /** Reads several outputs or states, as they are once what was submitted so far has run. */
  readonly readAll: (names: Iterable<string>) => TE.TaskEither<Failure, Readonly<Record<string, Float32Array>>>;
}

/** A step: a function that asks for its tensors, or a program that was traced before. */
export type Step = ((leaves: Leaves) => E.Either<Failure, Results>) | Program;

/** Options of {@link openSession}. */
export interface SessionOptions {
  /**
   * The frozen tensors: values, of which those are uploaded that the step uses, stored as it asks; or tensors that are on the device already and stay there.
   */
  readonly weights?: Iterable<readonly [string, HostTensor]> | Resident;
  /** Frozen tensors that a program brings along, which stay f32 where a device stores weights in less. */
  readonly constants?: Iterable<readonly [string, HostTensor]>;
  /** States of another session, which this one shares as long as that lives. Default: all states are the session's own. */
  readonly states?: Resident;
  /** Outputs of one number that are kept for every run. */
  readonly record?: readonly string[];
  /** What a profile calls its runs. Default: a program. */
  readonly label?: string;
}

const isResident = (weights: NonNullable<SessionOptions["weights"]>): weights is Resident => "tensors" in weights;

/** What failures call the weights of a program together. */
export const weightsOfProgram = "The weights of a program";

const noWeights: Resident = { tensors: new Map(), release: () => undefined };

/** The frozen tensors of a program on the device; `release` releases those that were uploaded here. */
const frozenOf = (
  device: Device,
  program: Program,
  weights: NonNullable<SessionOptions["weights"]>,
  constants: ReadonlyMap<string, HostTensor>,
): E.Either<Failure, Resident> => {
  const [there, values] = isResident(weights) ? [weights, []] : [noWeights, weights];
  const used = new Map(program.leaves.filter(({ role }) => role === "frozen").map(({ name, outputs: [{ dtype }] }) => [name, dtype]));
  const brought = new Map([...values, ...constants].filter(([name]) => used.has(name)));
  const stored = storageOn(device);
  const uploaded = resident(device, brought, (name, tensor) => {
    if (used.get(name) === "f16") return "f16";
    return constants.has(name) ? "f32" : stored(name, tensor);
  });
  return E.map(({ tensors, release }: Resident): Resident => ({ tensors: new Map([...there.tensors, ...tensors]), release }))(uploaded);
};

/**
 * Traces a step, uploads the frozen tensors that it uses and binds it; the session must be released. Fails with `ShapeMismatch` where shapes do not fit,
 * with `BadTensor` where a frozen tensor is missing, and with `OverLimit`; nothing then stays on the device.
 */
export const openSession =
  (device: Device, step: Step, { weights = [], constants = [], record = [], states: shared, label }: SessionOptions = {}): TE.TaskEither<Failure, Session> =>
  async () => {
    const leaves = leafBook();
    const traced = typeof step === "function" ? trace({}, () => step(leaves)) : E.right(step);
    if (E.isLeft(traced)) return traced;
    const program = traced.right;
    let uploaded: Resident | undefined;
    const frozen = await allocated(device, weightsOfProgram, () =>
      E.map((resident: Resident) => (uploaded = resident))(frozenOf(device, program, weights, new Map([...constants, ...leaves.constants]))),
    );
    if (E.isLeft(frozen)) {
      uploaded?.release();
      return frozen;
    }
    const bound = await instantiate(device, program, frozen.right, record, shared, label)();
    if (E.isLeft(bound)) {
      frozen.right.release();
      return bound;
    }
    const { write, run, read, ...rest } = bound.right;
    const readBy = (role: "state" | "input"): ((values: HostRecord) => HostRecord) => {
      const names = new Set(program.leaves.filter((leaf) => leaf.role === role).map(({ name }) => name));
      return (values) => Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
    };
    const [states, inputs] = [readBy("state"), readBy("input")];
    return E.right({
      ...rest,
      program,
      frozenBytes: program.leaves.reduce((n, { role, name }) => n + (role === "frozen" ? (frozen.right.tensors.get(name)?.buffer.size ?? 0) : 0), 0),
      read,
      write: (values) => write("state", states(values)),
      run: (values = {}) => run(inputs(values)),
      readAll: (names) => async () => {
        const values: Record<string, Float32Array> = {};
        for (const name of names) {
          const value = await read(name)();
          if (E.isLeft(value)) return value;
          values[name] = value.right;
        }
        return E.right(values);
      },
      release: () => {
        rest.release();
        frozen.right.release();
      },
    });
  };

/** Opens a session, uses it, and releases it whatever happens, also when `use` throws. */
export const withSession =
  (device: Device, step: Step, options?: SessionOptions) =>
  <A>(use: (session: Session) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
    TE.chain(
      (session: Session): TE.TaskEither<Failure, A> =>
        async () => {
          try {
            return await use(session)();
          } finally {
            session.release();
          }
        },
    )(openSession(device, step, options));
