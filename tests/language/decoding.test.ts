/** A decoder that keeps keys and values: its logits are those of all tokens at once, behind any padding; and what a branch adds is added in every step. */
import * as assert from "uvu/assert";
import { resident } from "../../src/device/resident.ts";
import { get } from "../../src/failure.ts";
import { openDecoding } from "../../src/language/decoding.ts";
import type { Branch } from "../../src/model/branch.ts";
import { learner } from "../../src/model/learner.ts";
import type { Model } from "../../src/model/model.ts";
import { add } from "../../src/tensor/ops/elementwise.ts";
import { matmul } from "../../src/tensor/ops/matmul.ts";
import { byteConfig, byteLlama } from "../fixtures/byteLlama.ts";
import { outputsFor, rowsOf } from "../model/decoders.ts";
import { deviceTest, failureOf, numbers, orThrow, relativeError, runTests, wholes, withKernelsOf } from "../tensor/check.ts";

const vocabulary = 258;

/** The logits behind a row of tokens, computed from all of them. */
const atOnce = async (device: Parameters<typeof outputsFor>[0], model: Model, ids: readonly number[]): Promise<Float32Array> => {
  const rows = rowsOf({ shape: [1, ids.length], data: Float32Array.from(ids) }, [ids.length], true, (length) => [length - 1]);
  return (await outputsFor(device, model, rows, ["logits"])).logits;
};

for (const kind of ["cpu", "gpu"] as const)
  for (const [name, config] of [
    ["grouped heads", {}],
    ["a key head a head, biases, tied", { keyHeads: 4, biased: ["q", "k", "v"], tied: true }],
    ["one key head, one block", { keyHeads: 1, layers: 1 }],
  ] as const)
    deviceTest(`${name}: logits with kept keys and values are those of all tokens at once (${kind} kernels)`, async (opened) => {
      const device = withKernelsOf(kind, opened);
      const model = byteLlama(3, config);
      const weights = orThrow(resident(device, model.weights));
      // Lengths behind 0, 3 and 6 of padding, steps up to the last place of the cache.
      const [length, steps, starts] = [7, 4, [0, 3, 6]];
      const tokens = starts.map((_, row) => [...wholes([length + steps], row, vocabulary).data]);
      const decoding = await get(openDecoding({ learner: learner(model), device, weights }, { texts: 3, length, images: 0, capacity: length + steps }));
      const ids = Uint32Array.from(tokens.flatMap((row) => row.slice(0, length)));
      // Prompts again begin anew: what is in the cache then does not count.
      for (const round of [0, 1]) {
        for (let step = 0; step <= steps; step++) {
          const inputs = { ids, starts: Uint32Array.from(starts) };
          const logits = await get(step === 0 ? decoding.prompts(inputs) : decoding.next(Uint32Array.from(tokens, (row) => row[length + step - 1])));
          for (const [row, start] of starts.entries()) {
            const off = relativeError(
              logits.subarray(row * vocabulary, (row + 1) * vocabulary),
              await atOnce(device, model, tokens[row].slice(start, length + step)),
            );
            assert.ok(off < 1e-5, `round ${round}, step ${step}, row ${row}: off by ${off}`);
          }
          if (round === 1 && step === 1) break;
        }
        if (round === 0) assert.match(String(JSON.stringify(failureOf(await decoding.next(new Uint32Array(3))()))), "11 places, and all are taken");
      }
      decoding.release();
      weights.release();
    });

deviceTest("a branch is in the prompts and in every step", async (device) => {
  const model = byteLlama(5);
  const name = "model.layers.1.mlp.down_proj";
  const { width, mlpWidth } = byteConfig;
  const update = { shape: [width, mlpWidth], data: Float32Array.from(numbers([width, mlpWidth], 1).data) };
  const branch: Branch = {
    name: "update",
    options: {},
    tensors: () => new Map([["update", update]]),
    scope: (_, base, { tensor }) => ({
      ...base,
      linear: (layer, x, ...rest) => {
        const y = base.linear(layer, x, ...rest);
        return layer === name ? add(y, matmul(x, tensor("update"), { tb: true })) : y;
      },
    }),
  };
  const merged = new Map(model.weights);
  const { shape, data } = merged.get(`${name}.weight`)!;
  merged.set(`${name}.weight`, { shape, data: data.map((v, i) => v + update.data[i]) });
  const weights = orThrow(resident(device, model.weights));
  const decoding = await get(openDecoding({ learner: learner(model), device, weights, branch }, { texts: 1, length: 3, images: 0, capacity: 4 }));
  const first = await get(decoding.prompts({ ids: Uint32Array.of(7, 8, 9), starts: new Uint32Array(1) }));
  const second = await get(decoding.next(Uint32Array.of(10)));
  assert.ok(relativeError(first, await atOnce(device, { ...model, weights: merged }, [7, 8, 9])) < 1e-5);
  assert.ok(relativeError(second, await atOnce(device, { ...model, weights: merged }, [7, 8, 9, 10])) < 1e-5);
  decoding.release();
  weights.release();
});

runTests();
