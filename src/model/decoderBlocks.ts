/** The pre-norm block that decoders of Llama's kind are stacks of: rms norms, rotary positions, grouped attention, a gated MLP. */
import { add, swiglu } from "../tensor/ops/elementwise.ts";
import { rmsNorm } from "../tensor/ops/layerNorm.ts";
import { attentionScores, attentionValues } from "../tensor/ops/matmul.ts";
import { rotary } from "../tensor/ops/rotary.ts";
import { softmax } from "../tensor/ops/softmax.ts";
import { kept, type Tensor } from "../tensor/tensor.ts";
import type { KeyValueCache } from "./architecture.ts";
import type { Layer, Parameter } from "./network.ts";
import type { Scope } from "./scope.ts";

/** The kinds of the linear layers of a block. */
export const decoderLinears = ["q", "k", "v", "out", "gate", "up", "down"] as const;

/** A kind of the linear layers of a block. */
export type DecoderLinear = (typeof decoderLinears)[number];

/** A stack of blocks. */
export interface DecoderConfig {
  readonly width: number;
  readonly mlpWidth: number;
  readonly layers: number;
  /** How many heads ask. */
  readonly heads: number;
  /** How many heads have keys and values: each serves `heads / keyHeads` that ask. */
  readonly keyHeads: number;
  /** The width of a head, which is even. */
  readonly headWidth: number;
  readonly eps: number;
  /** The base of the rotary frequencies. */
  readonly theta: number;
  /** The linear layers that have biases. */
  readonly biased: readonly DecoderLinear[];
}

const onDisk: Readonly<Record<DecoderLinear, string>> = {
  q: "self_attn.q_proj",
  k: "self_attn.k_proj",
  v: "self_attn.v_proj",
  out: "self_attn.o_proj",
  gate: "mlp.gate_proj",
  up: "mlp.up_proj",
  down: "mlp.down_proj",
};

const widths = (kind: DecoderLinear, { width, mlpWidth, heads, keyHeads, headWidth }: DecoderConfig): { readonly in: number; readonly out: number } => {
  switch (kind) {
    case "q":
      return { in: width, out: heads * headWidth };
    case "k":
    case "v":
      return { in: width, out: keyHeads * headWidth };
    case "out":
      return { in: heads * headWidth, out: width };
    case "gate":
    case "up":
      return { in: width, out: mlpWidth };
    case "down":
      return { in: mlpWidth, out: width };
  }
};

/** The deviation that decoders are drawn with. */
export const decoderInitial = { deviation: 0.02 };

/** The one parameter of a rms norm. */
export const rmsParameter = (name: string, width: number): Parameter => ({ name: `${name}.weight`, shape: [width], initial: { value: 1 } });

/** The linear layers of a block in the tower `language`; `at` stands before its number. */
const layersAt = (at: string, config: DecoderConfig, depth: number): readonly Layer[] =>
  decoderLinears.map((kind) => ({
    name: `${at}.${depth}.${onDisk[kind]}`,
    tower: "language",
    kind,
    ...widths(kind, config),
    bias: config.biased.includes(kind),
    depth,
  }));

/** The linear layers of all blocks, in the tower `language`; `at` stands before the number of a block. */
export const decoderLayers = (at: string, config: DecoderConfig): readonly Layer[] =>
  Array.from({ length: config.layers }, (_, depth) => layersAt(at, config, depth)).flat();

/** The parameters of all blocks; `at` stands before the number of a block. */
export const decoderParameters = (at: string, config: DecoderConfig): readonly Parameter[] =>
  Array.from({ length: config.layers }, (_, depth): readonly Parameter[] => [
    ...layersAt(at, config, depth).flatMap(({ name, in: columns, out, bias }): readonly Parameter[] => [
      { name: `${name}.weight`, shape: [out, columns], initial: decoderInitial },
      ...(bias ? [{ name: `${name}.bias`, shape: [out], initial: { value: 0 } }] : []),
    ]),
    rmsParameter(`${at}.${depth}.input_layernorm`, config.width),
    rmsParameter(`${at}.${depth}.post_attention_layernorm`, config.width),
  ]).flat();

/** The rms norm of the given name. */
export const rms = (scope: Scope, name: string, x: Tensor, eps: number): Tensor => rmsNorm(x, scope.param(`${name}.weight`), eps);

/** Which tokens of a run there are: `starts` u32 [texts] says how many of padding stand before the first of each text; `cache` keeps those of earlier runs. */
export interface Places {
  readonly starts?: Tensor;
  readonly cache?: KeyValueCache;
}

/** Runs all blocks on x [texts, length, width]: x + attention(norm(x)), then x + mlp(norm(x)); no token sees a later one, or padding. */
export const decode = (scope: Scope, at: string, x: Tensor, config: DecoderConfig, { starts, cache }: Places = {}): Tensor => {
  const { heads, keyHeads, headWidth, eps, theta } = config;
  const places = { starts, at: cache?.at };
  const block = (before: Tensor, depth: number): Tensor => {
    const y = kept(before);
    const layer = (kind: DecoderLinear, input: Tensor): Tensor => scope.linear(`${at}.${depth}.${onDisk[kind]}`, input);
    const normed = rms(scope, `${at}.${depth}.input_layernorm`, y, eps);
    const queries = rotary(layer("q", normed), heads, { theta, ...places });
    const own = { keys: rotary(layer("k", normed), keyHeads, { theta, ...places }), values: layer("v", normed) };
    const { keys, values } = cache === undefined ? own : cache.extend(depth, own.keys, own.values);
    const weights = softmax(attentionScores(queries, keys, heads, headWidth ** -0.5, keyHeads), { causal: true, ...places });
    const attended = add(y, layer("out", attentionValues(weights, values, heads, keyHeads)));
    const inner = rms(scope, `${at}.${depth}.post_attention_layernorm`, attended, eps);
    return add(attended, layer("down", swiglu(layer("gate", inner), layer("up", inner))));
  };
  return Array.from({ length: config.layers }, (_, depth) => depth).reduce(block, x);
};
