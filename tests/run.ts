/**
 * Runs every test file beside this one in a process of its own, two at a time, and adds up what they count. Arguments choose the files
 * whose path holds one of them: `npm test -- device`.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, extname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runFile } from "./runtime.ts";

const self = fileURLToPath(import.meta.url);
const suffix = `.test${extname(self)}`;

const testFiles = (dir: string): readonly string[] =>
  readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? testFiles(path) : entry.name.endsWith(suffix) ? [path] : [];
    });

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const line = ({ passed, failed, skipped }: Counts): string => `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;

const add = (a: Counts, b: Counts): Counts => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped });

const zero: Counts = { passed: 0, failed: 0, skipped: 0 };

/** What uvu printed at its end; a file that died, or that counted nothing, is one failure. */
const countsOf = (output: string, ok: boolean): Counts => {
  const summary = /Total:\s+(\d+)\s+Passed:\s+(\d+)\s+Skipped:\s+(\d+)/g;
  const counts = [...output.matchAll(summary)]
    .map(([, total, passed, skipped]) => ({ passed: +passed, failed: +total - +passed, skipped: +skipped }))
    .reduce(add, zero);
  const silent = counts.passed + counts.failed + counts.skipped === 0;
  return silent || (!ok && counts.failed === 0) ? add(counts, { ...zero, failed: 1 }) : counts;
};

/** Files that write what others read, those in which readers must answer soon, and those with a browser, which takes both cores. They run alone. */
const alone = ["package.test", "fuzz.test", "hostile.test", join("tests", "browser")];

const wanted = process.argv.slice(2);
const files = testFiles(dirname(self)).filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)));
const isAlone = (file: string): boolean => alone.some((word) => file.includes(word));
let total = zero;

const runTest = async (file: string): Promise<void> => {
  const started = performance.now();
  const { code, signal, output } = await runFile(file, [], { NO_COLOR: "1", FORCE_COLOR: "0" });
  const counts = countsOf(output, code === 0);
  const died = code === 0 ? "" : signal === null ? `, exit code ${code}` : `, ${signal}`;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${relative(process.cwd(), file)} ${line(counts)}${died} (${seconds} s)\n${counts.failed > 0 ? `${output.trimEnd()}\n` : ""}`);
  total = add(total, counts);
};

/** Runs the next file that nobody runs yet until none is left. */
const worker = async (rest: string[]): Promise<void> => {
  for (let file = rest.shift(); file !== undefined; file = rest.shift()) await runTest(file);
};

// Much of a test's time is a process that starts, or one thread of JavaScript: two at a time use two cores better, and more would only wait for the device.
const together = files.filter((file) => !isAlone(file));
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, () => worker(together)));
await worker(files.filter(isAlone));
process.stdout.write(`${line(total)}\n`);
process.exitCode = total.failed > 0 || files.length === 0 ? 1 : 0;
