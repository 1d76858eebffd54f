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
import { describe, type Failure } from "../src/failure.ts";
import { emptyBasis, extendByEnergy, principal, type Basis, type Matrix } from "../src/linalg/linalg.ts";
import { random } from "../src/random.ts";

const n = 768;
const count = Number(process.argv[2] ?? 48);

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

/** What the work gives, and its seconds. */
const timed = <A>(work: () => A): readonly [A, number] => {
  const start = performance.now();
  const result = work();
  return [result, (performance.now() - start) / 1000];
};

const weight = (seed: number, scale: (column: number) => number): Matrix => {
  const draw = random(seed, "bench");
  return { shape: [n, n], data: Float32Array.from({ length: n * n }, (_, i) => draw.normal() * scale(i % n)) };
};

const spectra: readonly (readonly [string, (column: number) => number])[] = [
  ["decaying spectrum", (column) => 1 / (1 + column / 50)],
  ["normal numbers", () => 1],
];

for (const [name, scale] of spectra) {
  const bases: Basis[] = [];
  const times: number[] = [];
  for (let seed = 0; seed < count; seed++) {
    const w = weight(seed, scale);
    const [basis, seconds] = timed(() => value(principal(w, { energy: 0.85 })));
    bases.push(basis);
    times.push(seconds);
  }
  const widths = bases.map((basis) => basis.columns.length);
  const bytes = widths.reduce((sum, k) => sum + 4 * n * k, 0);
  console.log(`${name}: ${count} principal bases in ${times.reduce((sum, t) => sum + t, 0).toFixed(1)} s, slowest ${Math.max(...times).toFixed(2)} s`);
  console.log(`  ${Math.min(...widths)} to ${Math.max(...widths)} of ${n} directions, ${(bytes / 2 ** 20).toFixed(1)} MiB`);

  const features = weight(count, scale).data;
  const gram = new Float32Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) for (let k = i * n; k < (i + 1) * n; k++) gram[(k - i * n) * n + j] += features[k] * features[i * n + j];
  const [first, alone] = timed(() => value(extendByEnergy(emptyBasis(n), { shape: [n, n], data: gram }, 0.99)));
  const [second, beside] = timed(() => value(extendByEnergy(bases[0], { shape: [n, n], data: gram }, 0.99)));
  console.log(`  feature basis, energy 0.99: ${first.added} directions in ${alone.toFixed(2)} s; ${second.added} beside ${widths[0]} in ${beside.toFixed(2)} s`);
}
