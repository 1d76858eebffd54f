/**
 * Our f32 matmul against that of `@tensorflow/tfjs-backend-webgpu`, on one Dawn device in one process.
 *
 *     npm run bench:matmul -- [rounds]
 *
 * Both are measured in turns, so that they share the machine's moods; a figure is the median over the rounds. A round submits as many
 * products at once as take about a tenth of a second and waits for the device; nothing is read back.
 */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../src/device/device.ts";
import { withDevice } from "../src/device/open.ts";
import { describe, type Failure } from "../src/failure.ts";
import { ours, products, rates } from "./products.ts";
import { openTfjs } from "./tfjs.ts";

const main =
  (device: Device): TE.TaskEither<Failure, void> =>
  async () => {
    const rounds = Number(process.argv[2] ?? 7);
    const tfjs = await openTfjs(device);
    console.log(`Adapter: ${device.adapter.line}. f32, GFLOP/s, medians of ${rounds} rounds in turns; tfjs ${tfjs.version}.\n`);
    console.log("| product | form | m | n | k | cambium | tfjs-webgpu | ratio |\n|---|---|---:|---:|---:|---:|---:|---:|");
    const ratios: number[] = [];
    for (const product of products) {
      const { what, form, m, n, k } = product;
      const [mine, other] = await rates(device, product, [(a, b) => ours(device, product, a, b), (a, b) => tfjs.product(product, a, b)], { rounds });
      ratios.push(mine / other);
      console.log(`| ${what} | ${form} | ${m} | ${n} | ${k} | ${mine.toFixed(1)} | ${other.toFixed(1)} | ${(mine / other).toFixed(1)} |`);
    }
    console.log(`\nGeometric mean of the ratios: ${Math.exp(ratios.reduce((sum, x) => sum + Math.log(x), 0) / ratios.length).toFixed(1)}`);
    return E.right(undefined);
  };

const result = await withDevice({})(main)();
if (E.isLeft(result)) {
  console.error(describe(result.left));
  process.exitCode = 1;
}
