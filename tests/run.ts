/**
 * Runs every test file beside this one in a process of its own, one after the other, and adds up what they count. Arguments choose the files
 * whose path holds one of them: `npm test -- device`.
 */
import { readdirSync } from "node:fs";
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

const wanted = process.argv.slice(2);
const files = testFiles(dirname(self)).filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)));
let total = zero;
for (const file of files) {
  process.stdout.write(`${relative(process.cwd(), file)} `);
  const started = performance.now();
  const { code, signal, output } = await runFile(file, [], { NO_COLOR: "1", FORCE_COLOR: "0" });
  const counts = countsOf(output, code === 0);
  const died = code === 0 ? "" : signal === null ? `, exit code ${code}` : `, ${signal}`;
  process.stdout.write(`${line(counts)}${died} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
  if (counts.failed > 0) process.stdout.write(`${output.trimEnd()}\n`);
  total = add(total, counts);
}
process.stdout.write(`${line(total)}\n`);
process.exitCode = total.failed > 0 || files.length === 0 ? 1 : 0;
