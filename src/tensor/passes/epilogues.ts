/**
 * Element-wise operations that read a matrix product become its epilogue: activations and their gradients, gates, the sum with a residual or with another
 * gradient. The product is then never written for them to read, and where nothing else reads it, it is not written at all. One product gives two results at
 * most: its own value and that of an operation, or those of two operations.
 *
 * On CPU adapters an activation that alone reads a product is all: launches cost little there, and compiling one more text of a product takes a second.
 */
import type { Bounds } from "../../kernels/bounds.ts";
import type { Meeting } from "../../kernels/elementwise.ts";
import type { Epilogue, ProductMeeting } from "../../kernels/epilogue.ts";
import { expressionOf } from "../../kernels/expression.ts";
import { computationOf } from "../ops/expression.ts";
import { recipeOf } from "../ops/product.ts";
import { withEpilogue } from "../ops/productRewrites.ts";
import type { Program } from "../program.ts";
import { inputsOf, reshape, type Node, type Tensor } from "../tensor.ts";
import { rewrite, type Graph, type Pass } from "./pass.ts";
import { readersOf, source } from "./views.ts";

/** What an operation reads beside a product, and how that meets the product's elements. */
type Extra = readonly [t: Tensor, meeting: ProductMeeting];

/** The columns of a product's matrices; those of heads that lie beside one another are not those of its value, which has none then. */
const columnsOf = (product: Node): number | undefined => {
  const { form, shape } = recipeOf(product)!;
  return form.layouts[2] === "split" && form.heads > 1 ? undefined : shape[shape.length - 1];
};

const meetingOf = (meeting: Meeting, columns: number | undefined): ProductMeeting | undefined => {
  if (meeting === "same") return "same";
  if (meeting.gap !== undefined) return undefined;
  if (meeting.mod === 1) return "one";
  return meeting.div === 1 && meeting.mod === columns ? "column" : undefined;
};

/** What an operation reads beside a product that may compute it; undefined where it may not. `isThere` says what is there before the product. */
const extrasOf = (product: Node, reader: Node, graph: Graph, isThere: (node: Node) => boolean): readonly Extra[] | undefined => {
  const computation = computationOf(reader);
  // A value that is computed again would be kept from the forward pass on, which is what that avoids.
  if (computation === undefined || reader.outputs.length > 1 || reader.outputs[0].dtype !== "f32" || graph.isRecomputed(reader)) return undefined;
  const columns = columnsOf(product);
  const read = inputsOf(reader).map((t, i): readonly [Tensor, ProductMeeting | undefined] => [t, meetingOf(computation.meetings[i], columns)]);
  const fits = read.every(([t, meeting]) => {
    if (source(t).node === product) return meeting === "same";
    return meeting !== undefined && t.dtype === "f32" && isThere(t.node);
  });
  return fits ? read.filter((extra): extra is Extra => source(extra[0]).node !== product) : undefined;
};

/** What a product computes beside its sums: the operations whose values become its outputs, the product's own value among them where it is undefined. */
interface Fusion {
  readonly outputs: readonly (Node | undefined)[];
  readonly epilogue: Epilogue;
  readonly extras: readonly Tensor[];
}

const fusionOf = (product: Node, outputs: readonly (Node | undefined)[], extras: ReadonlyMap<Node, readonly Extra[]>): Fusion => {
  const read = outputs.flatMap((reader) => (reader === undefined ? [] : extras.get(reader)!));
  const all = expressionOf(1 + read.length);
  let next = 1;
  const values = outputs.map((reader) => {
    if (reader === undefined) return 0;
    const of = inputsOf(reader).map((t) => (source(t).node === product ? 0 : next++));
    return all.append(computationOf(reader)!.expression, of)[0];
  });
  return { outputs, epilogue: { expression: all.whole(values), operands: read.map(([, meeting]) => meeting) }, extras: read.map(([t]) => t) };
};

/** What a product may compute of those that read it. */
const chosen = (product: Node, graph: Graph, isThere: (node: Node) => boolean): Fusion | undefined => {
  const readers = [...new Set(readersOf(product, graph))];
  const extras = new Map(
    readers.flatMap((reader) => {
      const found = extrasOf(product, reader, graph, isThere);
      return found === undefined ? [] : [[reader, found] as const];
    }),
  );
  if (extras.size === 0) return undefined;
  const parts = [...extras.keys()];
  const alone = parts.length === readers.length && parts.length <= 2 && !graph.isResult(product);
  return fusionOf(product, alone ? parts : [undefined, parts[0]], extras);
};

const once = (program: Program, bounds: Bounds): Program => {
  const at = new Map(program.schedule.map((node, i) => [node, i]));
  const fused = new Map<Node, Tensor>();
  return rewrite(program, (node, traced, graph) => {
    const ready = fused.get(traced);
    if (ready !== undefined) return [reshape(ready, traced.outputs[0].shape)];
    if (traced.kind !== "apply" || traced.op.name !== "matmul" || traced.outputs.length > 1) return undefined;
    const fusion = chosen(traced, graph, (other) => (at.get(other) ?? -1) < at.get(traced)!);
    if (bounds.adapter.kind === "cpu" && (fusion?.outputs.length !== 1 || fusion.extras.length > 0)) return undefined;
    const outputs = fusion && withEpilogue(node, fusion.epilogue, fusion.extras.map(graph.moved), bounds);
    if (outputs === undefined) return undefined;
    fusion!.outputs.forEach((reader, i) => reader && fused.set(reader, outputs[i]));
    // Nothing reads the product's own value where it is not among the outputs.
    return [outputs[0]];
  });
};

/** Operations in a chain that one product may compute, at most. */
const longest = 4;

/** Lets products compute what element-wise operations make of them. */
export const productEpilogues: Pass = (program, bounds) => {
  let now = program;
  for (let i = 0; i < longest; i++) {
    const next = once(now, bounds);
    if (next === now) break;
    now = next;
  }
  return now;
};
