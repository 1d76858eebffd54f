/**
 * Seconds for the principal bases of a ViT-B/16 vision tower: q, k, v and o of 12 blocks, 48 matrices of 768 x 768, energy 0.85; and for one
 * feature basis beside each kind.
 *
 *     npm run bench:linalg -- [matrices]
 *
 * One thread. The weights are random: normal numbers, whose spectrum is as flat as a weight's can be, and normal numbers whose columns shrink.
 */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { flag, whole } from "../src/cli/flags.ts";
import { describe, type Failure } from "../src/failure.ts";
import { emptyBasis, extendByEnergy, principal, type Matrix } from "../src/linalg/linalg.ts";
import { random } from "../src/random.ts";
import { given } from "./arguments.ts";

const n = 768;
const { matrices: count } = given({
  called: "npm run bench:linalg -- [matrices]",
  operands: { matrices: flag(whole(1, 4096), "N", "weights of each spectrum", 48) },
});

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

/** What the work gives, and its seconds: on the clock, and of the processor (other work on the machine does not lengthen these much). */
const timed = <A>(work: () => A): readonly [result: A, clock: number, processor: number] => {
  const [start, used] = [performance.now(), process.cpuUsage()];
  const result = work();
  const { user, system } = process.cpuUsage(used);
  return [result, (performance.now() - start) / 1e3, (user + system) / 1e6];
};

const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);

const weight = (seed: number, scale: (column: number) => number): Matrix => {
  const draw = random(seed, "bench");
  return { shape: [n, n], data: Float32Array.from({ length: n * n }, (_, i) => draw.normal() * scale(i % n)) };
};

const spectra: readonly (readonly [string, (column: number) => number])[] = [
  ["decaying spectrum", (column) => 1 / (1 + column / 50)],
  ["normal numbers", () => 1],
];

/** Wᵀ W in f32, as a device would sum it. */
const gramOf = ({ data }: Matrix): Matrix => {
  const gram = new Float32Array(n * n);
  for (let row = 0; row < n; row++) {
    const x = data.subarray(row * n, (row + 1) * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) gram[i * n + j] += x[i] * x[j];
  }
  return { shape: [n, n], data: gram };
};

for (const [name, scale] of spectra) {
  const runs = Array.from({ length: count }, (_, seed) => {
    const w = weight(seed, scale);
    return timed(() => value(principal(w, { energy: 0.85 })));
  });
  const widths = runs.map(([basis]) => basis.columns.length);
  const [clock, processor] = [sum(runs.map((run) => run[1])), sum(runs.map((run) => run[2]))];
  console.log(`${name}: ${count} principal bases in ${clock.toFixed(1)} s (${processor.toFixed(1)} s of the processor)`);
  console.log(`  ${Math.min(...widths)} to ${Math.max(...widths)} of ${n} directions, ${((4 * n * sum(widths)) / 2 ** 20).toFixed(1)} MiB`);

  const gram = gramOf(weight(count, scale));
  for (const basis of [emptyBasis(n), runs[0][0]]) {
    const [{ added }, seconds, used] = timed(() => value(extendByEnergy(basis, gram, 0.99)));
    console.log(`  feature basis, energy 0.99: ${added} directions beside ${basis.columns.length} in ${seconds.toFixed(2)} s (${used.toFixed(2)} s)`);
  }
}
