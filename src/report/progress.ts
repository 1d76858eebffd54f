/**
 * Progress of long work, on stderr: a bar that redraws itself in a terminal, a plain line now and then elsewhere.
 *
 * ```ts
 * interface Progress { start(label, total): Bar; line(text): void }
 * interface Bar { update(done, note?): void; done(note?): void; stop(note?): void }
 * ```
 */
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
  /** Begins work of `total` units; one bar at a time. */
  readonly start: (label: string, total: number) => Bar;
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

/** A progress writer; its bar shows share, units, the time left at the rate so far, and the caller's note. */
export const progress = (options: ProgressOptions = {}): Progress => {
  const sink: Sink = options.sink ?? platform.progress;
  const tty = sink.isTTY === true;
  const every = options.every ?? (tty ? 100 : 5000);
  const now = options.now ?? Date.now;
  const write = (text: string): void => {
    if (options.silent !== true) sink.write(text);
  };
  let open: (() => void) | null = null;

  const start = (label: string, total: number): Bar => {
    const began = now();
    let written = tty ? -Infinity : began;
    let count = 0;
    let said = "";
    let ended = false;
    const status = (): string => {
      const share = total > 0 ? Math.min(1, count / total) : 1;
      const left = count > 0 && count < total ? `${duration(((now() - began) / 1000) * (total / count - 1))} left` : "";
      const parts = [`${count}/${total}`, left, said].filter((part) => part !== "").join(" \u00b7 ");
      const percent = `${String(Math.floor(share * 100)).padStart(3)}%`;
      return tty ? `${label} ${bar(share)} ${percent}  ${parts}` : `${label}: ${percent.trim()}, ${parts.replace(/ \u00b7 /g, ", ")}`;
    };
    const draw = (): void => {
      written = now();
      write(tty ? eraseLine + clip(status(), (sink.columns ?? 100) - 1) : `${status()}\n`);
    };
    const end = (what: string, note: string): void => {
      if (ended) return;
      ended = true;
      open = null;
      const took = duration((now() - began) / 1000);
      write(`${tty ? eraseLine : ""}${label}: ${[`${what} ${took}`, note].filter((part) => part !== "").join(", ")}\n`);
    };
    open = tty ? draw : null;
    if (tty) draw();
    return {
      update: (done, note = "") => {
        if (ended) return;
        count = done;
        said = note;
        if (now() - written >= every) draw();
      },
      done: (note = "") => end(`${total} in`, note),
      stop: (note = "") => end(`stopped at ${count} of ${total} after`, note),
    };
  };

  return {
    start,
    line: (text) => {
      write(`${open === null ? "" : eraseLine}${text}\n`);
      open?.();
    },
  };
};
