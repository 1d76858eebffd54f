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

/**
 * The plans that the adapter can run for this shape, best guess first. They give the same bits: where the adapter has units for what may be multiplied in
 * f16, there are plans for these units alone. `workgroupBytes`: workgroup memory, default 16,384.
 */
export const matmulVariants = (adapter: Adapter, shape: MatmulShape, workgroupBytes?: number): readonly MatmulPlan[] => {
  const onUnits = matrixPlans({ adapter, workgroupBytes }, shape);
  if (onUnits.length > 0) return onUnits;
  const throughMemory = tilePlans({ adapter, workgroupBytes }, shape);
  // Plans in registers do not split.
  if (shape.parts !== undefined) return throughMemory;
  const inRegisters = registerPlans(adapter, shape);
  // Barriers are dear where threads are emulated.
  return adapter.kind === "gpu" ? [...throughMemory, ...inRegisters] : [...inRegisters, ...throughMemory];
};
