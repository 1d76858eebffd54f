import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import type { MatmulPlan, MatmulShape } from "../../src/kernels/matmul.ts";
import { partial, partialElements } from "../../src/kernels/split.ts";
import { bestGuess, matmulVariants } from "../../src/kernels/variants.ts";
import { withDevice } from "../../src/device/open.ts";
import { operandSizes } from "../../src/kernels/measure.ts";
import { planName, shapeClass, tuneMatmul, type MatmulChooser, type TuneOptions } from "../../src/kernels/tuner.ts";
import { cacheIn } from "../../src/platform/node/cache.ts";
import { describe } from "../../src/failure.ts";
import { h100, lavapipe } from "../fixtures/gpu.ts";

const shape = (m: number, n: number, k: number, more: Partial<MatmulShape> = {}): MatmulShape => ({
  m,
  n,
  k,
  r: 0,
  ta: false,
  tb: true,
  batch: 1,
  heads: 1,
  lda: k,
  ldb: k,
  ldc: n,
  aOuter: 0,
  aHead: 0,
  bOuter: 0,
  bHead: 0,
  cOuter: 0,
  cHead: 0,
  bias: false,
  lowRank: false,
  ...more,
});

type Tune = (device: Device, shapes: readonly MatmulShape[], options?: TuneOptions) => Promise<MatmulChooser>;

const inFolder = async (body: (folder: string, tune: Tune) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "cambium-tuner-"));
  try {
    await body(folder, async (device, shapes, o) => {
      const choose = await tuneMatmul(device, shapes, { cache: cacheIn(() => folder), ...o })();
      if (E.isLeft(choose)) throw new Error(describe(choose.left));
      return choose.right;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
};

const onDevice = (name: string, body: (device: Device) => Promise<void>): void =>
  test(name, async () => {
    const result = await withDevice({})((device) => async () => E.right(await body(device)))();
    if (E.isLeft(result)) throw new Error(describe(result.left));
  });

test("a class is a form with sizes to the nearest power of two", () => {
  assert.is(shapeClass(shape(788, 768, 768)), shapeClass(shape(1000, 800, 1000)));
  assert.is.not(shapeClass(shape(788, 768, 768)), shapeClass(shape(6304, 768, 768)));
  assert.is.not(shapeClass(shape(64, 64, 64)), shapeClass(shape(64, 64, 64, { tb: false })));
  assert.is(shapeClass(shape(0, 1, 1)), shapeClass(shape(1, 1, 1)));
});

test("a name tells the plans of a shape apart, and the best guess is the first of them, on every kind of adapter", () => {
  for (const s of [shape(788, 768, 768), shape(9, 16, 7), shape(16, 768, 12608, { parts: 8 }), shape(64, 64, 64, { multiply: "f16" })]) {
    for (const { adapter, workgroupBytes } of [h100, lavapipe]) {
      const plans = matmulVariants(adapter, s, workgroupBytes);
      assert.equal(bestGuess(adapter, s, workgroupBytes), plans[0]);
      const names = plans.map(planName);
      assert.is(new Set(names).size, names.length, names.join(", "));
    }
  }
});

test("a split product is measured with room for all of its parts", () => {
  const [whole, parts] = [shape(16, 24, 4096, { batch: 6, heads: 3, aHead: 65536, bHead: 98304, cHead: 384, aOuter: 196608, bOuter: 294912, cOuter: 1152 }), 8];
  assert.is(operandSizes(whole)[2], 6 * 16 * 24);
  assert.is(operandSizes(partial(whole, parts))[2], partialElements(whole, parts));
});

/** The plans that a device can run: what fits its workgroup memory. */
const plansOn = ({ adapter, limits }: Device, s: MatmulShape): readonly MatmulPlan[] => matmulVariants(adapter, s, limits.maxComputeWorkgroupStorageSize);

onDevice("a choice is a plan of the shape, kept on disk and taken from there", (device) =>
  inFolder(async (folder, tune) => {
    const [thin, batched] = [shape(64, 16, 32, { bias: true, lowRank: true, r: 4 }), shape(9, 9, 8, { batch: 6, heads: 3, aOuter: 216, aHead: 72 })];
    const before = device.ledger().liveBytes;
    const choose = await tune(device, [thin, batched, shape(0, 4, 4)]);
    assert.is(device.ledger().liveBytes, before);
    for (const s of [thin, batched, shape(70, 20, 30)]) {
      assert.ok(plansOn(device, s).some((plan) => JSON.stringify(plan) === JSON.stringify(choose(s))));
    }

    const files = await readdir(folder);
    assert.equal(files, [`matmul-${device.adapter.key}.json`]);
    const path = join(folder, files[0]);
    const kept = JSON.parse(await readFile(path, "utf8")) as { kernels: string; choices: Record<string, string> };
    assert.equal(Object.keys(kept.choices).sort(), [shapeClass(thin), shapeClass(batched)].sort());

    // Another choice in the file wins over measuring again; one that names no plan is passed over.
    const other = plansOn(device, thin)[1];
    const name = planName(other);
    await writeFile(path, JSON.stringify({ ...kept, choices: { [shapeClass(thin)]: name, [shapeClass(batched)]: "nothing" } }));
    const again = await tune(device, [thin, batched]);
    assert.equal(again(thin), other);
    assert.equal(again(batched), plansOn(device, batched)[0]);
  }),
);

onDevice("an invalid file, or one of other kernels, is ignored; no time means no measurement", (device) =>
  inFolder(async (folder, tune) => {
    const path = join(folder, `matmul-${device.adapter.key}.json`);
    const small = shape(8, 8, 8);
    for (const text of ["{", "[]", JSON.stringify({ kernels: "other", choices: { [shapeClass(small)]: "matmul-tiled 1x1" } })]) {
      await writeFile(path, text);
      const choose = await tune(device, [small], { milliseconds: 0 });
      assert.equal(choose(small), plansOn(device, small)[0]);
      assert.is(await readFile(path, "utf8"), text);
    }
  }),
);

onDevice("a folder that cannot be written is no failure", (device) =>
  inFolder(async (folder, tune) => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const small = shape(8, 8, 8);
    const choose = await tune(device, [small], { cache: cacheIn(() => join(file, "below")) });
    assert.ok(choose(small).kernel.startsWith("matmul"));
  }),
);

test.run();
