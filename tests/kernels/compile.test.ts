/**
 * Tint compiles every kernel that a described GPU would run and no adapter of this machine can: on Dawn's null backend, which has the features and runs
 * nothing. A family of kernels is a line of `families`; add yours.
 */
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { OpenDevice } from "../../src/device/device.ts";
import { describe } from "../../src/failure.ts";
import { attentionPlans, attentionTypeConstants } from "../../src/kernels/attention.ts";
import { oneStep } from "../../src/kernels/expression.ts";
import { kernelPipeline, kernelText } from "../../src/kernels/kernel.ts";
import type { Launch } from "../../src/kernels/launch.ts";
import type { ProductTypes } from "../../src/kernels/matmul.ts";
import { matrixPlans } from "../../src/kernels/matrix.ts";
import { matmulVariants } from "../../src/kernels/variants.ts";
import { described, h100, inMixed, planned, stepOf } from "../fixtures/gpu.ts";
import { openNull } from "./nullDevice.ts";
import { kinds, shapeOf, type Sizes } from "./products.ts";

/** A kernel with its constants. */
type Text = Pick<Launch, "kernel" | "constants">;

const forms = [false, true].flatMap((ta) => [false, true].map((tb) => ({ ta, tb })));
const types: readonly ProductTypes[] = [{}, { b: "f16" }, { a: "f16", b: "f16" }, { a: "f16", b: "f16", c: "f16" }, { c: "f16" }];
const epilogues: readonly Partial<Sizes>[] = [
  { bias: true, lowRank: true, r: 3, epilogue: { expression: oneStep("quickGelu"), operands: [] } },
  { lowRank: true, r: 16, epilogue: { expression: oneStep("gelu"), operands: [] }, add: true },
  {},
];
/** All or none of the sizes are multiples of four. */
const sizes = [
  { m: 512, n: 512, k: 512 },
  { m: 197, n: 65, k: 67 },
];

/** Products of two sizes, in every form and type, with one epilogue or another: the best guess of each kind of plan. */
const products = (workgroupBytes: number): readonly Text[] =>
  sizes.flatMap((size, s) =>
    forms.flatMap((form, f) =>
      types.flatMap((type, t) => {
        const some = { ...size, ...form, ...epilogues[(s + f + t) % epilogues.length], types: type };
        return kinds(matmulVariants(h100.adapter, shapeOf(some), workgroupBytes));
      }),
    ),
  );

/** Attention of heads of several widths, with and without masks, forward and backward: tiles of every height that an H100 has room for. */
const attention = (): readonly Text[] =>
  [4, 33, 64, 80, 128].flatMap((width) =>
    (["attention", "attention-grad-queries", "attention-grad-keys"] as const).flatMap((kernel) =>
      attentionPlans(h100, { batch: 64, heads: 12, share: 1, queries: 197, keys: 197, width }, kernel).map(({ constants }, i) => ({
        kernel,
        constants: {
          ...constants,
          ...attentionTypeConstants(i % 2 === 0 ? {} : { q: "f16", k: "f16", v: "f16", o: "f16" }, width % 4 === 0),
          CAUSAL: i % 2 === 0,
          STARTS: i % 3 === 0,
          AT: i % 4 === 0,
        },
      })),
    ),
  );

/** Products on units of three configurations, likewise, in a form each: all tiles. */
const onUnits = (workgroupBytes: number): readonly Text[] =>
  [
    { m: 16, n: 16, k: 16, lanes: 32 },
    { m: 16, n: 8, k: 16, lanes: 32 },
    { m: 8, n: 8, k: 8, lanes: 64 },
  ].flatMap((matrix, u) =>
    forms.flatMap((form, f) => {
      if (f !== u % forms.length && f !== (u + 2) % forms.length) return [];
      const some = {
        ...sizes[f >> 1],
        ...form,
        ...(form.ta ? {} : epilogues[(u + f) % epilogues.length]),
        types: types[(u + f) % types.length],
      };
      return matrixPlans({ adapter: { ...h100.adapter, matrix }, workgroupBytes }, shapeOf({ ...some, multiply: "f16" }));
    }),
  );

/** All that a training step of a small CLIP runs on an H100, in both precisions. */
const step = (workgroupBytes: number): readonly Text[] => {
  const one = described(h100.adapter, h100.maxBinding, workgroupBytes);
  return [one, inMixed(one)].flatMap((target) => planned(stepOf("nano", undefined, target.precision), target).launches.map(({ launch }) => launch));
};

const families: Readonly<Record<string, (workgroupBytes: number) => readonly Text[]>> = { products, "products on units": onUnits, "a step": step };

/** The bytes of workgroup memory for which a text is refused; undefined where it is refused for something else. */
const workgroupBytesOf = (refusal: string): number | undefined => {
  const bytes = /total use of workgroup storage \((\d+) bytes\)/.exec(refusal)?.[1];
  return bytes === undefined ? undefined : Number(bytes);
};

let device: OpenDevice;
test.before(async () => {
  device = await openNull();
});
test.after(() => device.close());

test("a wrong text is refused, with its line", async () => {
  for (const [code, word] of [
    ["@compute @workgroup_size(1)\nfn main() { let x: u32 = 1.5; }", "line 2"],
    ["enable f16;\n@compute @workgroup_size(1)\nfn main() { let x: f32 = 1.0h; }", "line 3"],
    ["@compute @workgroup_size(64)\nfn other() {}", "main"],
  ]) {
    const refused = await device.pipeline("wrong", code)();
    assert.ok(E.isLeft(refused) && describe(refused.left).includes(word), code);
  }
});

for (const [name, texts] of Object.entries(families)) {
  test(`${name}: every variant compiles`, async () => {
    const once = (workgroupBytes: number): ReadonlyMap<string, Text> =>
      new Map(texts(workgroupBytes).map((text) => [JSON.stringify([text.kernel, text.constants]), text]));
    const [fitting, all] = [device.limits.maxComputeWorkgroupStorageSize, h100.workgroupBytes!].map(once);
    for (const [key, { kernel, constants }] of new Map([...all, ...fitting])) {
      const compiled = await kernelPipeline(device, kernel, constants)();
      if (E.isRight(compiled)) continue;
      // What is chosen for an H100 may need more memory than this device has, up to what an H100 has.
      const bytes = workgroupBytesOf(describe(compiled.left));
      assert.ok(!fitting.has(key) && bytes !== undefined && bytes <= h100.workgroupBytes!, `${describe(compiled.left)} ${JSON.stringify(constants)}`);
    }
  });
}

test("attention: every text is valid, also with more workgroup memory than there is here", async () => {
  for (const { kernel, constants } of attention()) {
    const text = kernelText(kernel, constants);
    assert.ok(E.isRight(text));
    const { messages } = await device.gpu.createShaderModule({ code: E.isRight(text) ? text.right : "" }).getCompilationInfo();
    assert.equal(
      messages.map(({ message }) => message),
      [],
      JSON.stringify(constants),
    );
  }
});

test.run();
