/** The matrix product of `@tensorflow/tfjs-backend-webgpu`, on a device of ours. */
import * as tf from "@tensorflow/tfjs-core";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { globals } from "webgpu";
import type { Device } from "../src/device/device.ts";
import { storedShapes, type Contender, type Matrix, type Product } from "./products.ts";

/** A backend of tfjs on a device. */
export interface Tfjs {
  readonly version: string;
  readonly product: (product: Product, a: Matrix, b: Matrix) => Contender;
}

/** Opens tfjs on a device, which it shares with us. */
export const openTfjs = async (device: Device): Promise<Tfjs> => {
  const gpu = device.gpu as GPUDevice;
  // What tfjs looks for in a browser.
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { gpu: {}, userAgent: "" }, configurable: true });
  const backend = new WebGPUBackend(gpu, gpu.adapterInfo);
  // That of a device that was closed since.
  if (tf.findBackendFactory("webgpu") !== null) tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => backend);
  await tf.setBackend("webgpu");
  // It submits by itself after every so many products, and has no encoder behind that.
  const inner = backend as unknown as { readonly commandEncoder: unknown };
  const submit = (): void => {
    if (inner.commandEncoder === null) return;
    backend.endComputePassEncoder();
    backend.submitQueue();
  };
  return {
    version: tf.version_core,
    product: (product, a, b) => {
      const shapes = storedShapes(product);
      const [left, right] = [tf.tensor2d(a, [...shapes.a]), tf.tensor2d(b, [...shapes.b])];
      const [ta, tb] = [product.form[0] === "T", product.form[1] === "T"];
      return {
        submit: (times) => {
          for (let i = 0; i < times; i++) tf.matMul(left, right, ta, tb).dispose();
          submit();
        },
        result: async () => {
          const out = tf.matMul(left, right, ta, tb);
          const values = (await out.data()) as Float32Array;
          out.dispose();
          return values;
        },
        release: () => tf.dispose([left, right]),
      };
    },
  };
};
