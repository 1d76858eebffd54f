/** Products through workgroup memory: every tile near f64, with the bits of the plans in registers, however much workgroup memory there is. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { MatmulPlan } from "../../src/kernels/matmul.ts";
import { registerPlans } from "../../src/kernels/registers.ts";
import { partial } from "../../src/kernels/split.ts";
import { tilePlans } from "../../src/kernels/tiles.ts";
import { deviceTest, runTests } from "./check.ts";
import { checkPlans, problemOf, shapeOf } from "./products.ts";

const forms = [false, true].flatMap((ta) => [false, true].map((tb) => ({ ta, tb })));

/** Rows, columns and threads of a tile. */
const tileOf = ({ constants: { ROWS, DOWN, COLS, ACROSS, THREADS } }: MatmulPlan): readonly [number, number, number] => [
  Number(ROWS) * Number(DOWN),
  Number(COLS) * Number(ACROSS),
  Number(THREADS),
];

const gpu = { adapter: { kind: "gpu" } } as const;
const names = (plans: readonly MatmulPlan[]): readonly string[] => plans.map((plan) => tileOf(plan).join());
const tiles = tilePlans(gpu, shapeOf({ m: 64, n: 64, k: 64 }));

test("all tiles are plans of every shape, the best guess is one that fills the adapter", () => {
  const best = (m: number, n: number, k: number): string => names(tilePlans(gpu, shapeOf({ m, n, k, tb: true })))[0];
  assert.equal([...names(tilePlans(gpu, shapeOf({ m: 3, n: 1, k: 0 })))].sort(), [...names(tiles)].sort());
  assert.is(best(4096, 4096, 4096), "128,64,256");
  assert.is(best(12608, 768, 768), "128,64,256");
  for (const [m, n, k] of [
    [12608, 16, 768],
    [16, 3072, 768],
  ]) {
    const [height, width] = best(m, n, k).split(",").map(Number);
    assert.ok(m < n ? height === 16 : width === 16, `${m}x${n}: ${height}x${width}`);
  }
});

test("two buffers where workgroup memory allows", () => {
  const shape = shapeOf({ m: 64, n: 64, k: 64, tb: true });
  assert.ok(tilePlans({ ...gpu, workgroupBytes: 49152 }, shape).every(({ constants }) => constants.DOUBLE));
  assert.ok(tilePlans(gpu, shape).some(({ constants }) => !constants.DOUBLE));
});

// A pipeline takes seconds to compile on a CPU adapter: each tile is seen in one form where all is aligned and in another where nothing is.
forms.forEach((form, f) => {
  for (const aligned of [true, false]) {
    deviceTest(`${form.ta ? "T" : "N"}${form.tb ? "T" : "N"}, ${aligned ? "aligned" : "odd"}: past the edges of tiles and off their steps`, async (device) => {
      for (const tile of tiles.filter((_, i) => (i + f) % 4 === (aligned ? 0 : 1))) {
        const [height, width] = tileOf(tile);
        const depth = Number(tile.constants.DEPTH);
        const [m, n, k, r] = aligned ? [height + 4, width + 4, 2 * depth + 4, 4] : [height + 1, width + 3, depth + 3, 0];
        const problem = problemOf({ ...form, m, n, k, lowRank: aligned, r, scale: 0.5 });
        const { adapter } = device;
        const plan = tilePlans({ adapter, workgroupBytes: aligned ? 49152 : 16384 }, problem.shape).find(
          (other) => tileOf(other).join() === tileOf(tile).join(),
        )!;
        // What GPUs get is written out further, which takes a CPU adapter longer still.
        const further = f === 0 && !aligned ? [{ ...plan, constants: { ...plan.constants, UNROLL: 2 } }] : [];
        await checkPlans(device, problem, [plan, ...further, registerPlans(adapter, problem.shape)[0]]);
      }
    });
  }
});

deviceTest("the parts of a sum that is split, in every tile: near f64, with the same bits", async (device) => {
  // In the form of the gradients of low-rank factors; two parts of 64 terms and one of 32.
  const whole = { ta: true, m: 20, n: 36, k: 160, scale: 0.5 };
  const problem = problemOf({ ...whole, ...partial(shapeOf(whole), 3) });
  const plans = tilePlans({ adapter: device.adapter }, problem.shape);
  assert.is(plans.length, tiles.length);
  await checkPlans(device, problem, plans);
});

runTests();
