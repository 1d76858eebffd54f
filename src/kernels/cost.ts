/**
 * What a launch costs: floating-point operations, and bytes that it reads and writes at least. Computed from its `Dims` and operands, so that a time beside it
 * says how far a kernel is from what the adapter can do.
 *
 * A sum, a product, a comparison, a root and an exponential count as one operation each, a fused product and sum as two; a function of elements counts as
 * one, arithmetic of whole numbers as none. Every operand is read or written once, however often a kernel visits it: caches may serve the rest.
 */
import type { LaunchCost } from "../device/profiling.ts";
import type { AttentionKernel } from "./attention.ts";
import type { Dims } from "./dims.ts";
import { mostOperands } from "./elementwise.ts";
import type { Kernel } from "./kernel.ts";
import type { LaunchOf } from "./launch.ts";
import type { Constants } from "./template.ts";

/** What a kernel costs for its `Dims`. */
interface KernelCost<K extends Kernel> {
  readonly flops: (dims: Dims<K>, constants: Constants) => number;
  /** Bytes, given those of the operands in the order of their bindings. Default: their sum. */
  readonly bytes?: (operands: readonly number[], dims: Dims<K>, constants: Constants) => number;
  /** The variant in words, where one kernel computes several things. */
  readonly form?: (constants: Constants, dims: Dims<K>) => string;
}

const total = (bytes: readonly number[]): number => bytes.reduce((sum, b) => sum + b, 0);

/** Each element costs `each`. */
const elements =
  (each: number) =>
  ({ count }: { readonly count: number }): number =>
    each * count;

/** Each element of a row costs `each`. */
const rows =
  (each: number) =>
  ({ rows: count, width }: { readonly rows: number; readonly width: number }): number =>
    each * count * width;

/** So many operands from a binding on are read and written. */
const updated =
  (binding: number, count: number) =>
  (operands: readonly number[]): number =>
    total(operands) + total(operands.slice(binding - 1, binding - 1 + count));

/** Constants that choose how a kernel computes, and not what. */
const layouts: ReadonlySet<string> = new Set(["GROUP", "SAME", "GAP", "PARTIAL", "STARTS", "AT", "KEEPS", "HALF", "X_HALF", "Y_HALF"]);

/** The constants that are set, as words. */
const named = (constants: Constants): string =>
  Object.entries(constants)
    .flatMap(([name, value]) => (value === true && !layouts.has(name) ? [name.toLowerCase().replaceAll("_", " ")] : []))
    .join(" ");

/** The words of a constant: the functions of an expression in their order, the numbers of its results. */
const wordsOf = (constant: Constants[string] | undefined): readonly string[] => (constant === undefined || constant === "" ? [] : String(constant).split(" "));

/** The first few of them in words. */
const shortened = (steps: readonly string[]): string => (steps.length <= 5 ? steps.join(" ") : `${steps.slice(0, 4).join(" ")} and ${steps.length - 4} more`);

type ProductDims = Pick<Dims<"matmul-tiled">, "m" | "n" | "k" | "r" | "batch">;

const product = {
  flops: ({ batch, m, n, k, r }: ProductDims, { BIAS, EPILOGUE, ADD }: Constants): number =>
    batch * m * n * (2 * (k + r) + [BIAS, EPILOGUE, ADD].filter((epilogue) => epilogue === true).length),
  form: ({ TA, TB, EPILOGUE, BIAS }: Constants, { r }: ProductDims): string =>
    [`${TA === true ? "T" : "N"}${TB === true ? "T" : "N"}`, r > 0 ? `rank ${r}` : "", BIAS === true ? "bias" : "", EPILOGUE === true ? "epilogue" : ""]
      .filter((word) => word !== "")
      .join(" "),
};

/** Each score of attention costs `products` products of the width of a head, forth or back, and `each` beside. A causal mask is not looked at. */
const scores = (products: number, each: number): KernelCost<AttentionKernel> => ({
  flops: ({ batch, heads, queries, keys, width }) => batch * heads * queries * keys * (2 * products * width + each),
  form: ({ CAUSAL }, { heads }) => `${heads} heads${CAUSAL === true ? ", causal" : ""}`,
});

/** What each kernel costs. A kernel that is missing here does not compile. */
export const costs: { readonly [K in Kernel]: KernelCost<K> } = {
  adamw: { flops: elements(15), bytes: updated(3, 3) },
  attention: scores(2, 6),
  "attention-grad-keys": scores(4, 5),
  "attention-grad-queries": scores(3, 5),
  "cross-entropy": { flops: rows(7) },
  "cross-entropy-grad": { flops: rows(6) },
  dropout: { flops: elements(1) },
  elementwise: {
    flops: ({ count }, { FORM }) => count * wordsOf(FORM).length,
    // Results that overwrite an operand are read and written.
    bytes: (operands, _, { OVER }) => total(operands) + total(wordsOf(OVER).map((result) => operands[mostOperands + Number(result)])),
    form: ({ FORM }) => shortened(wordsOf(FORM)),
  },
  fill: { flops: elements(0) },
  gather: { flops: elements(0), bytes: ([, index, out]) => index + 2 * out },
  "layer-norm": { flops: rows(7) },
  "layer-norm-grad": { flops: rows(10) },
  "layer-norm-grad-gain": { flops: rows(4) },
  links: { flops: elements(0) },
  "loss-scale": { flops: () => 4 },
  "matmul-registers": product,
  // Sums of the parts and what is computed of them; the products were counted with the parts.
  "matmul-parts": {
    flops: ({ batch, m, n, k, part }, { BIAS, EPILOGUE, ADD }) =>
      batch * m * n * (Math.ceil(k / part) - 1 + [BIAS, EPILOGUE, ADD].filter((epilogue) => epilogue === true).length),
  },
  "matmul-tiled": product,
  "matmul-matrix": product,
  normalize: { flops: rows(3) },
  "normalize-grad": { flops: rows(5) },
  patchify: { flops: elements(0) },
  project: { flops: ({ m, n, k }) => m * n * (2 * k + 1) },
  put: { flops: elements(0), bytes: ([x, at]) => 2 * x + at },
  reduce: { flops: ({ outer, groups, inner }) => outer * groups * inner, form: named },
  rotary: { flops: elements(6) },
  "scatter-add": { flops: elements(1), bytes: ([dy, index, next]) => 2 * dy + index + next },
  sgd: { flops: elements(7), bytes: updated(3, 2) },
  "soft-threshold": { flops: elements(2), bytes: updated(2, 1) },
  softmax: { flops: rows(6) },
  "softmax-grad": { flops: rows(5) },
  "token-log-likelihood": { flops: rows(4) },
  "token-log-likelihood-grad": { flops: elements(4) },
  "top-mask": { flops: ({ count, width }) => count * width },
  widen: { flops: elements(0) },
  window: { flops: elements(0), bytes: ([, y]) => 2 * y },
};

/** The sizes that people know a launch by: those of a product, of rows, of a sum, of attention, or a count of elements. */
const shapeOf = (dims: Readonly<Record<string, number>>): string => {
  const named = (...names: readonly string[]): string | undefined =>
    names.every((name) => name in dims) ? names.map((name) => dims[name]).join(" x ") : undefined;
  const shape =
    named("m", "n", "k") ??
    named("rows", "width") ??
    named("outer", "groups", "inner") ??
    named("count") ??
    named("queries", "keys", "width") ??
    Object.values(dims).join(" x ");
  return (dims.batch ?? 1) > 1 ? `${dims.batch} of ${shape}` : shape;
};

/** What a launch costs, whose operands have so many bytes in the order of the bindings; 0 where there is none. */
export const launchCost = <K extends Kernel>(
  { kernel, dims, constants }: Pick<LaunchOf<K>, "kernel" | "dims" | "constants">,
  operands: readonly number[],
): LaunchCost => {
  const cost = costs[kernel] as KernelCost<K>;
  const form = cost.form?.(constants, dims) ?? "";
  return {
    kernel,
    shape: [shapeOf(dims), form].filter((word) => word !== "").join(", "),
    flops: cost.flops(dims, constants),
    bytes: cost.bytes?.(operands, dims, constants) ?? total(operands),
  };
};
