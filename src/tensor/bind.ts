/** The GPU objects of a planned program: buffers, uniforms, pipelines and bind groups, made once and used by every run. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../device/device.ts";
import { allocated } from "../device/allocated.ts";
import { bindingStride, roundUp, type Owned } from "../device/owned.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";
import type { Failure } from "../failure.ts";
import { makeDispatches, type BoundLaunch, type Dispatch } from "../kernels/dispatch.ts";
import type { Target } from "../kernels/target.ts";
import { leafKey, type Plan } from "./plan.ts";
import type { Program } from "./program.ts";
import { byteSize } from "./tensor.ts";
import type { Resident } from "../device/resident.ts";

/** A planned program with its device memory. */
export interface Bound {
  readonly plan: Plan;
  /** The buffers of the plan, by number. */
  readonly buffers: readonly GPUBuffer[];
  readonly dispatches: readonly Dispatch[];
}

/** Tensors that are on the device already, and stay there when a program is released. */
export interface Shared {
  /** The frozen tensors. */
  readonly weights?: Resident;
  /** States that other programs read and write, too. Those of the program that are not among them are its own. */
  readonly states?: Resident;
}

/** The buffers of the tensors that are shared, by their number in the plan. */
const sharedBuffers = (program: Program, plan: Plan, { weights, states }: Shared): E.Either<Failure, ReadonlyMap<number, GPUBuffer>> => {
  const shared = new Map<number, GPUBuffer>();
  for (const node of program.leaves) {
    if (node.role === "input") continue;
    const from = node.role === "frozen" ? weights : states;
    const refused = (detail: string): E.Either<Failure, never> =>
      E.left({ _tag: "BadTensor", path: node.role === "frozen" ? "weights" : "states", tensor: node.name, detail });
    const tensor = from?.tensors.get(node.name);
    if (tensor === undefined && node.role === "state") continue;
    if (tensor === undefined) return refused("is missing");
    const { dtype } = node.outputs[0];
    if (tensor.dtype !== dtype) return refused(`is stored as ${tensor.dtype}, where ${dtype} is expected`);
    const bytes = byteSize(node.outputs[0]);
    if (tensor.buffer.size < bytes) return refused(`has ${tensor.buffer.size} bytes, where ${bytes} are expected`);
    shared.set(plan.leaves.get(leafKey(node))!.buffer, tensor.buffer);
  }
  return E.right(shared);
};

/** The buffers of the plan: the shared ones, and one made for every other. */
const planBuffers = (plan: Plan, shared: ReadonlyMap<number, GPUBuffer>, owned: Owned): E.Either<Failure, readonly GPUBuffer[]> => {
  const buffers: GPUBuffer[] = [];
  for (const [i, { label, bytes }] of plan.buffers.entries()) {
    const existing = shared.get(i);
    const buffer = existing === undefined ? owned.buffer(label, roundUp(bytes, bindingStride)) : E.right(existing);
    if (E.isLeft(buffer)) return buffer;
    buffers.push(buffer.right);
  }
  return E.right(buffers);
};

/** `OverLimit` where an operand is larger than a binding may be. */
const checkBindings = (device: Device, target: Target, plan: Plan): E.Either<Failure, void> => {
  const tooLarge = plan.launches
    .flatMap(({ launch, operands }) => operands.map((o) => ({ kernel: launch.kernel, bytes: o?.bytes ?? 0 })))
    .find(({ bytes }) => bytes > 4 * target.maxBinding);
  if (tooLarge === undefined) return E.right(undefined);
  return E.left({
    _tag: "OverLimit",
    what: `An operand of ${tooLarge.kernel}`,
    bytes: tooLarge.bytes,
    limit: 4 * target.maxBinding,
    limitName: "maxStorageBufferBindingSize",
    adapter: device.adapter.line,
  });
};

/** The launches of a plan with the buffers that their operands lie in. */
const boundLaunches = (plan: Plan, buffers: readonly GPUBuffer[]): readonly BoundLaunch[] =>
  plan.launches.map(({ launch, operands }) => ({
    launch,
    bindings: operands.map((operand) => operand && { buffer: buffers[operand.buffer], offset: operand.offset, size: roundUp(operand.bytes, 16) }),
  }));

/**
 * Makes what a planned program needs on a device; `owned` gets the buffers, also where it fails. Fails with `OverLimit` before anything is dispatched, with
 * `KernelInvalid`, or with `BadTensor` for a frozen tensor that is missing.
 */
export const bindPlan = async (
  device: Device,
  target: Target,
  program: Program,
  plan: Plan,
  owned: Owned,
  given: Shared,
): Promise<E.Either<Failure, Bound>> => {
  const shared = sharedBuffers(program, plan, given);
  if (E.isLeft(shared)) return shared;
  const buffers = await allocated(device, "A program", () => planBuffers(plan, shared.right, owned));
  if (E.isLeft(buffers)) return buffers;
  const fits = checkBindings(device, target, plan);
  if (E.isLeft(fits)) return fits;
  const dispatches = await makeDispatches(device, boundLaunches(plan, buffers.right), owned);
  return E.isLeft(dispatches) ? dispatches : E.right({ plan, buffers: buffers.right, dispatches: dispatches.right });
};
