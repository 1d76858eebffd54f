/**
 * Symbolic tensors: nodes of an immutable expression graph.
 *
 * ```ts
 * interface Tensor { readonly shape: Shape; readonly dtype: Dtype; readonly node: Node; readonly output: number }
 * ```
 *
 * An operation does not compute; it returns a tensor that says how it would be computed. A whole training step is such a graph. It
 * is differentiated (`gradient.ts`), scheduled and planned (`program.ts`, `plan.ts`) once, and replayed (`executable.ts`).
 */
import type { Launch } from "../kernels/launch.ts";
import type { MatmulShape } from "../kernels/matmul.ts";
import type { Target } from "../kernels/target.ts";
import type { ProductBounds } from "../kernels/product.ts";

/** The bytes of an element, by its type. f16 is a way to store: frozen tensors as they are uploaded, values where passes say so; `widen` makes f32 of it. */
export const bytesOf = { f32: 4, u32: 4, f16: 2 } as const;
/** The type of a tensor's elements. */
export type Dtype = keyof typeof bytesOf;
/** Sizes along the axes, the last of which is contiguous; `[]` is one number. */
export type Shape = readonly number[];

/** What is known of a tensor before it has values. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: Dtype;
}

/** A symbolic tensor: an output of a node. */
export interface Tensor extends Spec {
  readonly node: Node;
  /** Which of the node's outputs this is. */
  readonly output: number;
}

/** Where a leaf's values come from: `frozen` is uploaded once, `state` is read and replaced by every run, `input` is written by every run. */
export type Role = "frozen" | "state" | "input";

/** What all nodes have: their outputs, and their numbers in the order in which they were made. */
interface Made {
  readonly outputs: readonly Spec[];
  readonly made: number;
}

/** A node of the graph that tracing builds. */
export type Node = Made &
  (
    | { readonly kind: "leaf"; readonly role: Role; readonly name: string }
    /** The same memory under another shape, from `offset` elements on; a detached one passes no gradient on, a kept one is a mark (see {@link kept}). */
    | { readonly kind: "view"; readonly of: Tensor; readonly offset: number; readonly detached?: true; readonly kept?: true }
    /** Tensors laid into one flat tensor at the given offsets; the gaps are zero. */
    | { readonly kind: "pack"; readonly parts: readonly Tensor[]; readonly offsets: readonly number[] }
    | { readonly kind: "apply"; readonly op: Op; readonly inputs: readonly Tensor[] }
  );

/** A node that an operation computes. */
export type Applied = Node & { readonly kind: "apply" };

/** The tensors that a node is made from. */
export const inputsOf = (node: Node): readonly Tensor[] => {
  switch (node.kind) {
    case "leaf":
      return [];
    case "view":
      return [node.of];
    case "pack":
      return node.parts;
    case "apply":
      return node.inputs;
  }
};

/** Gradients of a node's inputs, given those of its outputs; `undefined` is zero, or a gradient that nobody needs. */
export type Vjp = (outputs: readonly Tensor[], grads: readonly (Tensor | undefined)[], needed: readonly boolean[]) => readonly (Tensor | undefined)[];

/** How an operation is made again with f16 among what it reads and writes. Passes ask; nothing that is traced is stored so by itself. */
export interface Halves {
  /** The inputs that its kernels can read as f16, and the outputs that they can write so. */
  readonly inputs: readonly boolean[];
  readonly outputs: readonly boolean[];
  /** Whether these kernels run without `shader-f16`, too. */
  readonly everywhere?: true;
  /** The outputs of the operation on other inputs, stored as these types. */
  readonly of: (inputs: readonly Tensor[], outputs: readonly Dtype[]) => readonly Tensor[];
}

/** For each output of an operation the input whose memory it takes over, if it does. Such an input is bound as the output only. */
export type Over = readonly (number | undefined)[];

/** Elements that lie one behind the other. */
export interface Span {
  readonly first: number;
  readonly length: number;
}

/** What an operation is: its name, its kernels, its gradient. Attributes live in the closures. */
export interface Op {
  readonly name: string;
  readonly lower: (target: Target, over?: Over) => readonly Launch[];
  /** Tensors that its launches need between them, on a target. */
  readonly scratch?: (target: Target) => readonly Spec[];
  readonly vjp?: Vjp;
  /** For operations that update in place: the input that each output overwrites. Such inputs are bound as the outputs only. */
  readonly inPlace?: readonly number[];
  /** The inputs of which it reads an element only to compute the same element of its outputs: each output may take over the memory of one of them. */
  readonly sameElements?: readonly number[];
  /** The elements of each output that it writes. Between them stays what lay there: nobody may read that. Default: all. */
  readonly writes?: readonly Span[];
  /** The matrix products that its launches compute, within the bounds of a device. */
  readonly products?: (bounds: ProductBounds) => readonly MatmulShape[];
  /** Whether it is a pass or two over memory, which may cost less than to keep what it computes. */
  readonly cheap?: true;
  /** How it takes f16. Default: not at all. */
  readonly halves?: Halves;
  /** The first of the inputs, the last of them, that are read as exact as they can be: mixed precision rounds none of them. Default: all may be rounded. */
  readonly exactFrom?: number;
  /** What the op was made from, for rewrites that look at neighbours. */
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** Thrown while tracing and turned into a `ShapeMismatch` failure by `trace`. */
export class ShapeError extends Error {
  readonly op: string;
  readonly detail: string;

  constructor(op: string, detail: string) {
    super(`${op}: ${detail}`);
    this.op = op;
    this.detail = detail;
  }
}

/** Throws a {@link ShapeError} unless `condition` holds. */
export const check = (condition: boolean, op: string, detail: () => string): void => {
  if (!condition) throw new ShapeError(op, detail());
};

/** Elements of a shape. */
export const size = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);
/** Bytes of a tensor. */
export const byteSize = ({ shape, dtype }: Spec): number => bytesOf[dtype] * size(shape);
/** Whether two shapes are equal. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);
/** A spec for people, such as `f32[2, 3]`. */
export const show = (t: Spec): string => `${t.dtype}[${t.shape.join(", ")}]`;

/** The spec of a tensor of f32. */
export const floats = (shape: Shape): Spec => ({ shape, dtype: "f32" });
/** The spec of a tensor of u32. */
export const indices = (shape: Shape): Spec => ({ shape, dtype: "u32" });

/** The spec of a tensor that is stored as f16. */
export const halves = (shape: Shape): Spec => ({ shape, dtype: "f16" });

/** A node without its number. */
type Unmade<N> = N extends Node ? Omit<N, "made"> : never;

let nodes = 0;

/** Makes a node, and gives its outputs. */
const made = (node: Unmade<Node>): readonly Tensor[] => {
  const numbered = { ...node, made: nodes++ } as Node;
  return numbered.outputs.map((spec, output) => ({ ...spec, node: numbered, output }));
};

/** A tensor whose values come from outside. Only a frozen one may be of f16. */
export const leaf = (role: Role, name: string, spec: Spec): Tensor => {
  check(role === "frozen" || spec.dtype !== "f16", name, () => `${show(spec)} is a way to store frozen tensors, not a ${role}`);
  return made({ kind: "leaf", role, name, outputs: [spec] })[0];
};

/** All outputs of an operation applied to tensors. */
export const applyAll = (op: Op, inputs: readonly Tensor[], outputs: readonly Spec[]): readonly Tensor[] => {
  const half = inputs.find(({ dtype }, i) => dtype === "f16" && op.halves?.inputs[i] !== true);
  check(half === undefined, op.name, () => `${show(half!)} must be widened first`);
  return made({ kind: "apply", op, inputs, outputs });
};

/** The first output of an operation; the others serve its gradient. */
export const apply = (op: Op, inputs: readonly Tensor[], ...outputs: readonly Spec[]): Tensor => applyAll(op, inputs, outputs)[0];

/** The same values under another shape; costs nothing. */
export const reshape = (x: Tensor, shape: Shape): Tensor => {
  check(size(shape) === size(x.shape), "reshape", () => `${show(x)} cannot become [${shape.join(", ")}]`);
  return sameShape(shape, x.shape) ? x : view(x, 0, shape);
};

/** Parts of a tensor of four-byte elements start at multiples of this many, so that each can be bound on its own (256 bytes). */
export const alignment = 64;
/** `elements`, rounded up to a multiple of {@link alignment}. */
export const aligned = (elements: number): number => Math.ceil(elements / alignment) * alignment;

/** A part of a tensor's memory under a shape of its own; `offset` is a multiple of 64 elements, of 128 for f16. */
export const view = (x: Tensor, offset: number, shape: Shape): Tensor => {
  const step = (4 * alignment) / bytesOf[x.dtype];
  check(offset % step === 0, "view", () => `offset ${offset} is not a multiple of ${step}`);
  check(offset + size(shape) <= size(x.shape), "view", () => `[${shape.join(", ")}] at ${offset} leaves ${show(x)}`);
  return made({ kind: "view", of: x, offset, outputs: [{ shape, dtype: x.dtype }] })[0];
};

/** The same values, through which no gradient flows (a stop-gradient); costs nothing. The derivative of `x · detach(x)` is x. */
export const detach = (x: Tensor): Tensor => made({ kind: "view", of: x, offset: 0, detached: true, outputs: [{ shape: x.shape, dtype: x.dtype }] })[0];

/**
 * The same values, marked: where blocks are recomputed, these are kept for the backward pass, and all between them and the marks before is computed again.
 * Costs nothing.
 */
export const kept = (x: Tensor): Tensor => made({ kind: "view", of: x, offset: 0, kept: true, outputs: [{ shape: x.shape, dtype: x.dtype }] })[0];

/** Lays tensors into one flat tensor of `length` elements at `offsets` (multiples of 64); no copy where the parts are computed for it. */
export const pack = (parts: readonly Tensor[], offsets: readonly number[], length: number): Tensor => {
  parts.forEach((part) => check(part.dtype !== "f16", "pack", () => `${show(part)} must be widened first`));
  offsets.forEach((o) => check(o % alignment === 0, "pack", () => `offset ${o} is not a multiple of ${alignment}`));
  return made({ kind: "pack", parts, offsets, outputs: [floats([length])] })[0];
};
