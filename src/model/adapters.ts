/**
 * Adapters: what is trained beside, or inside, a frozen model.
 *
 * ```ts
 * interface Adapter<G extends string> { layouts; initial; scope; merge; ranks }
 * ```
 *
 * An adapter is a value. It lays its parameters out in named groups `G`, draws their initial values, decorates a {@link Scope} so that the
 * forward functions go through it, and folds trained values back into plain weights. A stage that needs a group says so by its name.
 */
import type { Tensors } from "../formats/hostTensor.ts";
import { random } from "../random.ts";
import { layout, unflatten, type Layout } from "../tensor/layout.ts";
import { mul } from "../tensor/ops/elementwise.ts";
import { linear, matmul } from "../tensor/ops/matmul.ts";
import { size, type Tensor } from "../tensor/tensor.ts";
import type { ClipConfig } from "./config.ts";
import { allLinears, both, modules, parameters, type Module, type ModuleKind, type Tower } from "./parameters.ts";
import { plainScope, type Scope } from "./transformer.ts";

/** Values of the groups of an adapter, each flat in its layout. */
export type GroupValues<G extends string> = Readonly<Record<G, Float32Array>>;

/** An adapter as data and pure functions: its parameters by group, how it changes a forward pass, how it merges. */
export interface Adapter<G extends string> {
  readonly name: string;
  readonly options: unknown;
  readonly layouts: (config: ClipConfig) => Readonly<Record<G, Layout>>;
  /** Initial values for a task, drawn from (seed, task). */
  readonly initial: (config: ClipConfig, weights: Tensors, seed: number, task: number) => GroupValues<G>;
  /** The scope with the adapter in it; `groups` holds the tensors of every layout by name. */
  readonly scope: (config: ClipConfig, base: Scope, groups: Readonly<Record<G, ReadonlyMap<string, Tensor>>>) => Scope;
  /** The weights with the adapter folded in, computed in f64 and rounded once; what the adapter does not touch is shared. */
  readonly merge: (config: ClipConfig, weights: Tensors, values: GroupValues<G>) => Tensors;
  /** The effective rank of every module, where that has a meaning. */
  readonly ranks: (config: ClipConfig, values: GroupValues<G>) => ReadonlyMap<string, number>;
}

/** Options of {@link lora} and {@link gatedLora}. */
export interface LoraOptions {
  /** Rank of every module. Default 16. */
  readonly rank?: number;
  /** Default: all six linear layers of every block. */
  readonly modules?: readonly ModuleKind[];
  /** Default: both. */
  readonly towers?: readonly Tower[];
  /** The update is scaled by `scale`: CoDyRA uses 1, plain LoRA α/r. Default 1. */
  readonly scale?: number;
}

/** How gates start. */
export interface GateInit {
  readonly name: string;
  readonly draw: (uniform: { readonly normal: () => number }) => number;
}

/** Gates from N(mean, deviation²): CoDyRA's start from N(0, 1), and half of them being small is what makes pruning find them (METHODS.md A.3). */
export const normal = (mean: number, deviation: number): GateInit => ({
  name: `normal(${mean}, ${deviation})`,
  draw: ({ normal: n }) => mean + deviation * n(),
});

/** Gates that all start at one value. */
export const constantGate = (value: number): GateInit => ({ name: `constant(${value})`, draw: () => value });

type LoraShape = Required<LoraOptions>;

const defaults: LoraShape = { rank: 16, modules: allLinears, towers: both, scale: 1 };

/** A [r, in], Kaiming-uniform with a = √5, which is U(−1/√in, 1/√in); B [out, r] zero. */
const initialA = (config: ClipConfig, o: LoraShape, l: Layout, seed: number, task: number): Float32Array => {
  const flat = new Float32Array(l.length);
  modules(config, o.modules, o.towers).forEach((m, i) => {
    const draw = random(seed, "lora A", task, i);
    const bound = m.in ** -0.5;
    const { offset } = l.entries[i];
    for (let j = 0; j < o.rank * m.in; j++) flat[offset + j] = bound * (2 * draw.uniform() - 1);
  });
  return flat;
};

const layoutsOf = (config: ClipConfig, o: LoraShape): Readonly<Record<"A" | "B" | "gate", Layout>> => {
  const all = modules(config, o.modules, o.towers);
  return {
    A: layout(all.map((m) => [m.name, [o.rank, m.in]])),
    B: layout(all.map((m) => [m.name, [m.out, o.rank]])),
    gate: layout(all.map((m) => [m.name, [o.rank]])),
  };
};

/** Adds scale · (B ⊙ g) A to the weights of every module; ranks whose gate is zero are skipped. */
const mergeLora = (config: ClipConfig, o: LoraShape, weights: Tensors, a: Float32Array, b: Float32Array, gates?: Float32Array): Tensors => {
  const layouts = layoutsOf(config, o);
  const merged = new Map(weights);
  modules(config, o.modules, o.towers).forEach((m, i) => {
    const name = `${m.name}.weight`;
    const base = weights.get(name)!;
    const data = base.data.slice();
    const [ao, bo, go] = [layouts.A.entries[i].offset, layouts.B.entries[i].offset, layouts.gate.entries[i].offset];
    const sums = new Float64Array(m.in);
    for (let row = 0; row < m.out; row++) {
      sums.fill(0);
      for (let r = 0; r < o.rank; r++) {
        const c = o.scale * b[bo + row * o.rank + r] * (gates === undefined ? 1 : gates[go + r]);
        if (c === 0) continue;
        for (let col = 0; col < m.in; col++) sums[col] += c * a[ao + r * m.in + col];
      }
      for (let col = 0; col < m.in; col++) data[row * m.in + col] = base.data[row * m.in + col] + sums[col];
    }
    merged.set(name, { shape: base.shape, data });
  });
  return merged;
};

/** A scope whose listed modules add `pair`'s low-rank product to their output. */
const withPairs = (base: Scope, all: readonly Module[], pair: (module: string, x: Tensor) => { readonly p: Tensor; readonly q: Tensor }): Scope => {
  const adapted = new Set(all.map((m) => m.name));
  return {
    param: base.param,
    linear: (module, x) =>
      adapted.has(module) ? linear(x, base.param(`${module}.weight`), base.param(`${module}.bias`), pair(module, x)) : base.linear(module, x),
  };
};

/** LoRA (arXiv 2106.09685): y = x Wᵀ + b + scale · (x Aᵀ) Bᵀ. Groups: A [r, in], B [out, r]. */
export const lora = (options: LoraOptions = {}): Adapter<"A" | "B"> => {
  const o = { ...defaults, ...options };
  return {
    name: "lora",
    options: o,
    layouts: (config) => {
      const { A, B } = layoutsOf(config, o);
      return { A, B };
    },
    initial: (config, _, seed, task) => {
      const { A, B } = layoutsOf(config, o);
      return { A: initialA(config, o, A, seed, task), B: new Float32Array(B.length) };
    },
    scope: (config, base, { A, B }) =>
      withPairs(base, modules(config, o.modules, o.towers), (m, x) => ({ p: matmul(x, A.get(m)!, { tb: true, scale: o.scale }), q: B.get(m)! })),
    merge: (config, weights, { A, B }) => mergeLora(config, o, weights, A, B),
    ranks: (config) => new Map(modules(config, o.modules, o.towers).map((m) => [m.name, o.rank])),
  };
};

/** Options of {@link gatedLora}. */
export interface GatedLoraOptions extends LoraOptions {
  /** How the gates start. Default `normal(0, 1)`. */
  readonly gate?: GateInit;
}

/**
 * LoRA with a gate for every rank-1 component (CoDyRA, arXiv 2412.01004; METHODS.md A.2): y = x Wᵀ + b + scale · ((x Aᵀ) ⊙ g) Bᵀ.
 * Groups: A [r, in], B [out, r], gate [r]. The effective rank of a module is the number of its gates that are not zero.
 */
export const gatedLora = (options: GatedLoraOptions = {}): Adapter<"A" | "B" | "gate"> => {
  const { gate = normal(0, 1), ...rest } = options;
  const o = { ...defaults, ...rest };
  return {
    name: "gatedLora",
    options: { ...o, gate: gate.name },
    layouts: (config) => layoutsOf(config, o),
    initial: (config, _, seed, task) => {
      const l = layoutsOf(config, o);
      const gates = new Float32Array(l.gate.length);
      l.gate.entries.forEach(({ offset }, i) => {
        const draw = random(seed, "gates", task, i);
        for (let j = 0; j < o.rank; j++) gates[offset + j] = gate.draw(draw);
      });
      return { A: initialA(config, o, l.A, seed, task), B: new Float32Array(l.B.length), gate: gates };
    },
    scope: (config, base, { A, B, gate: g }) =>
      withPairs(base, modules(config, o.modules, o.towers), (m, x) => ({
        p: mul(matmul(x, A.get(m)!, { tb: true, scale: o.scale }), g.get(m)!),
        q: B.get(m)!,
      })),
    merge: (config, weights, { A, B, gate: gates }) => mergeLora(config, o, weights, A, B, gates),
    ranks: (config, { gate: gates }) =>
      new Map(layoutsOf(config, o).gate.entries.map(({ name, shape, offset }) =>
        [name, gates.subarray(offset, offset + size(shape)).reduce((n, g) => n + (g === 0 ? 0 : 1), 0)])),
  };
};

/** All parameters of the model, trained in place of the frozen ones: full fine-tuning and pre-training. Group: `weights`. */
export const allParameters = (): Adapter<"weights"> => {
  const layoutOf = (config: ClipConfig): Layout => layout(parameters(config));
  return {
    name: "allParameters",
    options: {},
    layouts: (config) => ({ weights: layoutOf(config) }),
    initial: (config, weights) => {
      const l = layoutOf(config);
      const flat = new Float32Array(l.length);
      l.entries.forEach(({ name, offset }) => flat.set(weights.get(name)!.data, offset));
      return { weights: flat };
    },
    scope: (_, __, { weights }) => plainScope((name) => weights.get(name)!),
    merge: (config, weights, values) => new Map([...weights, ...unflatten(layoutOf(config), values.weights)]),
    ranks: () => new Map(),
  };
};
