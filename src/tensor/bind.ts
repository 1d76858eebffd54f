/** The GPU objects of a planned program: buffers, uniforms, pipelines and bind groups, made once and used by every run. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../device/device.ts";
import { bufferUsage } from "../device/usage.ts";
import type { Failure } from "../failure.ts";
import { kernelPipeline } from "../kernels/kernel.ts";
import type { Grid, Word } from "../kernels/launch.ts";
import type { Target } from "../kernels/target.ts";
import { bindingStride, roundUp, type Owned } from "./owned.ts";
import { leafKey, type Plan } from "./plan.ts";
import type { Program } from "./program.ts";
import type { Resident } from "./resident.ts";
import type { GPUBindGroup, GPUBindGroupEntry, GPUBuffer, GPUComputePipeline } from "../device/webgpu.ts";

/** A dispatch that is ready to be encoded. */
export interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: Grid;
}

/** A planned program with its device memory. */
export interface Bound {
  readonly plan: Plan;
  /** The buffers of the plan, by number. */
  readonly buffers: readonly GPUBuffer[];
  readonly dispatches: readonly Dispatch[];
}

/** The buffers of the frozen tensors, which are shared, by their number in the plan. */
const sharedBuffers = (program: Program, plan: Plan, weights: Resident | undefined): E.Either<Failure, ReadonlyMap<number, GPUBuffer>> => {
  const shared = new Map<number, GPUBuffer>();
  for (const node of program.leaves) {
    if (node.role !== "frozen") continue;
    const buffer = weights?.buffers.get(node.name);
    if (buffer === undefined) return E.left({ _tag: "BadTensor", path: "weights", tensor: node.name, detail: "is missing" });
    shared.set(plan.leaves.get(leafKey(node))!.buffer, buffer);
  }
  return E.right(shared);
};

/** The buffers of the plan: the shared ones, and one made for every other. */
const planBuffers = (plan: Plan, shared: ReadonlyMap<number, GPUBuffer>, owned: Owned): E.Either<Failure, readonly GPUBuffer[]> => {
  const buffers: GPUBuffer[] = [];
  for (const [i, { label, elements }] of plan.buffers.entries()) {
    const existing = shared.get(i);
    const buffer = existing === undefined ? owned.buffer(label, roundUp(4 * elements, bindingStride)) : E.right(existing);
    if (E.isLeft(buffer)) return buffer;
    buffers.push(buffer.right);
  }
  return E.right(buffers);
};

/** `OverLimit` where an operand is larger than a binding may be. */
const checkBindings = (device: Device, target: Target, plan: Plan): E.Either<Failure, void> => {
  const tooLarge = plan.launches
    .flatMap(({ launch, operands }) => operands.map((o) => ({ kernel: launch.kernel, elements: o?.elements ?? 0 })))
    .find(({ elements }) => elements > target.maxBinding);
  if (tooLarge === undefined) return E.right(undefined);
  return E.left({
    _tag: "OverLimit",
    what: `An operand of ${tooLarge.kernel}`,
    bytes: 4 * tooLarge.elements,
    limit: 4 * target.maxBinding,
    limitName: "maxStorageBufferBindingSize",
    adapter: device.adapter.line,
  });
};

const writeWords = (view: DataView, offset: number, words: readonly Word[]): void =>
  words.forEach((word, i) => {
    if (typeof word === "object") view.setFloat32(offset + 4 * i, word.f32, true);
    else if (word < 0) view.setInt32(offset + 4 * i, word, true);
    else view.setUint32(offset + 4 * i, word, true);
  });

/** The `Dims` of all launches in one uniform buffer, {@link bindingStride} bytes apart. */
const uniforms = (device: Device, plan: Plan, owned: Owned): E.Either<Failure, GPUBuffer> => {
  const words = new DataView(new ArrayBuffer(Math.max(1, plan.launches.length) * bindingStride));
  plan.launches.forEach(({ launch }, i) => writeWords(words, i * bindingStride, launch.dims));
  const buffer = owned.buffer("dims", words.byteLength, bufferUsage.uniform);
  if (E.isRight(buffer)) device.gpu.queue.writeBuffer(buffer.right, 0, words.buffer);
  return buffer;
};

/** The pipeline and the bind group of every launch. */
const makeDispatches = async (device: Device, plan: Plan, buffers: readonly GPUBuffer[], dims: GPUBuffer): Promise<E.Either<Failure, readonly Dispatch[]>> => {
  const pipelines = await Promise.all(plan.launches.map(({ launch }) => kernelPipeline(device, launch.kernel, launch.constants)()));
  const dispatches: Dispatch[] = [];
  for (const [i, { launch, operands }] of plan.launches.entries()) {
    const pipeline = pipelines[i];
    if (E.isLeft(pipeline)) return pipeline;
    const uniform = { buffer: dims, offset: i * bindingStride, size: roundUp(4 * launch.dims.length, 16) };
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: uniform }];
    operands.forEach((operand, binding) => {
      if (operand === undefined) return;
      const { place, elements } = operand;
      entries.push({ binding: binding + 1, resource: { buffer: buffers[place.buffer], offset: 4 * place.offset, size: roundUp(4 * elements, 16) } });
    });
    dispatches.push({
      pipeline: pipeline.right,
      group: device.gpu.createBindGroup({ layout: pipeline.right.getBindGroupLayout(0), entries }),
      grid: launch.grid,
    });
  }
  device.count(dispatches.length);
  return E.right(dispatches);
};

/**
 * Makes what a planned program needs on a device; `owned` gets the buffers, also where it fails. Fails with `OverLimit` before anything is dispatched, with
 * `KernelInvalid`, or with `BadTensor` for a frozen tensor that `weights` lacks.
 */
export const bindPlan = async (
  device: Device,
  target: Target,
  program: Program,
  plan: Plan,
  owned: Owned,
  weights?: Resident,
): Promise<E.Either<Failure, Bound>> => {
  const shared = sharedBuffers(program, plan, weights);
  if (E.isLeft(shared)) return shared;
  const buffers = planBuffers(plan, shared.right, owned);
  if (E.isLeft(buffers)) return buffers;
  const fits = checkBindings(device, target, plan);
  if (E.isLeft(fits)) return fits;
  const dims = uniforms(device, plan, owned);
  if (E.isLeft(dims)) return dims;
  const dispatches = await makeDispatches(device, plan, buffers.right, dims.right);
  return E.isLeft(dispatches) ? dispatches : E.right({ plan, buffers: buffers.right, dispatches: dispatches.right });
};
