/**
 * A program bound to a device: buffers, pipelines and bind groups made once, replayed as often as wanted.
 *
 * A run writes its inputs, encodes the dispatches into one pass and submits; it creates no GPU object and reads nothing back.
 * Outputs of one number can be *recorded*: every run copies them into a ring on the device, which is read when somebody asks.
 */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Device } from "../device/device.ts";
import { kernelPipeline } from "../kernels/kernel.ts";
import { measured } from "../kernels/target.ts";
import { bufferUsage, mapMode } from "../device/usage.ts";
import type { Failure } from "../failure.ts";
import { leafKey, plan, type Place } from "./plan.ts";
import type { Program } from "./program.ts";
import { resident, type Resident } from "./resident.ts";

/** The elements of a tensor on the host. */
export type HostData = Float32Array | Uint32Array;
/** Host data by the names of tensors. */
export type HostRecord = Readonly<Record<string, HostData>>;

/** A program with the device memory that it runs in. */
export interface Executable {
  /** Writes state or inputs; they stay until they are replaced. */
  readonly write: (role: "state" | "input", values: HostRecord) => E.Either<Failure, void>;
  /** Writes the inputs that are given and submits one run. Does not wait. */
  readonly run: (inputs?: HostRecord) => E.Either<Failure, void>;
  /** Reads an output of the last run, or a state. Waits for the device. */
  readonly read: (name: string) => TE.TaskEither<Failure, Float32Array>;
  /** The recorded values of the runs since the last call, oldest first: at most the last {@link ringLength}. */
  readonly recorded: (name: string) => TE.TaskEither<Failure, Float32Array>;
  /** Bytes of all buffers that this executable owns. */
  readonly bytes: number;
  readonly launches: number;
  readonly release: () => void;
}

/** Runs whose recorded values the device keeps. */
export const ringLength = 1024;

const wordsOf = (view: DataView, offset: number, words: readonly (number | { readonly f32: number })[]): void =>
  words.forEach((word, i) => {
    if (typeof word === "object") view.setFloat32(offset + 4 * i, word.f32, true);
    else if (word < 0) view.setInt32(offset + 4 * i, word, true);
    else view.setUint32(offset + 4 * i, word, true);
  });

/** Uniform bindings start at multiples of this many bytes on every adapter. */
const uniformStride = 256;
const roundUp = (bytes: number, to: number): number => Math.max(to, Math.ceil(bytes / to) * to);

/**
 * Binds a program to a device. Frozen tensors come from `weights`; the numbers named in `record` are kept for {@link Executable.recorded}.
 * Fails with `OverLimit` before anything is dispatched, with `KernelInvalid`, or with `BadTensor` for a frozen tensor that is missing.
 */
export const instantiate = (device: Device, program: Program, weights?: Resident, record: readonly string[] = []): TE.TaskEither<Failure, Executable> => {
  const owned: GPUBuffer[] = [];
  const release = (): void => owned.splice(0).forEach(device.release);
  const acquire = async (): Promise<E.Either<Failure, Executable>> => {
    const chosen = await measured(device, (target) => plan(program, target))();
    if (E.isLeft(chosen)) return chosen;
    const target = chosen.right;
    const planned = plan(program, target);

    // Buffers: frozen leaves are shared, everything else is made here.
    const shared = new Map<number, GPUBuffer>();
    for (const node of program.leaves) {
      if (node.role !== "frozen") continue;
      const buffer = weights?.buffers.get(node.name);
      if (buffer === undefined) return E.left({ _tag: "BadTensor", path: "weights", tensor: node.name, detail: "is missing" });
      shared.set(planned.leaves.get(leafKey(node))!.buffer, buffer);
    }
    const buffers: GPUBuffer[] = [];
    let bytes = 0;
    const make = (label: string, size: number, usage?: number): E.Either<Failure, GPUBuffer> =>
      pipe(
        device.buffer(label, size, usage),
        E.map((buffer) => {
          owned.push(buffer);
          bytes += size;
          return buffer;
        }),
      );
    for (const [i, { label, elements }] of planned.buffers.entries()) {
      const known = shared.get(i);
      const made = known === undefined ? make(label, roundUp(4 * elements, uniformStride)) : E.right(known);
      if (E.isLeft(made)) return made;
      buffers.push(made.right);
    }
    const tooLarge = planned.launches
      .flatMap(({ launch, operands }) => operands.map((o) => ({ kernel: launch.kernel, elements: o?.elements ?? 0 })))
      .find(({ elements }) => elements > target.maxBinding);
    if (tooLarge !== undefined) {
      return E.left({
        _tag: "OverLimit",
        what: `An operand of ${tooLarge.kernel}`,
        bytes: 4 * tooLarge.elements,
        limit: 4 * target.maxBinding,
        limitName: "maxStorageBufferBindingSize",
        adapter: device.adapter.line,
      });
    }

    // All Dims in one uniform buffer, written once.
    const words = new DataView(new ArrayBuffer(Math.max(1, planned.launches.length) * uniformStride));
    planned.launches.forEach(({ launch }, i) => wordsOf(words, i * uniformStride, launch.dims));
    const uniforms = make("dims", words.byteLength, bufferUsage.uniform);
    if (E.isLeft(uniforms)) return uniforms;
    device.gpu.queue.writeBuffer(uniforms.right, 0, words.buffer);

    const pipelines = await Promise.all(planned.launches.map(({ launch }) => kernelPipeline(device, launch.kernel, launch.constants)()));
    const steps: { readonly pipeline: GPUComputePipeline; readonly group: GPUBindGroup; readonly grid: readonly [number, number, number] }[] = [];
    for (const [i, { launch, operands }] of planned.launches.entries()) {
      const pipeline = pipelines[i];
      if (E.isLeft(pipeline)) return pipeline;
      const dims = { buffer: uniforms.right, offset: i * uniformStride, size: roundUp(4 * launch.dims.length, 16) };
      const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: dims }];
      operands.forEach((o, binding) => {
        if (o === undefined) return;
        const { place, elements } = o;
        entries.push({ binding: binding + 1, resource: { buffer: buffers[place.buffer], offset: 4 * place.offset, size: roundUp(4 * elements, 16) } });
      });
      steps.push({ pipeline: pipeline.right, group: device.gpu.createBindGroup({ layout: pipeline.right.getBindGroupLayout(0), entries }), grid: launch.grid });
    }
    device.count(steps.length);

    // The rings of recorded numbers, and one staging buffer that grows to the largest read.
    const rings = new Map<string, GPUBuffer>();
    for (const name of record) {
      const elements = planned.outputs.get(name)?.elements;
      if (elements !== 1) {
        const detail = elements === undefined ? "is not an output of this program" : `has ${elements} elements, and only one number a run is recorded`;
        return E.left({ _tag: "BadTensor", path: "program", tensor: name, detail });
      }
      const ring = make(`ring of ${name}`, 4 * ringLength);
      if (E.isLeft(ring)) return ring;
      rings.set(name, ring.right);
    }
    let staging: GPUBuffer | undefined;
    let [runs, drained] = [0, new Map<string, number>()];

    const placeOf = (name: string): (Place & { readonly elements: number }) | undefined => {
      const output = planned.outputs.get(name);
      if (output !== undefined) return output;
      const place = planned.leaves.get(`state:${name}`);
      return place && { ...place, elements: planned.buffers[place.buffer].elements };
    };

    const write = (role: "state" | "input", values: HostRecord): E.Either<Failure, void> => {
      for (const [name, data] of Object.entries(values)) {
        const place = planned.leaves.get(`${role}:${name}`);
        if (place === undefined) return E.left({ _tag: "BadTensor", path: "program", tensor: name, detail: `is not a ${role} of this program` });
        const { elements } = planned.buffers[place.buffer];
        if (data.length !== elements) {
          return E.left({ _tag: "BadTensor", path: "program", tensor: name, detail: `has ${data.length} elements where ${elements} are expected` });
        }
        device.gpu.queue.writeBuffer(buffers[place.buffer], 0, data.buffer, data.byteOffset, data.byteLength);
      }
      return E.right(undefined);
    };

    const run = (inputs: HostRecord = {}): E.Either<Failure, void> => {
      const failure = device.failure();
      if (failure !== undefined) return E.left(failure);
      const written = write("input", inputs);
      if (E.isLeft(written)) return written;
      const encoder = device.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { pipeline, group, grid } of steps) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
      }
      pass.end();
      rings.forEach((ring, name) => {
        const { buffer, offset } = placeOf(name)!;
        encoder.copyBufferToBuffer(buffers[buffer], 4 * offset, ring, 4 * (runs % ringLength), 4);
      });
      device.gpu.queue.submit([encoder.finish()]);
      runs += 1;
      return E.right(undefined);
    };

    // One read at a time: they share the staging buffer.
    let reading: Promise<unknown> = Promise.resolve();
    const inTurn =
      <A>(task: () => Promise<A>) =>
      (): Promise<A> => {
        const result = reading.then(task);
        reading = result.catch(() => undefined);
        return result;
      };
    const readBuffer = (buffer: GPUBuffer, offset: number, size: number): TE.TaskEither<Failure, Float32Array> =>
      inTurn(async () => {
        if (staging === undefined || staging.size < size) {
          if (staging !== undefined) device.release(staging);
          const made = device.buffer("staging", roundUp(size, uniformStride), bufferUsage.mapRead);
          if (E.isLeft(made)) return made;
          staging = made.right;
        }
        const encoder = device.gpu.createCommandEncoder();
        encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
        device.gpu.queue.submit([encoder.finish()]);
        const settled = await device.settled();
        if (E.isLeft(settled)) return settled;
        try {
          await staging.mapAsync(mapMode.read, 0, size);
          const data = new Float32Array(staging.getMappedRange(0, size).slice(0));
          staging.unmap();
          return E.right(data);
        } catch (error) {
          return E.left(device.failure() ?? { _tag: "DeviceLost", adapter: device.adapter.line, reason: String(error) });
        }
      });

    const read = (name: string): TE.TaskEither<Failure, Float32Array> => {
      const place = placeOf(name);
      if (place === undefined) return TE.left({ _tag: "BadTensor", path: "program", tensor: name, detail: "is neither an output nor a state of this program" });
      return place.elements === 0 ? TE.right(new Float32Array(0)) : readBuffer(buffers[place.buffer], 4 * place.offset, 4 * place.elements);
    };

    const recorded = (name: string): TE.TaskEither<Failure, Float32Array> => {
      const ring = rings.get(name);
      if (ring === undefined) return TE.left({ _tag: "BadTensor", path: "program", tensor: name, detail: "is not recorded" });
      const first = Math.max(drained.get(name) ?? 0, runs - ringLength);
      drained.set(name, runs);
      const until = runs;
      return pipe(
        readBuffer(ring, 0, 4 * ringLength),
        TE.map((values) => Float32Array.from({ length: until - first }, (_, i) => values[(first + i) % ringLength])),
      );
    };

    return E.right({
      write,
      run,
      read,
      recorded,
      bytes,
      launches: steps.length,
      release: () => {
        if (staging !== undefined) device.release(staging);
        staging = undefined;
        release();
      },
    });
  };
  return async () => {
    const made = await acquire();
    if (E.isLeft(made)) release();
    return made;
  };
};

/**
 * Like {@link instantiate}, for a program that is alone with its weights: uploads the frozen tensors that it uses and releases them with it.
 */
export const bind =
  (
    device: Device,
    program: Program,
    weights: Iterable<readonly [string, { readonly data: Float32Array }]>,
    record: readonly string[] = [],
  ): TE.TaskEither<Failure, Executable> =>
  async () => {
    const used = new Set(program.leaves.filter((l) => l.role === "frozen").map((l) => l.name));
    const uploaded = resident(
      device,
      [...weights].filter(([name]) => used.has(name)),
    );
    if (E.isLeft(uploaded)) return uploaded;
    const { release } = uploaded.right;
    const made = await instantiate(device, program, uploaded.right, record)();
    if (E.isLeft(made)) {
      release();
      return made;
    }
    return E.right({
      ...made.right,
      release: () => {
        made.right.release();
        release();
      },
    });
  };
