/**
 * The traced tensor language under one name: tensors, operations with their gradients, programs, and their execution.
 *
 * ```ts
 * const program = tensor.trace({ inputs: { x: tensor.floats([3]) } }, ({ inputs: { x } }) => {
 *   const y = tensor.sum(tensor.square(x));
 *   return { _tag: "Right", right: { outputs: { y, dx: tensor.gradient(y, [x])[0] } } };
 * });
 * assert.ok(program._tag === "Right");
 * const dx = await withDevice({})((device) => async () => {
 *   const bound = await tensor.instantiate(device, program.right)();
 *   if (bound._tag === "Left") return bound;
 *   bound.right.run({ x: Float32Array.of(1, 2, 3) });
 *   return bound.right.read("dx")();
 * })();
 * assert.ok(dx._tag === "Right");
 * assert.deepEqual([...dx.right], [2, 4, 6]);
 * ```
 */
export * from "./tensor.ts";
export * from "./gradient.ts";
export * from "./layout.ts";
export * from "./program.ts";
export * from "../device/resident.ts";
export { compute } from "./compute.ts";
export { instantiate } from "./executable.ts";
export type { Executable } from "./executable.ts";
export type { HostData, HostRecord } from "./replay.ts";
export * from "./session.ts";
export { profile, profiling } from "./profile.ts";
export type { KernelProfile, Profile, ProfileOptions, Profiling, ProgramProfile } from "./profile.ts";
export { peakOf } from "./peak.ts";
export type { Peak } from "./peak.ts";
export type { Leaves } from "./leaves.ts";
export { flashAttention } from "./ops/attention.ts";
export type { AttentionOptions } from "./ops/attention.ts";
export * from "./ops/crossEntropy.ts";
export * from "./ops/dropout.ts";
export * from "./ops/elementwise.ts";
export * from "./ops/embedding.ts";
export * from "./ops/layerNorm.ts";
export * from "./ops/matmul.ts";
export * from "./ops/normalize.ts";
export * from "./ops/optimizer.ts";
export type { Positions } from "./ops/positions.ts";
export * from "./ops/projection.ts";
export * from "./ops/put.ts";
export * from "./ops/reduce.ts";
export * from "./ops/replaceRows.ts";
export * from "./ops/rotary.ts";
export * from "./ops/select.ts";
export * from "./ops/softmax.ts";
export * from "./ops/tokenLogLikelihood.ts";
export * from "./ops/widen.ts";
export * from "./ops/window.ts";
