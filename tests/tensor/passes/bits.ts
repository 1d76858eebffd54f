/** Runs programs as they are, without any pass, so that what a pass makes of one can be held against it. */
import * as assert from "uvu/assert";
import type { Device } from "../../../src/device/device.ts";
import { ownedOn } from "../../../src/device/owned.ts";
import { makeReadback } from "../../../src/device/readback.ts";
import { makeRings } from "../../../src/device/rings.ts";
import { get } from "../../../src/failure.ts";
import { boundsOf } from "../../../src/kernels/bounds.ts";
import type { MatmulPlan } from "../../../src/kernels/matmul.ts";
import { matmulVariants } from "../../../src/kernels/variants.ts";
import { target as targetOf, type Target } from "../../../src/kernels/target.ts";
import { bindPlan } from "../../../src/tensor/bind.ts";
import type { HostRecord } from "../../../src/tensor/executable.ts";
import type { Pass } from "../../../src/tensor/passes/pass.ts";
import { plan } from "../../../src/tensor/plan.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { makeReplay } from "../../../src/tensor/replay.ts";
import { orThrow, sameBits, withKernelsOf } from "../check.ts";

/** The device's kernels, of products those with the smallest tiles: all give the same bits, and these are compiled in a moment. */
const smallTiles = (device: Device): Target => {
  const tile = ({ constants }: MatmulPlan): number => Number(constants.ROWS ?? 64) * Number(constants.COLS ?? 64);
  return { ...targetOf(device), matmul: (shape) => matmulVariants(device.adapter, shape).reduce((a, b) => (tile(b) < tile(a) ? b : a)) };
};

/** The outputs and states of a program that is run twice as it is, from states that are given; and how many launches that took. */
const ran = async (
  device: Device,
  program: Program,
  inputs: HostRecord,
  states: HostRecord,
): Promise<{ readonly values: Readonly<Record<string, Float32Array>>; readonly launches: number }> => {
  const owned = ownedOn(device);
  const readback = makeReadback(device);
  try {
    const target = smallTiles(device);
    const planned = plan(program, target);
    const bound = orThrow(await bindPlan(device, target, program, planned, owned, {}));
    const { write, run } = makeReplay(device, bound, orThrow(makeRings(new Map(), owned, readback)));
    orThrow(write("state", states));
    orThrow(run(inputs));
    orThrow(run(inputs));
    const values: Record<string, Float32Array> = {};
    for (const [name, { buffer, offset, bytes }] of planned.outputs) values[name] = await get(readback.read(bound.buffers[buffer], offset, bytes));
    for (const name of Object.keys(program.state)) {
      const { buffer } = planned.leaves.get(`state:${name}`)!;
      values[`state ${name}`] = await get(readback.read(bound.buffers[buffer], 0, planned.buffers[buffer].bytes));
    }
    return { values, launches: planned.launches.length };
  } finally {
    readback.release();
    owned.release();
  }
};

/** Asserts that a program gives the same bits before and after a pass, with the kernels of CPU adapters and of GPUs: the program after, and both counts of launches. */
export const keepsBits = async (
  device: Device,
  program: Program,
  pass: Pass,
  inputs: HostRecord,
  states: HostRecord = {},
): Promise<{ readonly after: Program; readonly launches: readonly [before: number, after: number] }> => {
  let found: { readonly after: Program; readonly launches: readonly [number, number] } | undefined;
  for (const kind of ["cpu", "gpu"] as const) {
    const on = withKernelsOf(kind, device);
    const after = pass(program, boundsOf(on));
    const [one, other] = [await ran(on, program, inputs, states), await ran(on, after, inputs, states)];
    assert.equal(Object.keys(one.values), Object.keys(other.values));
    for (const [name, value] of Object.entries(one.values)) {
      assert.ok(value.every(Number.isFinite), `${name} is finite`);
      sameBits(other.values[name], value, `${name} (${kind})`);
    }
    found = { after, launches: [one.launches, other.launches] };
  }
  return found!;
};

/** The results of a program as it is, with the kernels of GPUs. */
export const resultsOf = async (device: Device, program: Program, inputs: HostRecord): Promise<Readonly<Record<string, Float32Array>>> =>
  (await ran(withKernelsOf("gpu", device), program, inputs, {})).values;
