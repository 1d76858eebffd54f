/** A profile as text for a terminal. */
import type { KernelProfile, Profile, ProgramProfile } from "../tensor/profile.ts";
import { bytes as bytesText, count, counted, fixed, missing } from "./format.ts";
import { alignLeft, alignRight, wrapped } from "./table.ts";

/** A number with three digits that count. */
const three = (x: number): string => (x >= 99.95 ? count(Math.round(x)) : x.toPrecision(3));

const prefixes = ["", "k", "M", "G", "T", "P"];

/** A number of a unit with a prefix: `1.25 TFLOP`. */
const scaled = (x: number, unit: string): string => {
  const power = x < 1000 ? 0 : Math.min(prefixes.length - 1, Math.floor(Math.log10(x) / 3));
  return `${three(x / 1000 ** power)} ${prefixes[power]}${unit}`;
};

const percent = (share: number | null): string => (share === null ? missing : `${fixed(0)(100 * share)} %`);
const milliseconds = (ms: number | null): string => (ms === null ? missing : fixed(ms < 10 ? 3 : 1)(ms));

/** Rows that are shown of a program; what is left is summed up in one more. */
const shown = 20;

/** The kernels behind those that are shown, as one. */
const summedUp = (left: readonly KernelProfile[]): readonly KernelProfile[] => {
  if (left.length === 0) return [];
  const all = (of: (k: KernelProfile) => number): number => left.reduce((n, k) => n + of(k), 0);
  const timed = left.every((k) => k.milliseconds !== null);
  return [
    {
      ...{ kernel: `${left.length} more`, shape: "", ofPeak: null },
      ...{
        launches: all((k) => k.launches),
        flops: all((k) => k.flops),
        bytes: all((k) => k.bytes),
        milliseconds: timed ? all((k) => k.milliseconds ?? 0) : null,
      },
    },
  ];
};

/** What is said of a program above its kernels. */
const head = ({ label, runs, launches, flops, bytes, milliseconds: ms, elapsed, busy, ofPeak }: ProgramProfile): string => {
  const took =
    ms === null
      ? ""
      : `, ${milliseconds(ms)} ms a run on the device${elapsed === null ? "" : `, ${percent(busy)} of the ${milliseconds(elapsed)} ms from one to the next`}`;
  const rate = ms === null ? "" : `, ${scaled((1000 * flops) / ms, "FLOP/s")}, ${percent(ofPeak)} of the peak`;
  const compiled = runs === 1 && ms !== null ? " (the only one, with what a driver compiles at the first use of a kernel)" : "";
  const ran = `${counted(runs, "run")}${compiled} of ${counted(launches, "launch", "launches")}`;
  return `${label}: ${ran}${took}; ${scaled(flops, "FLOP")}, ${bytesText(bytes)}${rate}`;
};

/** Lines of at most so many characters, broken between words. */
const fitted = (text: string, columns: number): string => wrapped(text, columns).join("\n");

/** Texts of at most `most` characters, the longer ones without their middle. */
const shortened = (texts: readonly string[], most: number): readonly string[] =>
  texts.map((text) => (text.length <= most ? text : `${text.slice(0, Math.ceil(most / 2) - 1)}…${text.slice(text.length - Math.floor(most / 2))}`));

const programText = (program: ProgramProfile, characters: number): string => {
  const kernels = [...program.kernels.slice(0, shown), ...summedUp(program.kernels.slice(shown))];
  const whole = program.kernels.reduce((n, k) => n + (k.milliseconds ?? 0), 0);
  const column = (align: typeof alignLeft, heading: string, of: (k: KernelProfile) => string): readonly string[] => align([heading, ...kernels.map(of)]);
  const before = [
    column(alignRight, "ms", (k) => milliseconds(k.milliseconds)),
    column(alignRight, "share", (k) => percent(k.milliseconds === null || whole === 0 ? null : k.milliseconds / whole)),
    column(alignRight, "launches", (k) => count(k.launches)),
    column(alignLeft, "kernel", (k) => k.kernel),
  ];
  const behind = [
    column(alignRight, "FLOP", (k) => scaled(k.flops, "")),
    column(alignRight, "bytes", (k) => bytesText(k.bytes)),
    column(alignRight, "of peak", (k) => percent(k.ofPeak)),
  ];
  const taken = [...before, ...behind].reduce((n, [heading]) => n + heading.length + 2, 0);
  const shapes = alignLeft(shortened(["shape", ...kernels.map((k) => k.shape)], Math.max(20, characters - taken)));
  const columns = [...before, shapes, ...behind];
  const lines = [...kernels, undefined].map((_, i) =>
    columns
      .map((cells) => cells[i])
      .join("  ")
      .trimEnd(),
  );
  return [fitted(head(program), characters), "", ...lines].join("\n");
};

/** Programs that took this share of all have a table; of the others there is a line. */
const least = 0.1;

/** What a program took in all its runs: time, or bytes where nothing is timed. */
const took = ({ runs, milliseconds: ms, bytes }: ProgramProfile): number => runs * (ms ?? bytes);

/** What is to be said where something was faster than the peak by more than a measurement is off. */
const beyond = (programs: readonly ProgramProfile[]): string =>
  programs.some(({ ofPeak, kernels }) => [ofPeak, ...kernels.map((k) => k.ofPeak)].some((share) => share !== null && share > 1.1))
    ? " More than that was reached: by what stays in a cache of the device, or because the peak was measured while the machine was busy " +
      "(docs/SPEED.md says how it is measured anew)."
    : "";

/**
 * A profile as text: for every program a line about all of it, and of those that took most a table of their kernels. Milliseconds, operations and bytes are
 * those of one run; "of peak" is the time that a kernel would take at the adapter's best rates, as a share of what it took. Lines have about `columns`
 * characters at most, by default 160.
 *
 * ```ts
 * const kernel = { kernel: "matmul-tiled", shape: "64 x 16 x 32, NN", launches: 1, flops: 65536, bytes: 14336, milliseconds: 0.5, ofPeak: 0.25 };
 * const program = { label: "training", runs: 9, launches: 1, flops: 65536, bytes: 14336, milliseconds: 0.5, elapsed: 1, busy: 0.5, ofPeak: 0.25 };
 * const peak = { flops: 1e12, bytes: 1e11 };
 * const text = report.profileText({ adapter: "a GPU", timestamps: true, peak, programs: [{ ...program, kernels: [kernel] }] });
 * assert.ok(text.includes("training: 9 runs of 1 launch, 0.500 ms a run on the device, 50 % of the 1.000 ms from one to the next;"));
 * ```
 */
export const profileText = ({ adapter, timestamps, peak, programs }: Profile, columns = 160): string => {
  const all = programs.reduce((n, program) => n + took(program), 0);
  const large = programs.filter((program) => took(program) >= least * all);
  const small = programs.filter((program) => took(program) < least * all);
  const best =
    peak === null ? "" : ` Its peak: ${scaled(peak.flops, "FLOP/s")} in a square product, ${scaled(peak.bytes, "B/s")} in a copy.${beyond(programs)}`;
  const why = timestamps ? "" : " It has no timestamp queries, so nothing is timed: launches, operations and bytes are counted.";
  const lines = small.map((program) => fitted(head(program), columns));
  const tables = large.map((program) => programText(program, columns));
  return [fitted(`Profile on ${adapter}.${best}${why}`, columns), ...tables, ...(lines.length === 0 ? [] : [lines.join("\n")])].join("\n\n");
};
