/**
 * Progress of long work, on stderr: a bar that redraws itself in a terminal, a plain line now and then elsewhere.
 *
 * ```ts
 * interface Progress { start(label, total, unit?): Bar; line(text): void }
 * interface Bar { update(done, note?): void; done(note?): void; stop(note?): void }
 * ```
 */
import { legible } from "../failure.ts";
import { platform } from "../platform/default.ts";
import type { Sink } from "../platform/platform.ts";
import { duration } from "./format.ts";

export type { Sink } from "../platform/platform.ts";

/** Options of {@link progress}. */
export interface ProgressOptions {
  /** Default: that of the platform, stderr in Node and Deno. */
  readonly sink?: Sink;
  /** Writes nothing at all. Default: false. */
  readonly silent?: boolean;
  /** Milliseconds between two writes. Default: 100 in a terminal, 5,000 elsewhere. */
  readonly every?: number;
  /** The clock in milliseconds. */
  readonly now?: () => number;
}

/** One piece of work under way. */
export interface Bar {
  /** Says how many units are done, with a short note such as the loss. */
  readonly update: (done: number, note?: string) => void;
  /** All units are done: leaves a line with the time they took. */
  readonly done: (note?: string) => void;
  /** The work ends early: leaves a line that says where. */
  readonly stop: (note?: string) => void;
}

/** Writes bars and lines. */
export interface Progress {
  /** Begins work of `total` units, written as `unit` does; one bar at a time. */
  readonly start: (label: string, total: number, unit?: (n: number) => string) => Bar;
  /** Writes a line above a bar that is under way. */
  readonly line: (text: string) => void;
}

const eraseLine = "\r\u001b[2K";
const barWidth = 24;

const bar = (share: number): string => {
  const full = Math.round(share * barWidth);
  return "\u2588".repeat(full) + "\u2591".repeat(barWidth - full);
};

const clip = (text: string, width: number): string => {
  const chars = [...text];
  return chars.length <= width ? text : `${chars.slice(0, Math.max(0, width - 1)).join("")}\u2026`;
};

/** How far one piece of work is. */
interface Status {
  readonly label: string;
  readonly total: number;
  readonly count: number;
  /** How a number of units is written. */
  readonly unit: (n: number) => string;
  /** The caller's note. */
  readonly note: string;
  readonly milliseconds: number;
}

/** Share, units, the time left at the rate so far, and the note: as a bar in a terminal, as a sentence elsewhere. */
const statusLine = ({ label, total, count, unit, note, milliseconds }: Status, tty: boolean): string => {
  const share = total > 0 ? Math.min(1, count / total) : 1;
  // The first unit has what is done once before it: its time says nothing of the others.
  const left = count > 1 && count < total ? `${duration((milliseconds / 1000) * (total / count - 1))} left` : "";
  const parts = [`${unit(count)}/${unit(total)}`, left, note].filter((part) => part !== "").join(" \u00b7 ");
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  return tty ? `${label} ${bar(share)} ${percent}  ${parts}` : `${label}: ${percent.trim()}, ${parts.replace(/ \u00b7 /g, ", ")}`;
};

/** A progress writer; its bar shows share, units, the time left at the rate so far, and the caller's note. */
export const progress = (options: ProgressOptions = {}): Progress => {
  const { sink = platform.progress, now = Date.now } = options;
  const tty = sink.isTTY === true;
  const { every = tty ? 100 : 5000 } = options;
  const write = (text: string): void => {
    if (options.silent !== true) sink.write(text);
  };
  /** Draws the bar that is under way anew. */
  let redraw: (() => void) | null = null;

  const start: Progress["start"] = (name, total, unit = String) => {
    const label = legible(name);
    const began = now();
    let written = tty ? -Infinity : began;
    let [count, note] = [0, ""];
    let ended = false;
    const draw = (): void => {
      written = now();
      const line = statusLine({ label, total, count, unit, note, milliseconds: written - began }, tty);
      write(tty ? eraseLine + clip(line, (sink.columns || 100) - 1) : `${line}\n`);
    };
    const end = (what: string, last: string): void => {
      if (ended) return;
      ended = true;
      redraw = null;
      const took = duration((now() - began) / 1000);
      write(`${tty ? eraseLine : ""}${label}: ${[`${what} ${took}`, legible(last)].filter((part) => part !== "").join(", ")}\n`);
    };
    redraw = tty ? draw : null;
    if (tty) draw();
    return {
      update: (done, said = "") => {
        if (ended) return;
        [count, note] = [done, legible(said)];
        if (now() - written >= every) draw();
      },
      done: (last = "") => end(`${unit(total)} in`, last),
      stop: (last = "") => end(`stopped at ${unit(count)} of ${unit(total)} after`, last),
    };
  };

  return {
    start,
    line: (text) => {
      write(`${redraw === null ? "" : eraseLine}${text}\n`);
      redraw?.();
    },
  };
};
