/** Many small tensors in one flat buffer, so that one kernel updates them all. */
import { aligned, size, view, type Shape, type Tensor } from "./tensor.ts";

/** One tensor of a {@link Layout}; `offset` in elements, a multiple of 64. */
export interface Entry {
  readonly name: string;
  readonly shape: Shape;
  readonly offset: number;
}

/** Named tensors laid one behind the other; the gaps between them are zero. */
export interface Layout {
  readonly entries: readonly Entry[];
  readonly length: number;
}

/** Lays tensors of these shapes one behind the other, each at a multiple of 64 elements. */
export const layout = (shapes: Iterable<readonly [string, Shape]>): Layout => {
  const entries: Entry[] = [];
  let length = 0;
  for (const [name, shape] of shapes) {
    entries.push({ name, shape, offset: length });
    length += aligned(size(shape));
  }
  return { entries, length };
};

/** Numbers that are trained: without the gaps. */
export const elementsOf = (l: Layout): number => l.entries.reduce((n, e) => n + size(e.shape), 0);

/** The flat buffer of named tensors. */
export const flatten = (l: Layout, values: (name: string) => Float32Array): Float32Array => {
  const flat = new Float32Array(l.length);
  for (const { name, offset } of l.entries) flat.set(values(name), offset);
  return flat;
};

/** The named tensors of a flat buffer: copies. */
export const unflatten = (l: Layout, flat: Float32Array): ReadonlyMap<string, { readonly shape: Shape; readonly data: Float32Array }> =>
  new Map(l.entries.map(({ name, shape, offset }) => [name, { shape, data: flat.slice(offset, offset + size(shape)) }]));

/** Symbolic views of a symbolic flat buffer. */
export const views = (l: Layout, flat: Tensor): ReadonlyMap<string, Tensor> =>
  new Map(l.entries.map(({ name, shape, offset }) => [name, view(flat, offset, shape)]));
