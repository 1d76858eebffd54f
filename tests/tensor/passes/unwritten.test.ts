/** Nothing is computed of what nobody wrote, on random programs of layers whose gradients lie in packs. */
import fc from "fast-check";
import { affine, exp, mul, square } from "../../../src/tensor/ops/elementwise.ts";
import { matmul } from "../../../src/tensor/ops/matmul.ts";
import { sum, sumRows } from "../../../src/tensor/ops/reduce.ts";
import { elementwiseChains } from "../../../src/tensor/passes/chains.ts";
import { sharedLayers } from "../../../src/tensor/passes/layers.ts";
import type { Pass } from "../../../src/tensor/passes/pass.ts";
import { sharedInputs } from "../../../src/tensor/passes/sharing.ts";
import { sharedSplits } from "../../../src/tensor/passes/splits.ts";
import { sharedSums } from "../../../src/tensor/passes/sums.ts";
import type { Program, Tensors } from "../../../src/tensor/program.ts";
import { aligned, floats, pack, size, type Tensor } from "../../../src/tensor/tensor.ts";
import { deviceTest, numbers, runTests, traced } from "../check.ts";
import { keepsBits } from "./bits.ts";

const passes: readonly Pass[] = [sharedSums, sharedInputs, sharedSplits, sharedLayers, elementwiseChains];
const all: Pass = (program, bounds) => passes.reduce((now, pass) => pass(now, bounds), program);

/** Products of these are of more than 64 elements, of less, and of as many as lie without a gap. */
const side = fc.constantFrom(1, 6, 8, 16);
const often = fc.nat(3).map((n) => n > 0);

/** Layers of one program: the gradients of each, how they lie in a pack, and whether another has them again. */
const recipe = fc.record({
  layers: fc.integer({ min: 2, max: 3 }),
  tokens: fc.constantFrom(1, 5, 8, 1100),
  kinds: fc.array(fc.record({ rows: side, columns: side, of: fc.constantFrom("two", "two", "two", "one of all layers", "rows") }), {
    minLength: 2,
    maxLength: 3,
  }),
  layerByLayer: often,
  once: often,
});

const programOf = ({ layers, tokens, kinds, layerByLayer, once }: typeof recipe extends fc.Arbitrary<infer R> ? R : never): Program => {
  const names = kinds.flatMap((_, k) => Array.from({ length: layers }, (_, i) => [k, i] as const));
  const inputs = names.flatMap(([k, i]) => [
    [`x${k}.${i}`, floats([tokens, kinds[k].rows])] as const,
    [`y${k}.${i}`, floats([tokens, kinds[k].columns])] as const,
  ]);
  return traced({ inputs: { large: floats([2048]), ...Object.fromEntries(inputs) } }, ({ inputs: t }) => {
    const scale = sum(exp(t.large), 1e-3);
    const order = layerByLayer ? [...names].sort(([, a], [, b]) => a - b) : names;
    const grads = order.map(([k, i]): Tensor => {
      const [x, y] = [mul(t[`x${k}.${kinds[k].of === "one of all layers" ? 0 : i}`], scale), mul(t[`y${k}.${i}`], scale)];
      return kinds[k].of === "rows" ? sumRows(y) : matmul(x, y, { ta: true });
    });
    let length = 0;
    const offsets = grads.map(({ shape }) => (length += aligned(size(shape))) - aligned(size(shape)));
    const packed = pack(grads, offsets, length);
    const other: Tensors = once ? {} : { other: affine(pack(grads, offsets, length + 64), 3) };
    return { outputs: { twice: affine(packed, 2), squares: sum(square(packed)), ...other } };
  });
};

deviceTest("random gradients in packs are computed of what was written, whatever lay there, with the same bits", async (device) => {
  await fc.assert(
    fc.asyncProperty(recipe, async (one) => {
      const program = programOf(one);
      const feed = program.leaves.map(({ name, outputs: [{ shape }] }, i) => [name, numbers(shape, i + 1, -0.5, 0.5).data as Float32Array] as const);
      await keepsBits(device, program, all, Object.fromEntries(feed));
    }),
    { numRuns: 10, seed: 20261126 },
  );
});

runTests();
