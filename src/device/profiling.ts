/** What a device that is profiled is asked: it gives every run of a program to its profiler to encode. */
import type { GPUCommandEncoder, GPUComputePassEncoder } from "../platform/webgpu.ts";

/** A launch as it is counted: which kernel, its shape in words, and what it costs. */
export interface LaunchCost {
  readonly kernel: string;
  readonly shape: string;
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes that are read and written at least. */
  readonly bytes: number;
}

/** Encodes some launches of a program into a pass: `count` from the one at position `first` on. */
export type EncodeLaunches = (pass: GPUComputePassEncoder, first: number, count: number) => void;

/** What encodes the runs of one program. */
export interface ProgramProfiler {
  /** Encodes all launches of a run, in their order. */
  readonly encode: (encoder: GPUCommandEncoder, launches: EncodeLaunches) => void;
}

/** What a device's programs tell of themselves. */
export interface Profiler {
  /** A program that will run: what it is called, and what its launches cost. */
  readonly program: (label: string, launches: readonly LaunchCost[]) => ProgramProfiler;
}
