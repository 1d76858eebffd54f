import * as assert from "uvu/assert";
import { mul, square } from "../../../src/tensor/ops/elementwise.ts";
import { sum, sumRows } from "../../../src/tensor/ops/reduce.ts";
import { sharedSums } from "../../../src/tensor/passes/sums.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { floats, pack, reshape } from "../../../src/tensor/tensor.ts";
import { deviceTest, numbers, runTests, traced } from "../check.ts";
import { keepsBits } from "./bits.ts";

const columns = 16;

/** The squares of the sums of matrices with so many rows each, which lie in one pack; `beside` reads the first sum, too. */
const programOf = (rows: readonly number[], length = rows.length * 64, beside = false): Program =>
  traced({ inputs: Object.fromEntries(rows.map((n, i) => [`x${i}`, floats([n, columns])])) }, ({ inputs }) => {
    const matrices = rows.map((_, i) => mul(inputs[`x${i}`], inputs[`x${i}`]));
    const sums = matrices.map((x, i) => (i % 2 === 0 ? sumRows(x) : reshape(sumRows(x), [4, columns / 4])));
    const offsets = sums.map((_, i) => 64 * i);
    return { outputs: { y: square(pack(sums, offsets, length)), ...(beside ? { first: sum(sums[0]) } : {}) } };
  });

const feed = (rows: readonly number[]): Readonly<Record<string, Float32Array>> =>
  Object.fromEntries(rows.map((n, i) => [`x${i}`, numbers([n, columns], i).data as Float32Array]));

deviceTest("sums of matrices of one shape are one launch, or two of tall ones", async (device) => {
  for (const [rows, expected] of [
    [100, 1],
    [128, 1],
    [132, 2],
    [4000, 2],
  ]) {
    const all = [rows, rows, rows];
    const { launches, after } = await keepsBits(device, programOf(all), sharedSums, feed(all));
    assert.equal(launches[1], 3 + expected + 1);
    assert.ok(after.schedule.some((node) => node.kind === "apply" && node.op.name === "sums"));
  }
});

deviceTest("matrices of several shapes are several launches; one alone, one of another reader, and one without room stay", async (device) => {
  const count = async (rows: readonly number[], length?: number, beside?: boolean): Promise<number> => {
    const { after } = await keepsBits(device, programOf(rows, length, beside), sharedSums, feed(rows));
    return after.schedule.filter((node) => node.kind === "apply" && ["sum", "sums"].includes(node.op.name)).length;
  };
  assert.is(await count([8, 8, 12, 12, 12, 8]), 3);
  assert.is(await count([8]), 1);
  assert.is(await count([8, 8, 8], 192, true), 3, "the first is read twice: its own, the total, and two at once");
  assert.is(await count([8, 8], 64 + columns), 2, "the zeros behind the last do not fit");
  assert.is(await count([7, 7]), 1, "matrices of 7 rows have gaps between them");
});

runTests();
