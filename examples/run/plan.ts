/** What `npm start` does on an adapter, so that it takes minutes everywhere. */
import type { Device } from "../../src/device/device.ts";

/** A stream and a training that an adapter gets through in a few minutes. */
export interface Plan {
  readonly tasks: number;
  /** Classes of each task. Default: all. */
  readonly classes?: number;
  readonly steps: number;
  readonly batch: number;
  /** Towers that get adapters. Default: all. */
  readonly towers?: readonly string[];
  /** Seconds of a step, and of what a method does once a task: measured on software drivers (bench/RESULTS.md), estimated for a GPU. */
  readonly seconds: { readonly step: number; readonly task: number };
  /** What that is for. */
  readonly on: string;
  /** How somebody who sees this adapter gets a faster one. */
  readonly faster?: string;
}

const whole = { tasks: 5, steps: 45, batch: 32 };

/** A GPU is limited by how fast steps can be launched, and software drivers by what two cores can multiply. */
const plans: Readonly<Record<"gpu" | "lavapipe" | "swiftshader", Plan>> = {
  gpu: { ...whole, seconds: { step: 0.02, task: 0.5 }, on: "a large GPU" },
  lavapipe: { ...whole, seconds: { step: 0.24, task: 4 }, on: "two cores", faster: "A GPU with a Vulkan driver is found by itself, and faster." },
  swiftshader: {
    ...{ tasks: 3, classes: 20, steps: 36, batch: 16, towers: ["vision"] },
    seconds: { step: 0.55, task: 6 },
    on: "two cores",
    faster:
      "SwiftShader is the slowest of drivers, so the stream is a small one. Mesa's is several times faster: apt-get install mesa-vulkan-drivers (23.1 or newer; on Debian 12 add -t bookworm-backports).",
  },
};

/** The plan for a device. */
export const planFor = ({ adapter: { kind, line } }: Device): Plan => {
  if (kind === "gpu") return plans.gpu;
  return line.startsWith("SwiftShader") ? plans.swiftshader : plans.lavapipe;
};
