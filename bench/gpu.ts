/**
 * What is claimed of speed and memory on one GPU, measured in one run, beside PyTorch and tfjs on the same machine: a table in Markdown.
 *
 *     npm run bench:gpu -- [--tiny] [--out DIR] [--seconds N] [--python python3] [part…]
 *
 * Parts: torch, f32, mixed, small, squares, products, stream, choices, plans; all where none is named. `torch` comes first, so that the others stand beside it.
 * `plans` times every plan of some products, which is what a tuner chooses from; `choices` the step with what else can be chosen. A part that fails, or that
 * the seconds (default 330) leave no time for, is a line of the table; what was measured is written after every part. Built already, it needs neither network
 * nor npm: `node dist/bench/gpu.js`. `--tiny` runs everything on small shapes in a few minutes of two cores, to see that it runs.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as TE from "fp-ts/lib/TaskEither.js";
import { flag, list, oneOf, optional, positive, some, toggle } from "../src/cli/flags.ts";
import type { Device } from "../src/device/device.ts";
import { withDevice } from "../src/device/open.ts";
import { get } from "../src/failure.ts";
import { profileText } from "../src/report/profileText.ts";
import type { MatmulShape } from "../src/kernels/matmul.ts";
import { planName } from "../src/kernels/tuner.ts";
import { matmulVariants } from "../src/kernels/variants.ts";
import type { Profile } from "../src/tensor/profile.ts";
import { given } from "./arguments.ts";
import { markdown, type Row } from "./gpuTable.ts";
import {
  bestRate,
  errorOf,
  largeProducts,
  numbers,
  ours,
  planned,
  products,
  rates,
  shapeOf,
  square,
  storedShapes,
  type Contender,
  type Matrix,
  type Product,
} from "./products.ts";
import { timeStep, type StepTimes } from "./stepTimes.ts";
import { streamBusy } from "./streamBusy.ts";
import type { WorkName } from "./steps.ts";
import type { Tfjs } from "./tfjs.ts";

const partNames = ["torch", "f32", "mixed", "small", "squares", "products", "stream", "choices", "plans"] as const;

/** The name of a part. */
type PartName = (typeof partNames)[number];

const flags = given({
  called: "npm run bench:gpu -- [flags] [part…]",
  operands: { parts: flag(list(oneOf(...partNames), true), "PART", `what is measured, of ${partNames.join(", ")}`, partNames) },
  several: true,
  flags: {
    tiny: toggle("runs everything on small shapes, to see that it runs"),
    out: optional(some, "DIR", "where the table is written after every part"),
    seconds: flag(positive(1e6), "N", "no part begins when so many are over", 330),
    python: flag(some, "PYTHON", "a Python with torch", "python3"),
  },
});

/** Products of a step of ViT-B/16 at batch 64: its tokens, and its widths. */
const plans = [
  square(4096),
  { what: "MLP up", form: "NT", m: 12608, n: 3072, k: 768 },
  { what: "projection", form: "NT", m: 12608, n: 768, k: 768 },
  { what: "LoRA down", form: "NT", m: 12608, n: 16, k: 768 },
] as const;

/** What is measured, as a GPU gets it and as two cores do. */
const sizes = flags.tiny
  ? {
      step: "icon",
      small: "small-llama",
      batches: [2, 3, 4],
      squares: [96, 160],
      torchSteps: 1,
      rounds: 1,
      ms: 5,
      products: products.slice(-2, -1),
      plans: [square(96)],
    }
  : {
      step: "b16",
      small: "nano",
      batches: [4, 32, 64],
      squares: [2048, 4096],
      torchSteps: 8,
      rounds: 5,
      ms: 60,
      products: [...products, ...largeProducts.filter(({ what }) => what !== "square")],
      plans,
    };
const [smallest, , largest] = sizes.batches;

const rows: Row[] = [];
const profiles: { readonly of: string; readonly profile: Profile }[] = [];
let adapter = "no device was opened";

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
const ms = (x: number): string => `${x < 10 ? x.toFixed(2) : x.toFixed(1)} ms`;
const tera = (gflops: number): string => `${(gflops / 1000).toFixed(2)} TFLOP/s`;

/** A line of what torch measured. */
interface TorchLine {
  readonly what: "torch" | "step" | "square";
  readonly mode?: string;
  readonly batch?: number;
  readonly side?: number;
  readonly ms?: number;
  readonly bytes?: number | null;
  readonly flops?: number;
  readonly version?: string;
  readonly on?: string;
  readonly lora?: string;
  readonly failed?: string;
}

let torch: readonly TorchLine[] = [];

const torchStep = (mode: string, batch: number): TorchLine | undefined =>
  torch.find((line) => line.what === "step" && line.mode === mode && line.batch === batch);
const torchSquare = (mode: string, side: number): number | undefined =>
  torch.find((line) => line.what === "square" && line.mode === mode && line.side === side)?.flops;

const runTorch = (): void => {
  const args = ["bench/torch_step.py", "clip", "--batches", sizes.batches.join(), "--squares", sizes.squares.join(), "--steps", String(sizes.torchSteps)];
  const { stdout, stderr, status, error } = spawnSync(flags.python, [...args, ...(flags.tiny ? ["--tiny"] : [])], { encoding: "utf8", timeout: 150_000 });
  torch = (stdout ?? "").split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as TorchLine] : []));
  for (const { what, mode, batch, side, ms: time, bytes, flops, failed, lora } of torch) {
    if (what === "step") {
      const took = failed ?? `${ms(time!)}${typeof bytes === "number" ? `, ${gib(bytes)}` : ""}`;
      rows.push({ part: "torch", what: `PyTorch ${mode}, LoRA ${lora ?? "?"}, batch ${batch}`, measured: took });
    }
    if (what === "square") rows.push({ part: "torch", what: `PyTorch ${mode}, square of ${side}`, measured: tera(flops! / 1e9) });
  }
  if (status !== 0) throw new Error((error?.message ?? stderr ?? "").trim().split("\n").slice(-1)[0]);
};

/** tfjs, where it is installed. */
const tfjsOn = async (device: Device, part: string): Promise<Tfjs | undefined> => {
  try {
    return await (await import("./tfjs.ts")).openTfjs(device);
  } catch (error) {
    rows.push({ part, what: "tfjs", measured: `not here: ${String(error).split("\n")[0]}` });
    return undefined;
  }
};

/** The rates of our product and of that of tfjs, of ours alone where the other fails. */
const besideTfjs = async (device: Device, product: Product, tfjs: Tfjs | undefined, named: Pick<Row, "part" | "what">): Promise<readonly number[]> => {
  const options = { rounds: sizes.rounds, milliseconds: sizes.ms };
  const mine = (a: Matrix, b: Matrix): Promise<Contender> => ours(device, product, a, b);
  try {
    const theirs = tfjs === undefined ? [] : [(a: Matrix, b: Matrix): Contender => tfjs.product(product, a, b)];
    return await rates(device, product, [mine, ...theirs], options);
  } catch (error) {
    const alone = await rates(device, product, [mine], options);
    rows.push({ ...named, measured: `beside tfjs: ${error instanceof Error ? error.message : String(error)}` });
    return alone;
  }
};

/** Products beside tfjs, and beside cuBLAS where torch has measured them. */
const runProducts = (part: string, list: typeof products) => async (device: Device) => {
  const tfjs = await tfjsOn(device, part);
  for (const product of list) {
    const { what, form, m, n, k } = product;
    const named = { part, what: `${what} ${form} ${m} x ${n} x ${k}` };
    const [mine, other] = await besideTfjs(device, product, tfjs, named);
    const cublas = what === "square" && m === n && n === k ? torchSquare("f32", m) : undefined;
    const row = { ...named, measured: tera(mine) };
    if (other !== undefined) rows.push({ ...row, beside: `tfjs ${tera(other)}`, ratio: mine / other, goal: { least: 1.5 } });
    if (cublas !== undefined) rows.push({ ...row, beside: `cuBLAS f32 ${tera(cublas / 1e9)}`, ratio: (1e9 * mine) / cublas, goal: { least: 0.6 } });
    if (other === undefined && cublas === undefined) rows.push(row);
  }
};

/** Rows of one step beside torch's of the same batch. */
const stepRows = (part: "f32" | "mixed", batch: number, { milliseconds, waiting, bytes, launches, host, busy }: StepTimes): void => {
  const what = `step of ${sizes.step}, ${part}, batch ${batch}`;
  const step = (mode: string, goal?: Row["goal"]): void => {
    const beside = torchStep(mode, batch);
    if (beside?.ms === undefined) return;
    rows.push({ part, what, measured: ms(milliseconds), beside: `PyTorch ${mode} ${ms(beside.ms)}`, ratio: milliseconds / beside.ms, goal });
  };
  rows.push({ part, what, measured: `${ms(milliseconds)} back to back, ${ms(waiting)} each on its own` });
  step("f32", part === "f32" && batch === largest ? { most: 1.1 } : part === "f32" && batch === smallest ? { most: 1 } : undefined);
  step("tf32");
  step("bf16", part === "mixed" && batch === largest ? { most: 1.35 } : undefined);
  if (batch !== largest) return;
  const beside = torchStep(part === "f32" ? "f32" : "bf16", batch)?.bytes ?? undefined;
  const memory = { part, what: `memory of that step`, measured: gib(bytes) };
  if (part === "mixed") rows.push({ ...memory, beside: "7 GiB", ratio: bytes / (7 * 2 ** 30), goal: { most: 1 } });
  if (beside !== undefined) rows.push({ ...memory, beside: `PyTorch ${gib(beside)}`, ratio: bytes / beside, goal: part === "f32" ? { most: 1 } : undefined });
  if (part === "f32" && beside === undefined) rows.push(memory);
  rows.push({ part, what: "launches of that step", measured: String(launches), beside: "900", ratio: launches / 900, goal: { most: 1 } });
  rows.push({ part, what: "host, a launch", measured: `${host.toFixed(2)} us`, beside: "2 us", ratio: host / 2, goal: { most: 1 } });
  if (busy !== null) rows.push({ part, what: "device busy, steps back to back", measured: `${(100 * busy).toFixed(0)} %` });
};

const runSteps = (precision: "f32" | "mixed") => async (device: Device) => {
  for (const batch of sizes.batches) {
    const times = await timeStep(device, sizes.step as WorkName, batch);
    stepRows(precision, batch, times);
    if (batch === largest) profiles.push({ of: `${sizes.step}, ${precision}, batch ${batch}`, profile: times.profile });
  }
};

/** The step with what else there is to choose: blocks that are computed again. */
const runChoices = async (device: Device): Promise<void> => {
  const { milliseconds, bytes } = await timeStep(device, sizes.step as WorkName, largest, { recompute: "blocks" });
  const what = `step of ${sizes.step}, f32, batch ${largest}, recompute blocks`;
  rows.push({ part: "choices", what, measured: `${ms(milliseconds)}, ${gib(bytes)}` });
};

/** Every plan of some products, in f32 and on f16 units: what a tuner can choose from. */
const runPlans = async (device: Device): Promise<void> => {
  for (const product of sizes.plans) {
    const { what, form, m, n, k } = product;
    const { a: stored, b: storedB } = storedShapes(product);
    const [a, b] = [numbers(stored[0] * stored[1], 7919), numbers(storedB[0] * storedB[1], 104729)];
    for (const multiply of [undefined, "f16"] as const) {
      if (multiply !== undefined && device.adapter.matrix === undefined) continue;
      const shape: MatmulShape = { ...shapeOf(product), ...(multiply === undefined ? {} : { multiply }) };
      const found: { readonly name: string; readonly rate: number; readonly error: number }[] = [];
      for (const plan of matmulVariants(device.adapter, shape, device.limits.maxComputeWorkgroupStorageSize).slice(0, flags.tiny ? 2 : 10)) {
        const contender = await planned(device, shape, plan, a, b);
        try {
          const rate = await bestRate(device, product, contender, 3, sizes.ms / 2);
          found.push({ name: planName(plan), rate, error: found.length === 0 ? errorOf(product, a, b, await contender.result()) : 0 });
        } finally {
          contender.release();
        }
      }
      const [best, ...others] = [...found].sort((x, y) => y.rate - x.rate);
      if (best === undefined) continue;
      const cublas = m === n && n === k ? torchSquare("f32", m) : undefined;
      rows.push({
        ...{ part: "plans", what: `${what} ${form} ${m} x ${n} x ${k}, ${multiply ?? "f32"}` },
        measured: `${tera(best.rate)}, error ${found[0].error.toExponential(1)}: ${best.name}; ${others.map(({ name, rate }) => `${name} ${tera(rate)}`).join(", ")}`,
        ...(cublas === undefined ? {} : { beside: `cuBLAS f32 ${tera(cublas / 1e9)}`, ratio: (1e9 * best.rate) / cublas }),
      });
    }
  }
};

const runSmall = async (device: Device): Promise<void> => {
  const times = await timeStep(device, sizes.small as WorkName);
  const { milliseconds, waiting, launches, host } = times;
  const what = `step of ${sizes.small}`;
  rows.push({ part: "small", what, measured: `${ms(milliseconds)} back to back`, beside: "6 ms", ratio: milliseconds / 6, goal: { most: 1 } });
  rows.push({ part: "small", what, measured: `${ms(waiting)} each on its own` });
  rows.push({ part: "small", what: "launches of that step", measured: String(launches), beside: "350", ratio: launches / 350, goal: { most: 1 } });
  rows.push({ part: "small", what: "host, a launch", measured: `${host.toFixed(2)} us`, beside: "2 us", ratio: host / 2, goal: { most: 1 } });
  profiles.push({ of: sizes.small, profile: times.profile });
};

const runStream = async (device: Device): Promise<void> => {
  const { busy, elapsed, milliseconds, what } = await streamBusy(device, flags.tiny);
  const measured = busy === null ? "not measured: no timestamps" : `${(100 * busy).toFixed(0)} %, ${ms(milliseconds ?? 0)} of ${ms(elapsed ?? 0)} a step`;
  rows.push({
    part: "stream",
    what: `device busy while it trains: ${what}`,
    measured,
    ...(busy === null ? {} : { beside: "90 %", ratio: busy / 0.9, goal: { least: 1 } }),
  });
};

type Part = { readonly precision?: "f32" | "mixed"; readonly run: (device: Device) => Promise<void> };

const parts: Readonly<Record<PartName, Part | (() => void)>> = {
  torch: runTorch,
  f32: { run: runSteps("f32") },
  mixed: { precision: "mixed", run: runSteps("mixed") },
  small: { run: runSmall },
  squares: { run: runProducts("squares", sizes.squares.map(square)) },
  products: { run: runProducts("products", sizes.products) },
  stream: { run: runStream },
  choices: { run: runChoices },
  plans: { run: runPlans },
};

/** What was measured so far: printed at the end, written after every part. */
const report = (): string => {
  const { version, on } = torch.find(({ what }) => what === "torch") ?? {};
  const head = `Adapter: ${adapter}.${version === undefined ? "" : ` PyTorch ${version} on ${on}.`}${flags.tiny ? " Tiny shapes: the figures mean nothing." : ""}`;
  return [head, markdown(rows), ...profiles.map(({ of, profile }) => `### ${of}\n\n\`\`\`text\n${profileText(profile)}\n\`\`\``)].join("\n\n");
};

const save = (): void => {
  if (flags.out === undefined) return;
  mkdirSync(flags.out, { recursive: true });
  writeFileSync(join(flags.out, "gpu.md"), `${report()}\n`);
  writeFileSync(join(flags.out, "gpu.json"), JSON.stringify({ adapter, torch, rows, profiles }, null, 1));
};

const runPart = async (part: Part | (() => void)): Promise<void> => {
  if (typeof part === "function") return part();
  const { precision, run } = part;
  await get(
    withDevice({ precision })((device) => {
      adapter = device.adapter.line;
      return TE.fromTask(() => run(device));
    }),
  );
};

const began = performance.now();
const seconds = (): number => (performance.now() - began) / 1000;
for (const name of partNames) {
  if (!flags.parts.includes(name)) continue;
  const start = seconds();
  try {
    if (start > flags.seconds) throw new Error(`not begun: ${flags.seconds} seconds were over`);
    await runPart(parts[name]);
  } catch (error) {
    rows.push({ part: name, what: "failed", measured: (error instanceof Error ? error.message : JSON.stringify(error)).split("\n")[0] });
  }
  console.error(`${name}: ${(seconds() - start).toFixed(0)} s`);
  save();
}
console.log(report());
