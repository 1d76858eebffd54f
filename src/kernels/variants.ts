/**
 * Which kernel, in which tile, for a product on an adapter.
 *
 * ```ts
 * matmulVariants(adapter, shape)[0] // the best guess; all of them give the same bits, so any may be taken for being fast
 * ```
 */
import type { Adapter } from "../device/device.ts";
import type { MatmulPlan, MatmulShape } from "./matmul.ts";
import { matrixPlans } from "./matrix.ts";
import { registerPlans } from "./registers.ts";
import { tilePlans } from "./tiles.ts";

/** The families of plans without matrix units, the likeliest to be fast first. */
const onCores = (adapter: Adapter, shape: MatmulShape, workgroupBytes?: number): readonly (() => readonly MatmulPlan[])[] => {
  const throughMemory = (): readonly MatmulPlan[] => tilePlans({ adapter, workgroupBytes }, shape);
  const inRegisters = (): readonly MatmulPlan[] => registerPlans(adapter, shape);
  // Plans in registers do not split.
  if (shape.parts !== undefined) return [throughMemory];
  // Barriers are dear where threads are emulated.
  return adapter.kind === "gpu" ? [throughMemory, inRegisters] : [inRegisters, throughMemory];
};

/**
 * The plans that the adapter can run for this shape, best guess first. They give the same bits: where the adapter has units for what may be multiplied in
 * f16, there are plans for these units alone. `workgroupBytes`: workgroup memory, default 16,384.
 */
export const matmulVariants = (adapter: Adapter, shape: MatmulShape, workgroupBytes?: number): readonly MatmulPlan[] => {
  const onUnits = matrixPlans({ adapter, workgroupBytes }, shape);
  return onUnits.length > 0 ? onUnits : onCores(adapter, shape, workgroupBytes).flatMap((plans) => plans());
};

/** The first of all plans, found without the others. */
export const bestGuess = (adapter: Adapter, shape: MatmulShape, workgroupBytes?: number): MatmulPlan => {
  const [onUnits, [likely, other]] = [matrixPlans({ adapter, workgroupBytes }, shape), onCores(adapter, shape, workgroupBytes)];
  return onUnits[0] ?? likely()[0] ?? other()[0];
};
