/** Launches with their buffers, made ready to be encoded: pipelines, uniforms and bind groups. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../device/device.ts";
import { bindingStride, type Owned } from "../device/owned.ts";
import { bufferUsage } from "../device/usage.ts";
import type { GPUBindGroup, GPUBindGroupEntry, GPUBuffer, GPUComputePassEncoder, GPUComputePipeline } from "../platform/webgpu.ts";
import type { Failure } from "../failure.ts";
import { dimsBytes, writeDims } from "./dims.ts";
import { kernelPipeline, type Kernel } from "./kernel.ts";
import type { Grid, LaunchOf } from "./launch.ts";

/** A buffer, or a part of it in bytes. */
export interface Binding {
  readonly buffer: GPUBuffer;
  readonly offset?: number;
  readonly size?: number;
}

/** A launch, and what its operands lie in, in the order of the bindings 1, 2, …. */
export interface BoundLaunch {
  readonly launch: Omit<LaunchOf<Kernel>, "operands">;
  readonly bindings: readonly (Binding | undefined)[];
}

/** A dispatch that is ready to be encoded. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: Grid;
}

/** The `Dims` of all launches in one uniform buffer, {@link bindingStride} bytes apart. */
const uniforms = (device: Device, launches: readonly BoundLaunch[], owned: Owned): E.Either<Failure, GPUBuffer> => {
  const words = new DataView(new ArrayBuffer(Math.max(1, launches.length) * bindingStride));
  launches.forEach(({ launch: { kernel, dims } }, i) => writeDims(words, i * bindingStride, kernel, dims));
  const buffer = owned.buffer("dims", words.byteLength, bufferUsage.uniform);
  if (E.isRight(buffer)) device.gpu.queue.writeBuffer(buffer.right, 0, words.buffer);
  return buffer;
};

/** Compiles the kernels of launches, writes their uniforms into a buffer of `owned` and makes their bind groups. Fails with `KernelInvalid` or `OverLimit`. */
export const makeDispatches = async (device: Device, launches: readonly BoundLaunch[], owned: Owned): Promise<E.Either<Failure, readonly Dispatch[]>> => {
  const dims = uniforms(device, launches, owned);
  if (E.isLeft(dims)) return dims;
  const pipelines = await Promise.all(launches.map(({ launch }) => kernelPipeline(device, launch.kernel, launch.constants)()));
  const dispatches: Dispatch[] = [];
  for (const [i, { launch, bindings }] of launches.entries()) {
    const pipeline = pipelines[i];
    if (E.isLeft(pipeline)) return pipeline;
    const uniform = { buffer: dims.right, offset: i * bindingStride, size: dimsBytes(launch.kernel) };
    const entries = [uniform, ...bindings].flatMap((resource, binding): readonly GPUBindGroupEntry[] =>
      resource === undefined ? [] : [{ binding, resource }],
    );
    const group = device.gpu.createBindGroup({ layout: pipeline.right.getBindGroupLayout(0), entries });
    dispatches.push({ pipeline: pipeline.right, group, grid: launch.grid });
  }
  device.count(dispatches.length);
  return E.right(dispatches);
};

/**
 * Encodes dispatches, one after the other; what stays as it was is not set again. Allocates nothing: encoding is most of what the host does for a step.
 */
export const encode = (pass: GPUComputePassEncoder, dispatches: readonly Dispatch[]): void => {
  let current: GPUComputePipeline | undefined;
  let bound: GPUBindGroup | undefined;
  for (let i = 0; i < dispatches.length; i++) {
    const { pipeline, group, grid } = dispatches[i];
    if (pipeline !== current) pass.setPipeline(pipeline);
    if (group !== bound) pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    current = pipeline;
    bound = group;
  }
};
