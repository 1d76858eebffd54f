/**
 * The traced tensor language under one name: tensors, operations with their gradients, programs, and their execution.
 *
 * ```ts
 * import { tensor } from "cambium";
 * const program = tensor.trace({ inputs: { x: tensor.floats([2, 3]) } }, ({ inputs: { x } }) => …);
 * ```
 */
export * from "./tensor.ts";
export * from "./gradient.ts";
export * from "./layout.ts";
export * from "./program.ts";
export * from "./resident.ts";
export { instantiate } from "./executable.ts";
export type { Executable, HostData, HostRecord } from "./executable.ts";
export * from "./ops/crossEntropy.ts";
export * from "./ops/elementwise.ts";
export * from "./ops/embedding.ts";
export * from "./ops/layerNorm.ts";
export * from "./ops/matmul.ts";
export * from "./ops/normalize.ts";
export * from "./ops/optimizer.ts";
export * from "./ops/projection.ts";
export * from "./ops/reduce.ts";
export * from "./ops/softmax.ts";
export * from "./ops/window.ts";
