/**
 * Attention becomes one operation, forward and backward: its scores, softmax and values are traced one by one, and then need not lie in memory. It is found by
 * its softmax. Where something else reads the map of attention (a program that returns it, say), all stays as it is.
 *
 * On GPUs alone: the tiles are made for workgroup memory, and a CPU adapter waits at every barrier. There, too, the parts are faster where scores are neither
 * small nor large: an H200 takes 9.8 ms for the parts of a block of ViT-B/16 at batch 64 with their gradients, and 35.6 ms for the operation. A few queries, as
 * while generating, have no use for tiles.
 */
import { attentionFits } from "../../kernels/attention.ts";
import type { Bounds } from "../../kernels/bounds.ts";
import { attentionGradients, attentionOutputs, attentionShape, type AttentionOptions } from "../ops/attention.ts";
import { formOf } from "../ops/productRewrites.ts";
import { masksOf } from "../ops/softmax.ts";
import { reshape, size, type Applied, type Node, type Tensor } from "../tensor.ts";
import { graphOf, rewrite, type Graph, type Pass } from "./pass.ts";

/** Attention in a program: what it is of, and the nodes that give its results, without those that the program does not compute. */
interface Attention {
  readonly of: readonly [q: Tensor, k: Tensor, v: Tensor];
  readonly options: AttentionOptions;
  readonly values?: Node;
  /** The gradient of the values. */
  readonly dy?: Tensor;
  /** The gradients of q, k and v. */
  readonly gradients: readonly (Node | undefined)[];
}

/** The products around a softmax, and its gradient's. */
interface Parts {
  /** q kᵀ */
  readonly scores: Applied;
  /** p v */
  readonly values?: Applied;
  /** dp = dy vᵀ */
  readonly weights?: Applied;
  /** ds k, dsᵀ q, pᵀ dy */
  readonly gradients: readonly (Applied | undefined)[];
}

/** A test for products of such a form. */
const productIn =
  (layouts: string, ta: boolean, tb: boolean) =>
  (node: Node): node is Applied => {
    const form = formOf(node);
    return form?.layouts.join(" ") === layouts && form.ta === ta && form.tb === tb;
  };

/** A map of attention, the product of two operands that have heads. */
const isMap = productIn("split split heads", false, true);
/** A map times an operand that has heads. */
const isWeighted = productIn("heads split split", false, false);
const isTurned = productIn("heads split split", true, false);
const isSlopes = (node: Node): node is Applied => node.kind === "apply" && node.op.name === "softmax (gradient)";

/** The products around a softmax; undefined where anything else reads what lies between them. */
const partsOf = (softmax: Applied, graph: Graph): Parts | undefined => {
  const scores = softmax.inputs[0].node;
  const read = graph.readers(softmax);
  const [values, dv, slopes] = [read.filter(isWeighted), read.filter(isTurned), read.filter(isSlopes)];
  const weights = slopes.map(({ inputs }) => inputs[1].node);
  const further = slopes.flatMap(graph.readers);
  const [dq, dk] = [further.filter(isWeighted), further.filter(isTurned)];
  const alone =
    read.length === values.length + dv.length + slopes.length &&
    further.length === dq.length + dk.length &&
    [values, dv, slopes, dq, dk].every((some) => some.length <= 1) &&
    [scores, ...weights].every((node) => graph.readers(node).length === 1) &&
    ![scores, softmax, ...slopes, ...weights].some(graph.isResult);
  if (!alone || !isMap(scores) || !weights.every(isMap)) return undefined;
  return { scores, values: values[0], weights: weights[0], gradients: [dq[0], dk[0], dv[0]] };
};

/** The node with the whole of a gradient, like `t`: a product, or the sum of one over the heads that share keys. Undefined where something else reads that. */
const wholeOf = (node: Node, t: Tensor, graph: Graph): Node | undefined => {
  const isWhole = ({ outputs: [{ shape }] }: Node): boolean => size(shape) === size(t.shape);
  if (isWhole(node)) return node;
  const [reader, ...others] = graph.readers(node);
  const isSum = reader?.kind === "apply" && reader.op.name === "sum" && isWhole(reader);
  return isSum && others.length === 0 && !graph.isResult(node) ? reader : undefined;
};

const isSame = (a: Tensor, b: Tensor | undefined): boolean => a.node === b?.node && a.output === b.output;

/** The attention that a softmax belongs to. */
const attentionOf = (softmax: Node, graph: Graph): Attention | undefined => {
  const masks = masksOf(softmax);
  const parts = masks && partsOf(softmax as Applied, graph);
  if (parts === undefined) return undefined;
  const { scores, values, weights, gradients } = parts;
  const { heads, share = 1, scale } = formOf(scores)!;
  const [q, k] = scores.inputs;
  const v = (values ?? weights)?.inputs[1];
  if (v === undefined) return undefined;
  const dy = weights?.inputs[0] ?? gradients[2]?.inputs[1];
  const agrees = (node: Applied | undefined, by: number, other: Tensor | undefined): boolean =>
    node === undefined || (formOf(node)!.scale === by && isSame(node.inputs[1], other));
  const [dq, dk, dv] = gradients;
  const whole = gradients.map((node, i) => node && wholeOf(node, [q, k, v][i], graph));
  const fits =
    size(v.shape) === size(k.shape) &&
    [agrees(values, 1, v), agrees(weights, 1, v), agrees(dq, scale, k), agrees(dk, scale, q), agrees(dv, 1, dy)].every(Boolean) &&
    whole.every((node, i) => (node === undefined) === (gradients[i] === undefined));
  return fits ? { of: [q, k, v], options: { heads, keyHeads: heads / share, scale, ...masks }, values, dy, gradients: whole } : undefined;
};

type Moved = (t: Tensor) => Tensor;

/** A function that computes its value when it is called for the first time. */
const once = <A>(of: (moved: Moved) => A): ((moved: Moved) => A) => {
  let made: { readonly value: A } | undefined;
  return (moved) => (made ??= { value: of(moved) }).value;
};

/** What takes the places of the nodes of an attention, made when the first of them is rewritten. */
const replacements = ({ of, options, values, dy, gradients }: Attention): readonly (readonly [Node, (moved: Moved) => Tensor])[] => {
  const operands = (moved: Moved) => of.map(moved) as [Tensor, Tensor, Tensor];
  const moving = (moved: Moved): AttentionOptions => ({ ...options, starts: options.starts && moved(options.starts), at: options.at && moved(options.at) });
  const forward = once((moved) => attentionOutputs(...operands(moved), moving(moved)));
  const needed = gradients.map((node) => node !== undefined);
  const backward = once((moved) => attentionGradients(operands(moved), forward(moved), moved(dy!), moving(moved), needed));
  return [
    ...(values === undefined ? [] : [[values, (moved: Moved) => forward(moved)[0]] as const]),
    ...gradients.flatMap((node, i) => (node === undefined ? [] : [[node, (moved: Moved) => backward(moved)[i]!] as const])),
  ];
};

/** Queries from which on tiles of them pay: those of the smallest tile. */
const fewest = 8;

/** Bytes of scores below which starting the launches of the parts takes longer than computing them. */
const smallScores = 2 ** 20;

/** Scores are large where they take more than so many times the bytes of the queries: all else that a block keeps takes about thirteen times theirs. */
const largeRatio = 8;

/** Whether one operation is better than its parts: where their launches take longer than their sums, or their scores too much memory. */
const pays = ({ of, options }: Attention, bounds: Bounds): boolean => {
  const shape = attentionShape(...of, options);
  const { batch, heads, queries, keys, width } = shape;
  if (queries < fewest || !attentionFits(bounds, shape)) return false;
  const scores = batch * heads * queries * keys;
  return 4 * scores < smallScores || keys > largeRatio * width || scores > bounds.maxBinding;
};

/** Puts attention as one operation in the place of its parts, on GPUs, where their scores are small or large. */
export const fusedAttention: Pass = (program, bounds) => {
  if (bounds.adapter.kind !== "gpu") return program;
  const graph = graphOf(program);
  const found = program.schedule.flatMap((node) => attentionOf(node, graph) ?? []).filter((one) => pays(one, bounds));
  const instead = new Map(found.flatMap(replacements));
  return rewrite(program, (node, traced, { moved }) => {
    const tensor = instead.get(traced)?.(moved);
    return tensor && [reshape(tensor, node.outputs[0].shape)];
  });
};
