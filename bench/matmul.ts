/**
 * Our f32 matmul against that of `@tensorflow/tfjs-backend-webgpu`, on one Dawn device in one process.
 *
 *     npm run bench:matmul -- [rounds]
 *
 * Both are measured in turns, so that they share the machine's moods; a figure is the median over the rounds. A round submits as many
 * products at once as take about a tenth of a second and waits for the device; nothing is read back. A GPU gets the products of large batches, too, and
 * the share of its best square product that each reaches.
 */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { flag, whole } from "../src/cli/flags.ts";
import type { Device } from "../src/device/device.ts";
import { withDevice } from "../src/device/open.ts";
import { describe, type Failure } from "../src/failure.ts";
import { given } from "./arguments.ts";
import { largeProducts, ours, products, rates, type Product } from "./products.ts";
import { openTfjs } from "./tfjs.ts";

const { rounds } = given({ called: "npm run bench:matmul -- [rounds]", operands: { rounds: flag(whole(1), "N", "rounds whose median counts", 7) } });

const main =
  (device: Device): TE.TaskEither<Failure, void> =>
  async () => {
    const tfjs = await openTfjs(device);
    console.log(`Adapter: ${device.adapter.line}. f32, GFLOP/s, medians of ${rounds} rounds in turns; tfjs ${tfjs.version}.\n`);
    const gpu = device.adapter.kind === "gpu";
    console.log(`| product | form | m | n | k | cambium | tfjs-webgpu | ratio |${gpu ? " of the best square |" : ""}`);
    console.log(`|---|---|---:|---:|---:|---:|---:|---:|${gpu ? "---:|" : ""}`);
    const ratios: number[] = [];
    // The squares come first, so that the others stand beside the best of them.
    const list = gpu ? [...products, ...largeProducts] : products;
    const isSquare = ({ m, n, k }: Product): boolean => m === n && n === k;
    let best = 0;
    for (const product of gpu ? [...list.filter(isSquare), ...list.filter((one) => !isSquare(one))] : list) {
      const { what, form, m, n, k } = product;
      const [mine, other] = await rates(device, product, [(a, b) => ours(device, product, a, b), (a, b) => tfjs.product(product, a, b)], { rounds });
      ratios.push(mine / other);
      if (isSquare(product)) best = Math.max(best, mine);
      console.log(
        `| ${what} | ${form} | ${m} | ${n} | ${k} | ${mine.toFixed(1)} | ${other.toFixed(1)} | ${(mine / other).toFixed(1)} |${gpu ? ` ${((100 * mine) / best).toFixed(0)} % |` : ""}`,
      );
    }
    console.log(`\nGeometric mean of the ratios: ${Math.exp(ratios.reduce((sum, x) => sum + Math.log(x), 0) / ratios.length).toFixed(1)}`);
    return E.right(undefined);
  };

const result = await withDevice({})(main)();
if (E.isLeft(result)) {
  console.error(describe(result.left));
  process.exitCode = 1;
}
