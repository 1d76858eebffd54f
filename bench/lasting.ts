/**
 * What a long life costs: devices that come and go, waits for a device, and tiny tasks, each many times; by the memory, threads and files of the process.
 *
 *     npm run bench:lasting -- devices 1000
 *     npm run bench:lasting -- waits 100000
 *     npm run bench:lasting -- tasks 1000 codyra
 *
 * Memory is that of a process whose garbage is collected when V8 likes. `node --expose-gc dist/bench/lasting.js …` collects it before every line: what then
 * grows is kept.
 */
import { readFileSync, readdirSync } from "node:fs";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { flag, oneOf, whole } from "../src/cli/flags.ts";
import { imageCache } from "../src/data/imageCache.ts";
import { withDevice } from "../src/device/open.ts";
import { describe } from "../src/failure.ts";
import { methods, type MethodName } from "../src/methods/table.ts";
import { learner, type Learner } from "../src/model/learner.ts";
import { course, type Method } from "../src/stages/learn.ts";
import { patternTask } from "../tests/fixtures/patterns.ts";
import { tinyClip } from "../tests/fixtures/tinyClip.ts";
import { given } from "./arguments.ts";

interface Held {
  readonly rss: number;
  readonly heap: number;
  readonly threads: number;
  readonly files: number;
}

/** In KiB; threads and files are those of Linux. */
const held = (): Held => {
  const status = readFileSync("/proc/self/status", "utf8");
  const number = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]);
  return { rss: number("VmRSS"), heap: process.memoryUsage().heapUsed / 1024, threads: number("Threads"), files: readdirSync("/proc/self/fd").length };
};

/** With `node --expose-gc`, collects what can be: what is left is kept by somebody. Callbacks of the collector run in later turns. */
const collected = async (): Promise<Held> => {
  const { gc } = globalThis as { readonly gc?: () => void };
  for (let i = 0; gc !== undefined && i < 3; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return held();
};

const line = (i: number, { rss, heap, threads, files }: Held): string =>
  `${String(i).padStart(7)}  rss ${(rss / 1024).toFixed(1).padStart(6)} MiB  heap ${(heap / 1024).toFixed(1).padStart(5)} MiB  threads ${threads}  files ${files}\n`;

/** The slope of a straight line through the points after the first quarter, in which caches fill. */
const slope = (points: readonly (readonly [number, number])[]): number => {
  const late = points.slice(Math.floor(points.length / 4));
  const mean = (axis: 0 | 1): number => late.reduce((sum, p) => sum + p[axis], 0) / late.length;
  const [x, y] = [mean(0), mean(1)];
  return late.reduce((sum, p) => sum + (p[0] - x) * (p[1] - y), 0) / late.reduce((sum, p) => sum + (p[0] - x) ** 2, 0);
};

/** Runs `use` so many times and prints what is held after each twentieth of them. */
const measure = async (times: number, use: (i: number) => Promise<void>): Promise<void> => {
  const points: (readonly [number, Held])[] = [];
  const every = Math.max(1, Math.floor(times / 20));
  for (let i = 1; i <= times; i++) {
    await use(i);
    if (i % every !== 0) continue;
    const now = await collected();
    points.push([i, now]);
    process.stdout.write(line(i, now));
  }
  const of = (key: "rss" | "heap"): string => slope(points.map(([i, now]) => [i, now[key]])).toFixed(2);
  process.stdout.write(`slope after the first quarter: rss ${of("rss")} KiB, heap ${of("heap")} KiB each\n`);
};

const {
  what,
  times,
  method: name,
} = given({
  called: "npm run bench:lasting -- [what] [times] [method]",
  operands: {
    what: flag(oneOf("devices", "waits", "tasks"), "WHAT", "what comes and goes: devices, waits or tasks", "devices"),
    times: flag(whole(1), "N", "how often", 200),
    method: flag(oneOf(...(Object.keys(methods) as MethodName[])), "NAME", "the method that learns the tasks", "sequential-lora"),
  },
});

const done = <A>(e: E.Either<Parameters<typeof describe>[0], A>): A => {
  if (E.isLeft(e)) throw new Error(describe(e.left));
  return e.right;
};

const kinds: Readonly<Record<typeof what, () => Promise<void>>> = {
  devices: () => measure(times, async () => done(await withDevice({})(() => TE.right(undefined))())),
  waits: async () =>
    done(
      await withDevice({})((device) => async () => {
        await measure(times, async () => done(await device.settled()));
        return E.right(undefined);
      })(),
    ),
  tasks: async () =>
    done(
      await withDevice({})((device) => async () => {
        const method = (methods as unknown as Record<string, (options: object) => Method>)[name]({ steps: 2, batch: 4 });
        const runtime = { device, seed: 0, emit: () => undefined, images: imageCache(1) };
        let taught: Learner = learner(await tinyClip());
        await measure(times, async (i) => {
          const task = patternTask(`task ${i}`, [`one ${i}`, `two ${i}`], i);
          const learned = done(await method.run(course(taught, { tasks: [task], labelSpace: "task" }))(runtime)());
          // The weights go on; what a method remembers of every task grows with the tasks.
          taught = learner(learned.learner.model);
        });
        return E.right(undefined);
      })(),
    ),
};

process.stdout.write(`${done(await withDevice({})((device) => TE.right(device.adapter.line))())}\n`);
await kinds[what]();
