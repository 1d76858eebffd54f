/**
 * Where the time of programs goes: milliseconds by kernel and shape, with the operations and bytes that they take, and how near that is to what the adapter can
 * do.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../device/device.ts";
import { makeProfiler, type ProgramRecord } from "../device/profiler.ts";
import type { LaunchCost } from "../device/profiling.ts";
import { hasTimestamps, type Span } from "../device/timestamps.ts";
import { lineOf } from "../device/precision.ts";
import type { Failure } from "../failure.ts";
import { peakOf, type Peak } from "./peak.ts";
import type { HostRecord } from "./replay.ts";
import { withSession, type SessionOptions, type Step } from "./session.ts";

/** The launches of one kernel on one shape, in one run of a program. */
export interface KernelProfile extends LaunchCost {
  /** How many there are; operations and bytes are those of all of them. */
  readonly launches: number;
  /** What they took on the device; null without timestamps. */
  readonly milliseconds: number | null;
  /** The time that they would take at the adapter's peak, as a share of what they took. */
  readonly ofPeak: number | null;
}

/** One program: a step of a training, say. */
export interface ProgramProfile {
  readonly label: string;
  readonly runs: number;
  /** Of one run. */
  readonly launches: number;
  readonly flops: number;
  readonly bytes: number;
  /** What a run took on the device; null without timestamps. */
  readonly milliseconds: number | null;
  /** From the beginning of a run to that of the next, on the average; null where no two runs followed each other. */
  readonly elapsed: number | null;
  /** The share of the elapsed time in which the device worked on these runs. */
  readonly busy: number | null;
  readonly ofPeak: number | null;
  /** The slowest first. */
  readonly kernels: readonly KernelProfile[];
}

/** What was measured of programs on a device. */
export interface Profile {
  readonly adapter: string;
  /** Whether the adapter has timestamps. Without them launches, operations and bytes are counted, and nothing is timed. */
  readonly timestamps: boolean;
  /** The best rates of the adapter; null where nothing is timed. */
  readonly peak: Peak | null;
  /** Those that took longest first. */
  readonly programs: readonly ProgramProfile[];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const mean = (numbers: readonly number[]): number | null => (numbers.length === 0 ? null : sum(numbers) / numbers.length);

/** Milliseconds of each launch of a run. A pass may begin before the one in front of it has ended: what they share counts for that. */
const alone = (spans: readonly Span[]): readonly number[] => spans.map(({ begin, end }, i) => Math.max(0, end - Math.max(begin, spans[i - 1]?.end ?? begin)));

/** Milliseconds of each launch, on the average of the runs that were timed. In the first some drivers compile, so it counts where there is no other. */
const launchTimes = ({ launches, timed }: Pick<ProgramRecord, "launches" | "timed">): readonly number[] | undefined => {
  const runs = (timed.length > 1 ? timed.slice(1) : timed).map(alone);
  return runs.length === 0 ? undefined : launches.map((_, i) => sum(runs.map((run) => run[i])) / runs.length);
};

/** The time at the peak as a share of a time. */
const shareOfPeak = ({ flops, bytes }: Pick<LaunchCost, "flops" | "bytes">, milliseconds: number | null, peak: Peak | null): number | null =>
  milliseconds === null || milliseconds === 0 || peak === null ? null : (1000 * Math.max(flops / peak.flops, bytes / peak.bytes)) / milliseconds;

const kernelsOf = (record: Pick<ProgramRecord, "launches" | "timed">, peak: Peak | null): readonly KernelProfile[] => {
  const times = launchTimes(record);
  const groups = new Map<string, { readonly first: LaunchCost; readonly at: number[] }>();
  record.launches.forEach((launch, i) => {
    const key = `${launch.kernel} ${launch.shape}`;
    const group = groups.get(key) ?? { first: launch, at: [] };
    group.at.push(i);
    groups.set(key, group);
  });
  const profiles = [...groups.values()].map(({ first: { kernel, shape }, at }): KernelProfile => {
    const [flops, bytes] = [sum(at.map((i) => record.launches[i].flops)), sum(at.map((i) => record.launches[i].bytes))];
    const milliseconds = times === undefined ? null : sum(at.map((i) => times[i]));
    return { kernel, shape, launches: at.length, flops, bytes, milliseconds, ofPeak: shareOfPeak({ flops, bytes }, milliseconds, peak) };
  });
  return profiles.sort((a, b) => (b.milliseconds ?? b.bytes) - (a.milliseconds ?? a.bytes));
};

/** The time that runs took on the device, and from the first of them to the last, where they followed each other. */
const busyOf = (spans: readonly Span[]): { readonly worked: number; readonly elapsed: number; readonly between: number } => ({
  worked: sum(spans.slice(0, -1).map(({ begin, end }) => end - begin)),
  elapsed: spans.length < 2 ? 0 : spans[spans.length - 1].begin - spans[0].begin,
  between: Math.max(0, spans.length - 1),
});

/** Records of equal programs, such as the trainings of several tasks, as one. */
const programOf = (records: readonly ProgramRecord[], peak: Peak | null): ProgramProfile => {
  const [{ label, launches }] = records;
  const timed = records.flatMap((record) => record.timed);
  const kernels = kernelsOf({ launches, timed }, peak);
  const stretches = records.map(({ spans }) => busyOf(spans));
  const [worked, elapsed, between] = (["worked", "elapsed", "between"] as const).map((key) => sum(stretches.map((stretch) => stretch[key])));
  const spans = records.flatMap((record) => record.spans);
  const milliseconds = mean(spans.map(({ begin, end }) => end - begin)) ?? (timed.length === 0 ? null : sum(kernels.map((k) => k.milliseconds ?? 0)));
  const [flops, bytes] = [sum(launches.map((l) => l.flops)), sum(launches.map((l) => l.bytes))];
  return {
    ...{ label, runs: sum(records.map(({ runs }) => runs)), launches: launches.length, flops, bytes, milliseconds },
    elapsed: between === 0 ? null : elapsed / between,
    busy: elapsed === 0 ? null : Math.min(1, worked / elapsed),
    ofPeak: shareOfPeak({ flops, bytes }, milliseconds, peak),
    kernels,
  };
};

/** Numbers programs of one label, in the order given. */
const numbered = (programs: readonly ProgramProfile[]): readonly ProgramProfile[] =>
  programs.map((program, i) => {
    const named = ({ label }: ProgramProfile): boolean => label === program.label;
    const all = programs.filter(named).length;
    return all === 1 ? program : { ...program, label: `${program.label} (${programs.slice(0, i + 1).filter(named).length} of ${all})` };
  });

/** The profile of what was written down. Different programs of one label are numbered in the order of their first runs. */
export const profileOf = (adapter: string, timestamps: boolean, peak: Peak | null, records: readonly ProgramRecord[]): Profile => {
  const equal = new Map<string, ProgramRecord[]>();
  for (const record of records) {
    const { label, launches } = record;
    const key = JSON.stringify([label, launches.length, sum(launches.map((l) => l.flops)), sum(launches.map((l) => l.bytes))]);
    equal.set(key, [...(equal.get(key) ?? []), record]);
  }
  const programs = numbered([...equal.values()].map((same) => programOf(same, peak)));
  const took = ({ runs, milliseconds, bytes }: ProgramProfile): number => runs * (milliseconds ?? bytes);
  return { adapter, timestamps, peak, programs: [...programs].sort((a, b) => took(b) - took(a)) };
};

/** Options of {@link profiling} and {@link profile}. */
export interface ProfileOptions {
  /** Runs of every program whose launches are timed one by one, behind its first. Default 3. */
  readonly runs?: number;
}

/** Whether a number of runs is one. */
const checkRuns = (runs: number): E.Either<Failure, void> =>
  Number.isInteger(runs) && runs >= 0
    ? E.right(undefined)
    : E.left({ _tag: "BadOption", option: "runs", detail: `should be a whole number of at least 0, not ${runs}` });

/** A device whose programs are profiled. */
export interface Profiling {
  /** The same device: whatever runs on it is profiled, and gives the same bits. */
  readonly device: Device;
  /** What was measured so far. Waits for the device, and measures its peak where none is known. Fails with `BadOption` where `runs` is no number of runs. */
  readonly profile: TE.TaskEither<Failure, Profile>;
  /** Releases what the profiler has on the device. */
  readonly release: () => void;
}

/**
 * Profiles whatever runs on a device: trainings, evaluations, programs of one's own. Some runs of every program are timed launch by launch, each in a pass of
 * its own; of the others the beginning and the end are.
 *
 * ```ts
 * const profile = await get(withDevice({})((device) => async () => {
 *   const watched = tensor.profiling(device);
 *   await tensor.compute(watched.device, { x: { shape: [2], data: Float32Array.of(1, 2) } }, ({ x }) => ({ _tag: "Right", right: { y: tensor.exp(x) } }))();
 *   return watched.profile();
 * }));
 * assert.deepEqual(profile.programs.map(({ runs, launches }) => [runs, launches]), [[1, 1]]);
 * ```
 */
export const profiling = (device: Device, { runs = 3 }: ProfileOptions = {}): Profiling => {
  const profiler = makeProfiler(device, runs);
  const timestamps = hasTimestamps(device);
  return {
    device: { ...device, profiler },
    profile: pipe(
      TE.fromEither(checkRuns(runs)),
      TE.bind("records", () => profiler.records),
      TE.bind("peak", () => (timestamps ? peakOf(device) : TE.right(null))),
      TE.map(({ records, peak }) => profileOf(lineOf(device), timestamps, peak, records)),
    ),
    release: profiler.release,
  };
};

/**
 * Profiles a step, which is run some times on the inputs that are given, or on zeros. Fails as {@link withSession} does, and with `BadOption` where `runs` is
 * no number of runs.
 *
 * ```ts
 * const product = tensor.trace({ inputs: { a: tensor.floats([64, 32]), b: tensor.floats([32, 16]) } }, ({ inputs: { a, b } }) => ({
 *   _tag: "Right", right: { outputs: { c: tensor.matmul(a, b) } },
 * }));
 * assert.ok(product._tag === "Right");
 * const { programs: [program] } = await get(withDevice({})((device) => tensor.profile(device, product.right)));
 * assert.deepEqual([program.launches, program.flops, program.bytes], [1, 2 * 64 * 32 * 16, 4 * (64 * 32 + 32 * 16 + 64 * 16)]);
 * ```
 */
export const profile = (
  device: Device,
  step: Step,
  {
    runs = 3,
    inputs = {},
    states = {},
    ...options
  }: ProfileOptions & Omit<SessionOptions, "states"> & { readonly inputs?: HostRecord; readonly states?: HostRecord } = {},
): TE.TaskEither<Failure, Profile> => {
  const watched = profiling(device, { runs });
  const all = withSession(
    watched.device,
    step,
    options,
  )((session) =>
    pipe(
      TE.fromEither(session.write(states)),
      TE.chain(() => TE.traverseSeqArray((i: number) => TE.fromEither(session.run(i === 0 ? inputs : {})))(Array.from({ length: runs + 1 }, (_, i) => i))),
      TE.chain(() => watched.profile),
    ),
  );
  return () =>
    pipe(
      TE.fromEither(checkRuns(runs)),
      TE.chain(() => all),
    )().finally(watched.release);
};
