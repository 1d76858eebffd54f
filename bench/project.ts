/**
 * Rows taken out of a subspace, X − (X M) Mᵀ: the kernel that subtracts the second product from X at once, against two products and a subtraction.
 *
 *     npm run bench:project -- [rounds]
 *
 * A program projects the rows of 24 modules, as a step with a remembered basis a module does. Both ways are measured in turns; a figure is the median over
 * the rounds, and their bits are compared.
 */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { flag, whole } from "../src/cli/flags.ts";
import type { Device } from "../src/device/device.ts";
import { describe, get, type Failure } from "../src/failure.ts";
import { withDevice } from "../src/device/open.ts";
import { sub } from "../src/tensor/ops/elementwise.ts";
import { matmul } from "../src/tensor/ops/matmul.ts";
import { projectOut } from "../src/tensor/ops/projection.ts";
import { openSession, type Session } from "../src/tensor/session.ts";
import { floats, type Tensor } from "../src/tensor/tensor.ts";
import { given } from "./arguments.ts";

/** Rows of a LoRA of rank 16 or of a batch, the width of ViT-B/16 and of its MLP, and ranks of a basis. */
const shapes: readonly (readonly [rows: number, width: number, rank: number])[] = [
  [16, 768, 50],
  [16, 768, 400],
  [16, 3072, 400],
  [128, 768, 400],
];
const modules = 24;

const ways: Readonly<Record<string, (x: Tensor, m: Tensor) => Tensor>> = {
  "two products, subtracted": (x, m) => sub(x, matmul(matmul(x, m), m, { tb: true })),
  "projection kernel": projectOut,
};

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

const numbers = (count: number, step: number): Float32Array => Float32Array.from({ length: count }, (_, i) => (((i + 1) * step) % 1009) / 504.5 - 1);
const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)];

const open = async (device: Device, way: (x: Tensor, m: Tensor) => Tensor, [rows, width, rank]: (typeof shapes)[number]): Promise<Session> => {
  const names = Array.from({ length: modules }, (_, i) => `module ${i}`);
  const weights = names.map((name, i) => [name, { shape: [width, rank], data: numbers(width * rank, 7919 + i).map((v) => v / Math.sqrt(width)) }] as const);
  const session = await get(
    openSession(
      device,
      ({ input, frozen }) => {
        const x = input("x", floats([rows, width]));
        return E.right({ outputs: Object.fromEntries(names.map((name) => [name, way(x, frozen(name, [width, rank]))])) });
      },
      { weights },
    ),
  );
  value(session.run({ x: numbers(rows * width, 104729) }));
  await get(device.settled);
  return session;
};

/** Milliseconds of one run of each session, and whether they give the same bits. */
const measure = async (device: Device, shape: (typeof shapes)[number], rounds: number): Promise<readonly [times: readonly number[], same: boolean]> => {
  const sessions: Session[] = [];
  for (const way of Object.values(ways)) sessions.push(await open(device, way, shape));
  const times: readonly number[][] = sessions.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, session] of sessions.entries()) {
      const start = performance.now();
      for (let run = 0; run < 5; run++) value(session.run());
      await get(device.settled);
      times[i].push((performance.now() - start) / 5);
    }
  }
  const [before, after] = [await get(sessions[0].read("module 7")), await get(sessions[1].read("module 7"))];
  sessions.forEach((session) => session.release());
  return [times.map(median), before.every((x, i) => Object.is(x, after[i]))];
};

const { rounds } = given({ called: "npm run bench:project -- [rounds]", operands: { rounds: flag(whole(1), "N", "rounds whose median counts", 15) } });

const main =
  (device: Device): TaskEither<Failure, void> =>
  async () => {
    console.log(`Adapter: ${device.adapter.line}. Milliseconds for ${modules} projections, medians of ${rounds} rounds in turns.\n`);
    console.log(`| rows | width | rank | ${Object.keys(ways).join(" | ")} | ratio | bits |\n|---:|---:|---:|---:|---:|---:|---|`);
    for (const shape of shapes) {
      const [[before, after], same] = await measure(device, shape, rounds);
      console.log(`| ${shape.join(" | ")} | ${before.toFixed(2)} | ${after.toFixed(2)} | ${(before / after).toFixed(2)} | ${same ? "same" : "other"} |`);
    }
    return E.right(undefined);
  };

const result = await withDevice({})(main)();
if (E.isLeft(result)) {
  console.error(describe(result.left));
  process.exitCode = 1;
}
