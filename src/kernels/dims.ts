/** The uniform of a kernel, its `Dims`: values by name on one side, words in the order of the WGSL struct on the other. */
import { fields } from "../../wgsl/generated.ts";
import type { Kernel } from "./kernel.ts";

/** The values of a kernel's `Dims`, by the names of its fields. */
export type Dims<K extends Kernel> = { readonly [F in keyof (typeof fields)[K]]: number };

/** The kernels whose `Dims` have a field of that name. */
export type KernelWith<Field extends string> = { [K in Kernel]: Field extends keyof (typeof fields)[K] ? K : never }[Kernel];

const setters = { u32: "setUint32", i32: "setInt32", f32: "setFloat32" } as const;

/** Bytes of a kernel's uniform: a multiple of 16. */
export const dimsBytes = (kernel: Kernel): number => 16 * Math.ceil(Object.keys(fields[kernel]).length / 4);

/** Writes the `Dims` of a kernel into a view at a byte offset. */
export const writeDims = <K extends Kernel>(view: DataView, offset: number, kernel: K, dims: Dims<K>): void => {
  const values: Readonly<Record<string, number>> = dims;
  Object.entries(fields[kernel]).forEach(([name, type], i) => view[setters[type]](offset + 4 * i, values[name], true));
};
