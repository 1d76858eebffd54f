/** Classifier heads that grow with the tasks: rows of their own for the classes of every task. */
import { random } from "../../random.ts";
import { layout, unflatten, type Layout } from "../../tensor/layout.ts";
import { add } from "../../tensor/ops/elementwise.ts";
import { linear, matmul } from "../../tensor/ops/matmul.ts";
import { normalize } from "../../tensor/ops/normalize.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Architecture } from "../architecture.ts";
import type { Network } from "../network.ts";
import type { Adapter, GroupViews, Head } from "./adapter.ts";

/** What kind of head, and where its rows start. */
interface HeadForm {
  readonly name: string;
  readonly options: unknown;
  readonly kind: Head["kind"];
  readonly classes: number;
  readonly scale: number;
  readonly start: (length: number, seed: number, task: number) => Float32Array;
  readonly logits: (rows: Tensor, bias: Tensor | undefined, features: Tensor, base: Tensor | undefined) => Tensor;
}

const withHead = <G extends string, T extends G>(adapter: Adapter<G, T>, form: HeadForm): Adapter<G | "head", T | "head"> => {
  const { classes, kind, scale } = form;
  const layoutOf = ({ width }: Network): Layout => layout([["rows", [classes, width]], ...(kind === "linear" ? [["bias", [classes]] as const] : [])]);
  return {
    ...adapter,
    name: form.name,
    options: { [adapter.name]: adapter.options, ...(form.options as object) },
    trained: [...adapter.trained, "head"],
    layouts: (net) => ({ ...adapter.layouts(net), head: layoutOf(net) }) as Record<G | "head", Layout>,
    initial: (net, weights, seed, task) => {
      const head = new Float32Array(layoutOf(net).length);
      head.set(form.start(classes * net.width, seed, task));
      return { ...adapter.initial(net, weights, seed, task), head } as Record<G | "head", Float32Array>;
    },
    logits: (groups: GroupViews<G | "head">, features, base) => form.logits(groups.head.get("rows")!, groups.head.get("bias"), features, base),
    head: (net, values: Readonly<Record<G | "head", Float32Array>>) => {
      const parts = unflatten(layoutOf(net), values.head);
      return { kind, scale, rows: parts.get("rows")!.data, bias: parts.get("bias")?.data ?? new Float32Array(classes) };
    },
  };
};

/**
 * An adapter with a linear classifier of a task's classes: logits = features · rowsᵀ + bias, rows from N(0, 0.02²), bias 0. For a ViT, which has no
 * text to tell classes by (METHODS.md D.3, E.4). Group: `head`.
 */
export const linearHead = <G extends string, T extends G>(
  classes: number,
  adapter: Adapter<G, T>,
  { deviation = 0.02 }: { readonly deviation?: number } = {},
): Adapter<G | "head", T | "head"> =>
  withHead(adapter, {
    name: "linearHead",
    options: { deviation },
    kind: "linear",
    classes,
    scale: 1,
    start: (length, seed, task) => {
      const draw = random(seed, "head", task);
      return Float32Array.from({ length }, () => deviation * draw.normal());
    },
    logits: (rows, bias, features) => linear(features, rows, bias),
  });

/**
 * An adapter with a cosine classifier beside the model's own logits: logits + scale · cos(features, rows), rows from `start` (KeepLoRA+: the class
 * means of unit features, METHODS.md B.3.8). Group: `head`.
 */
export const cosineHead = <G extends string, T extends G>(
  start: Float32Array,
  classes: number,
  adapter: Adapter<G, T>,
  { scale = 30 }: { readonly scale?: number } = {},
): Adapter<G | "head", T | "head"> =>
  withHead(adapter, {
    name: "cosineHead",
    options: { scale },
    kind: "cosine",
    classes,
    scale,
    start: () => start,
    logits: (rows, _, features, base) => {
      const cosines = matmul(normalize(features), normalize(rows), { tb: true, scale });
      return base === undefined ? cosines : add(base, cosines);
    },
  });

/** The adapter that tells a task's classes apart: with a {@link linearHead} where neither it nor the architecture has logits. */
export const classifying = (architecture: Architecture, classes: number, adapter: Adapter<any, any>): Adapter<any, any> =>
  architecture.decoder !== undefined || architecture.readout?.texts !== undefined || adapter.logits !== undefined ? adapter : linearHead(classes, adapter);

/** A head with the rows of another below its own. */
export const extendedHead = (head: Head | undefined, { rows, bias, ...rest }: Head): Head => ({
  ...rest,
  rows: Float32Array.from([...(head?.rows ?? []), ...rows]),
  bias: Float32Array.from([...(head?.bias ?? []), ...bias]),
});
