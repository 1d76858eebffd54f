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
import { makeArena, type Arena } from "../../../src/tensor/arena.ts";
import { bindPlan, type Bound } from "../../../src/tensor/bind.ts";
import type { HostRecord } from "../../../src/tensor/executable.ts";
import type { Pass } from "../../../src/tensor/passes/pass.ts";
import { plan, type Plan } from "../../../src/tensor/plan.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { makeReplay } from "../../../src/tensor/replay.ts";
import { orThrow, sameBits, withKernelsOf } from "../check.ts";

/** The device's kernels, of products those with the smallest tiles: all give the same bits, and these are compiled in a moment. */
const smallTiles = (device: Device): Target => {
  const tile = ({ constants }: MatmulPlan): number => Number(constants.ROWS ?? 64) * Number(constants.COLS ?? 64);
  return { ...targetOf(device), matmul: (shape) => matmulVariants(device.adapter, shape).reduce((a, b) => (tile(b) < tile(a) ? b : a)) };
};

/** Values by the names of outputs and states. */
type Values = Readonly<Record<string, Float32Array>>;

/** What may lie in memory that nobody has written, as f32 and as two f16: no number at all, and a large one. */
const leftovers = [0x7fff7fff, 0x5bcd5bcd];

/** An arena in which no value lies where another lay, and the buffers of the values that would share them. */
const unshared = (): { readonly arena: Arena; readonly computed: readonly number[] } => {
  const arena = makeArena();
  const computed: number[] = [];
  const allocate = (label: string, bytes: number): number => {
    computed.push(arena.own(label, bytes));
    return computed[computed.length - 1];
  };
  return { arena: { ...arena, allocate }, computed };
};

/**
 * The outputs and states of a program that is run twice as it is, from states that are given, and how many launches that took. Then, for each of what is left in
 * the memory of what is computed, the same where nothing else was ever written there.
 */
const ran = async (
  device: Device,
  program: Program,
  inputs: HostRecord,
  states: HostRecord,
  left: readonly number[] = [],
): Promise<{ readonly values: Values; readonly beside: readonly Values[]; readonly launches: number }> => {
  const owned = ownedOn(device);
  const readback = makeReadback(device);
  try {
    const target = smallTiles(device);
    const bind = async (planned: Plan): Promise<Bound> => orThrow(await bindPlan(device, target, program, planned, owned, {}));
    const runs = async (bound: Bound): Promise<Values> => {
      const { write, run } = makeReplay(device, bound, orThrow(makeRings(new Map(), owned, readback)));
      orThrow(write("state", states));
      orThrow(run(inputs));
      orThrow(run(inputs));
      const values: Record<string, Float32Array> = {};
      for (const [name, { buffer, offset, bytes }] of bound.plan.outputs) values[name] = await get(readback.read(bound.buffers[buffer], offset, bytes));
      for (const name of Object.keys(program.state)) {
        const { buffer } = bound.plan.leaves.get(`state:${name}`)!;
        values[`state ${name}`] = await get(readback.read(bound.buffers[buffer], 0, bound.plan.buffers[buffer].bytes));
      }
      return values;
    };
    const planned = plan(program, target);
    const values = await runs(await bind(planned));
    const beside: Values[] = [];
    if (left.length > 0) {
      const { arena, computed } = unshared();
      const apart = await bind(plan(program, target, arena));
      for (const word of left) {
        for (const buffer of computed.map((number) => apart.buffers[number]))
          device.gpu.queue.writeBuffer(buffer, 0, new Uint32Array(buffer.size / 4).fill(word));
        beside.push(await runs(apart));
      }
    }
    return { values, beside, launches: planned.launches.length };
  } finally {
    readback.release();
    owned.release();
  }
};

/**
 * Asserts that a program gives the same bits before and after a pass, with the kernels of CPU adapters and of GPUs, whatever lay where it computes: the program
 * after, and both counts of launches.
 */
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
    const [one, other] = [await ran(on, program, inputs, states), await ran(on, after, inputs, states, leftovers)];
    assert.equal(Object.keys(one.values), Object.keys(other.values));
    for (const [name, value] of Object.entries(one.values)) {
      assert.ok(value.every(Number.isFinite), `${name} is finite`);
      sameBits(other.values[name], value, `${name} (${kind})`);
      other.beside.forEach((values) => sameBits(values[name], value, `${name} (${kind}), which is computed of what nobody wrote`));
    }
    found = { after, launches: [one.launches, other.launches] };
  }
  return found!;
};

/** The results of a program as it is, with the kernels of GPUs. */
export const resultsOf = async (device: Device, program: Program, inputs: HostRecord): Promise<Readonly<Record<string, Float32Array>>> =>
  (await ran(withKernelsOf("gpu", device), program, inputs, {})).values;
