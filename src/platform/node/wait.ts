/**
 * Waits for a software device without taking a core from it.
 *
 * While one of Dawn's promises is pending, its Node binding polls in a `setImmediate` loop that spins. On a software adapter that loop takes
 * one of the cores that the kernels run on: on two cores, a matmul waited for in this way took 1.5 to 1.9 times as long (llvmpipe and
 * SwiftShader, Node and Deno; naps of 1 and of 3 ms alike).
 */
import type { OpenGpu } from "../platform.ts";
import type { GPUAdapterInfo } from "../webgpu.ts";

const cell = new Int32Array(new SharedArrayBuffer(4));

let waiting = 0;
let napping = false;

/** One nap in every turn of the event loop, so that Dawn's poll comes round once a millisecond. */
const nap = (): void => {
  napping = waiting > 0;
  if (!napping) return;
  Atomics.wait(cell, 0, 0, 1);
  setImmediate(nap);
};

/** The same promise; while it is pending the event loop turns about once a millisecond. Callbacks that are ready all run in a turn. */
const patiently = async <A>(pending: Promise<A>): Promise<A> => {
  waiting += 1;
  if (!napping) {
    napping = true;
    setImmediate(nap);
  }
  try {
    return await pending;
  } finally {
    waiting -= 1;
  }
};

/** How to wait for a device: with naps where its adapter is software, and simply where it is not. */
export const waitingFor = ({ isFallbackAdapter }: Pick<GPUAdapterInfo, "isFallbackAdapter">): OpenGpu["wait"] =>
  isFallbackAdapter ? patiently : (pending) => pending;
