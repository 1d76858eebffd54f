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
import { h100, inMixed, planned, stepOf } from "../fixtures/gpu.ts";
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
const products = (): readonly Text[] =>
  sizes.flatMap((size, s) =>
    forms.flatMap((form, f) =>
      types.flatMap((type, t) => kinds(matmulVariants(h100.adapter, shapeOf({ ...size, ...form, ...epilogues[(s + f + t) % epilogues.length], types: type })))),
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
const onUnits = (): readonly Text[] =>
  [
    { m: 16, n: 16, k: 16, lanes: 32 },
    { m: 16, n: 8, k: 16, lanes: 32 },
    { m: 8, n: 8, k: 8, lanes: 64 },
  ].flatMap((matrix, u) =>
    (["f16", "3xf16"] as const).flatMap((multiply, w) =>
      forms.flatMap((form, f) => {
        if (f !== (u + 2 * w) % forms.length) return [];
        const some = {
          ...sizes[f >> 1],
          ...form,
          ...(form.ta ? {} : epilogues[(u + f) % epilogues.length]),
          types: types[(u + w + f) % types.length],
        };
        return matrixPlans({ ...h100.adapter, matrix }, shapeOf({ ...some, multiply }));
      }),
    ),
  );

/** All that a training step of a small CLIP runs on an H100, in both precisions. */
const step = (): readonly Text[] => [h100, inMixed(h100)].flatMap((target) => planned(stepOf("nano"), target).launches.map(({ launch }) => launch));

const families: Readonly<Record<string, () => readonly Text[]>> = { products, "products on units": onUnits, "a step": step };

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
    const once = new Map(texts().map((text) => [JSON.stringify([text.kernel, text.constants]), text]));
    for (const { kernel, constants } of once.values()) {
      const compiled = await kernelPipeline(device, kernel, constants)();
      // A text that Tint takes may need more memory than this device has.
      if (E.isLeft(compiled) && !describe(compiled.left).includes("total use of workgroup storage"))
        assert.unreachable(`${describe(compiled.left)} ${JSON.stringify(constants)}`);
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
