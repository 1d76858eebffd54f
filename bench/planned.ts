/**
 * Launches and memory of training steps as they are planned for an H100: counted, without a device.
 *
 *     npm run bench:planned
 *
 * The steps are those of `bench:step`. Memory is that of one step, weights included, as the planner lays it out before anything runs.
 */
import process from "node:process";
import { bytesOfPlan, h100, inMixed, planned, stepOf } from "../tests/fixtures/gpu.ts";
import { given } from "./arguments.ts";
import type { WorkName } from "./steps.ts";

given({ called: "npm run bench:planned", operands: {} });

const steps: readonly (readonly [name: WorkName, batch: number])[] = [
  ["b16", 64],
  ["b16", 4],
  ["b16-keeplora", 64],
  ["nano", 32],
  ["icon", 32],
  ["icon-keeplora", 32],
  ["small-llama", 4],
];

const mixed = inMixed(h100);
const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(2);

const row = ([name, batch]: (typeof steps)[number]): string => {
  const step = stepOf(name, batch);
  const plans = [planned(step, h100), planned({ ...step, recompute: "blocks" }, h100), planned(stepOf(name, batch, "mixed"), mixed)];
  return `| ${name}, batch ${batch} | ${plans.flatMap((plan) => [String(plan.launches.length), gib(bytesOfPlan(plan).all)]).join(" | ")} |\n`;
};

process.stdout.write("| step | launches, f32 | GiB | launches, blocks computed again | GiB | launches, mixed | GiB |\n|---|---:|---:|---:|---:|---:|---:|\n");
for (const step of steps) process.stdout.write(row(step));
