/** The pre-norm transformer block that a ViT and both towers of CLIP are stacks of: parameters, layers and forward pass under any names. */
import { add, gelu, quickGelu } from "../tensor/ops/elementwise.ts";
import { attentionScores, attentionValues } from "../tensor/ops/matmul.ts";
import { softmax } from "../tensor/ops/softmax.ts";
import { kept, type Tensor } from "../tensor/tensor.ts";
import type { Layer, Parameter } from "./network.ts";
import { norm, type Scope } from "./scope.ts";

/** The activation of the MLPs; `quick_gelu` is x · σ(1.702 x). */
export type Activation = "quick_gelu" | "gelu";

/** A stack of transformer blocks. */
export interface TowerConfig {
  readonly width: number;
  readonly mlpWidth: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly eps: number;
}

/** The kinds of the linear layers of a block. */
export const linears = ["q", "k", "v", "out", "fc1", "fc2"] as const;
type Linear = (typeof linears)[number];

/** The linear layers of attention. */
export const attentionLinears = ["q", "k", "v", "out"] as const satisfies readonly Linear[];

/** What an architecture calls the parts of its blocks. */
export interface BlockNames extends Readonly<Record<Linear | "norm1" | "norm2", string>> {
  /** The name of the tower. */
  readonly tower: string;
  /** What stands before the number of a block. */
  readonly at: string;
}

/** How blocks differ from one another: whether a token sees only those before it, and whether queries, keys and values have biases. */
export interface BlockOptions {
  readonly causal: boolean;
  readonly qkvBias: boolean;
}

const widths = (kind: Linear, { width, mlpWidth }: TowerConfig): { readonly in: number; readonly out: number } => ({
  in: kind === "fc2" ? mlpWidth : width,
  out: kind === "fc1" ? mlpWidth : width,
});

/** The linear layers of all blocks. */
export const blockLayers = (names: BlockNames, config: TowerConfig, { qkvBias }: Pick<BlockOptions, "qkvBias">): readonly Layer[] =>
  Array.from({ length: config.layers }, (_, depth) =>
    linears.map((kind): Layer => {
      const bias = qkvBias || !["q", "k", "v"].includes(kind);
      return { name: `${names.at}.${depth}.${names[kind]}`, tower: names.tower, kind, ...widths(kind, config), bias, depth };
    }),
  ).flat();

/** The two parameters of a layer norm. */
export const normParameters = (name: string, width: number): readonly Parameter[] => [
  { name: `${name}.weight`, shape: [width], initial: { value: 1 } },
  { name: `${name}.bias`, shape: [width], initial: { value: 0 } },
];

/** The weight and, where it has one, the bias of a linear layer; the deviation is that of the weight. */
const linearParameters = ({ name, in: columns, out, bias }: Layer, deviation: number): readonly Parameter[] => [
  { name: `${name}.weight`, shape: [out, columns], initial: { deviation } },
  ...(bias ? [{ name: `${name}.bias`, shape: [out], initial: { value: 0 } }] : []),
];

/** The parameters of all blocks, with the deviations that OpenAI's CLIP was drawn with. */
export const blockParameters = (names: BlockNames, config: TowerConfig, options: Pick<BlockOptions, "qkvBias">): readonly Parameter[] => {
  const layers = blockLayers(names, config, options);
  const residual = (2 * config.layers) ** -0.5;
  const deviation = (kind: string): number => {
    if (kind === "fc1") return (2 * config.width) ** -0.5;
    return config.width ** -0.5 * (kind === "out" || kind === "fc2" ? residual : 1);
  };
  return Array.from({ length: config.layers }, (_, depth) => {
    const block = layers.slice(depth * linears.length, (depth + 1) * linears.length);
    const of = (...kinds: readonly string[]): readonly Parameter[] =>
      block.filter((l) => kinds.includes(l.kind)).flatMap((l) => linearParameters(l, deviation(l.kind)));
    const at = `${names.at}.${depth}`;
    return [
      ...of("q", "k", "v", "out"),
      ...normParameters(`${at}.${names.norm1}`, config.width),
      ...of("fc1", "fc2"),
      ...normParameters(`${at}.${names.norm2}`, config.width),
    ];
  }).flat();
};

/** Runs all blocks on x [batch, tokens, width]: x + attention(norm(x)), then x + mlp(norm(x)). */
export const encoder = (scope: Scope, names: BlockNames, x: Tensor, config: TowerConfig, { causal }: Pick<BlockOptions, "causal">): Tensor => {
  const { width, heads, activation, eps } = config;
  const block = (before: Tensor, depth: number): Tensor => {
    const y = kept(before);
    const at = `${names.at}.${depth}`;
    const layer = (kind: Linear, input: Tensor): Tensor => scope.linear(`${at}.${names[kind]}`, input);
    const normed = norm(scope, `${at}.${names.norm1}`, y, eps);
    const [q, k, v] = (["q", "k", "v"] as const).map((kind) => layer(kind, normed));
    const weights = softmax(attentionScores(q, k, heads, (width / heads) ** -0.5), { causal });
    const attended = add(y, layer("out", attentionValues(weights, v, heads)));
    const hidden = layer("fc1", norm(scope, `${at}.${names.norm2}`, attended, eps));
    return add(attended, layer("fc2", activation === "gelu" ? gelu(hidden) : quickGelu(hidden)));
  };
  return Array.from({ length: config.layers }, (_, depth) => depth).reduce(block, x);
};
