/** What `npm start` does on an adapter, so that it takes minutes everywhere. */
import type { Device } from "../../src/device/device.ts";

/** A stream and a training that an adapter gets through in a few minutes. */
export interface Plan {
  readonly tasks: number;
  /** Classes of each task, where tasks have classes. Default: all. */
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

/** A plan for each kind of adapter: a GPU is limited by how fast steps can be launched, and software drivers by what two cores can multiply. */
export type Plans = Readonly<Record<"gpu" | "lavapipe" | "swiftshader", Omit<Plan, "on" | "faster">>>;

const machines: Readonly<Record<keyof Plans, Pick<Plan, "on" | "faster">>> = {
  gpu: { on: "a large GPU" },
  lavapipe: { on: "two cores", faster: "A GPU with a Vulkan driver is found by itself, and faster." },
  swiftshader: {
    on: "two cores",
    faster:
      "SwiftShader is the slowest of drivers, so the stream is a small one. Mesa's is several times faster: apt-get install mesa-vulkan-drivers (23.1 or newer; on Debian 12 add -t bookworm-backports).",
  },
};

const kindOf = ({ adapter: { kind, line } }: Device): keyof Plans => {
  if (kind === "gpu") return "gpu";
  return line.startsWith("SwiftShader") ? "swiftshader" : "lavapipe";
};

/** The plan for a device. */
export const planFor = (plans: Plans, device: Device): Plan => ({ ...plans[kindOf(device)], ...machines[kindOf(device)] });
