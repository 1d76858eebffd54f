/**
 * Low-rank adapters: y = x Wᵀ + b + c · ((x Aᵀ) ⊙ g) Bᵀ, A [r, in], B [out, r], with the gates g [r] of CoDyRA, the frozen A of KeepLoRA and
 * InfLoRA, or the router and the counters of DAC's expert pool.
 */
import type { HostTensor } from "../../formats/hostTensor.ts";
import { random, type Random } from "../../random.ts";
import { layout, type Layout } from "../../tensor/layout.ts";
import { mul, sub } from "../../tensor/ops/elementwise.ts";
import { matmul } from "../../tensor/ops/matmul.ts";
import type { ModelConfig } from "../config.ts";
import { allLinears, both, modules, type Module, type ModuleKind, type Tower } from "../parameters.ts";
import type { Adapter, GroupValues } from "./adapter.ts";

/** The factor c of a module's update: one number, or a function of the module. */
export type Scale = number | { readonly name: string; readonly options: unknown; readonly of: (module: Module, config: ModelConfig) => number };

/** Options of {@link depthScale}. */
export interface DepthScaleOptions {
  /** The factor of the first block; that of the last is 1. Default 0.2. */
  readonly from?: number;
  /** The towers that are scaled by depth; others keep `base`. Default the vision tower, as in the authors' code. */
  readonly towers?: readonly Tower[];
  /** α/r. Default 1. */
  readonly base?: number;
}

/**
 * KeepLoRA++'s factor, which grows linearly with depth: base · (γ + (1 − γ) · l / (layers − 1)) (arXiv 2606.16256; METHODS.md B.2).
 *
 * ```ts
 * const vision = { width: 6, mlpWidth: 24, layers: 5, heads: 1, activation: "gelu", eps: 1e-5, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const config = { vision, embed: 6 };
 * assert.deepEqual(model.modules(config, ["q"]).map((module) => depthScale().of(module, config).toFixed(1)), ["0.2", "0.4", "0.6", "0.8", "1.0"]);
 * ```
 */
export const depthScale = ({ from = 0.2, towers = ["vision"], base = 1 }: DepthScaleOptions = {}): Exclude<Scale, number> => ({
  name: "depthScale",
  options: { from, towers, base },
  of: ({ tower, layer }, config) => {
    const layers = config[tower]?.layers ?? 1;
    return towers.includes(tower) && layers > 1 ? base * (from + ((1 - from) * layer) / (layers - 1)) : base;
  },
});

/** The directions of one module: A [at most r, in], and where B [out, r] starts, at 0 where that is not given. */
export interface ModuleDirections {
  readonly A: HostTensor;
  readonly B?: HostTensor;
}

/** Directions that were chosen beforehand, by module. */
export type Directions = ReadonlyMap<string, ModuleDirections>;

/** Options of all low-rank adapters. */
export interface LoraOptions {
  /** Rank of every module. Default 16. */
  readonly rank?: number;
  /** Default: all six linear layers of every block. */
  readonly modules?: readonly ModuleKind[];
  /** Default: both. */
  readonly towers?: readonly Tower[];
  /** The update is scaled by `scale`: CoDyRA uses 1, plain LoRA α/r. Default 1. */
  readonly scale?: Scale;
}

/** A that is chosen, not trained. Where a B is given the update is A (B − B₀), so that the model starts unchanged (KeepLoRA's first form, METHODS.md B.3.3). */
export interface FrozenA {
  readonly directions: Directions;
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

/** The groups that a low-rank adapter may have. `B0` is where B started, `counts` how often each component was voted for. */
type LowRankGroup = "A" | "B" | "gate" | "router" | "counts" | "B0";

/** What makes one low-rank adapter differ from another. */
interface Form {
  readonly name: string;
  readonly groups: readonly LowRankGroup[];
  readonly trained: readonly LowRankGroup[];
  readonly directions?: Directions;
  readonly gate?: GateInit;
}

const defaults = { rank: 16, modules: allLinears, towers: both, scale: 1 as Scale };

const scaleIn = (scale: Scale, module: Module, config: ModelConfig): number => (typeof scale === "number" ? scale : scale.of(module, config));

/** Fills rows of a flat group, a module at a time. */
const drawn = (all: readonly Module[], l: Layout, entriesAModule: number, draw: (module: Module, i: number) => (at: number) => number): Float32Array => {
  const flat = new Float32Array(l.length);
  l.entries.forEach(({ offset, shape }, entry) => {
    const next = draw(all[Math.floor(entry / entriesAModule)], entry);
    for (let j = 0, n = shape.reduce((a, b) => a * b, 1); j < n; j++) flat[offset + j] = next(j);
  });
  return flat;
};

/** U(−1/√in, 1/√in): Kaiming-uniform with a = √5, what torch gives to linear layers. */
const kaiming = ({ in: width }: Module, draw: Random): (() => number) => {
  const bound = width ** -0.5;
  return () => bound * (2 * draw.uniform() - 1);
};

const lowRank = (options: LoraOptions, form: Form): Adapter<LowRankGroup> => {
  const o = { ...defaults, ...options };
  const { directions, gate: gateInit, groups: names } = form;
  const modulesOf = (config: ModelConfig): readonly Module[] => modules(config, o.modules, o.towers);
  const layouts = (config: ModelConfig): Readonly<Record<LowRankGroup, Layout>> => {
    const all = modulesOf(config);
    const shapes: Readonly<Record<LowRankGroup, () => readonly (readonly [string, readonly number[]])[]>> = {
      A: () => all.map((m) => [m.name, [o.rank, m.in]]),
      B: () => all.map((m) => [m.name, [m.out, o.rank]]),
      B0: () => all.map((m) => [m.name, [m.out, o.rank]]),
      gate: () => all.map((m) => [m.name, [o.rank]]),
      router: () =>
        all.flatMap(
          (m) =>
            [
              [`${m.name}.weight`, [o.rank, m.in]],
              [`${m.name}.bias`, [o.rank]],
            ] as const,
        ),
      counts: () => all.map((m) => [m.name, [o.rank]]),
    };
    return Object.fromEntries(names.map((g) => [g, layout(shapes[g]())])) as Record<LowRankGroup, Layout>;
  };

  /** B at the start: zero, or the given one; columns beyond those given are zero. */
  const initialB = (all: readonly Module[], l: Layout): Float32Array =>
    drawn(all, l, 1, ({ name }) => {
      const given = directions?.get(name)?.B;
      if (given === undefined) return () => 0;
      const columns = given.shape[1];
      return (j) => (j % o.rank < columns ? given.data[Math.floor(j / o.rank) * columns + (j % o.rank)] : 0);
    });

  const initial = (config: ModelConfig, seed: number, task: number): GroupValues<LowRankGroup> => {
    const all = modulesOf(config);
    const l = layouts(config);
    const values: Readonly<Record<LowRankGroup, () => Float32Array>> = {
      A: () =>
        drawn(all, l.A, 1, (m, i) => {
          const given = directions?.get(m.name)?.A.data;
          return directions === undefined ? kaiming(m, random(seed, "lora A", task, i)) : (j) => given?.[j] ?? 0;
        }),
      B: () => initialB(all, l.B),
      B0: () => initialB(all, l.B0),
      gate: () =>
        drawn(all, l.gate, 1, (_, i) => {
          const draw = random(seed, "gates", task, i);
          return () => gateInit!.draw(draw);
        }),
      router: () => drawn(all, l.router, 2, (m, i) => kaiming(m, random(seed, "router", task, i))),
      counts: () => new Float32Array(l.counts.length),
    };
    return Object.fromEntries(names.map((g) => [g, values[g]()])) as Record<LowRankGroup, Float32Array>;
  };

  return {
    name: form.name,
    options: {
      ...o,
      ...(typeof o.scale === "number" ? {} : { scale: { [o.scale.name]: o.scale.options } }),
      ...(gateInit === undefined ? {} : { gate: gateInit.name }),
      ...(directions === undefined ? {} : { A: "frozen" }),
    },
    layouts,
    trained: form.trained,
    initial: (config, _, seed, task) => initial(config, seed, task),
    scope: (config, base, { A, B, gate, B0 }, { input, gates } = {}) => {
      const adapted = new Map(modulesOf(config).map((m) => [m.name, m]));
      return {
        param: base.param,
        linear: (name, x, ...updates) => {
          const module = adapted.get(name);
          if (module === undefined) return base.linear(name, x, ...updates);
          const own = input?.(module, x) ?? x;
          const down = matmul(own, A.get(name)!, { tb: true, scale: scaleIn(o.scale, module, config) });
          const factors = [gate?.get(name), gates?.(module, own)].filter((f) => f !== undefined);
          const q = B0 === undefined ? B.get(name)! : sub(B.get(name)!, B0.get(name)!);
          return base.linear(name, x, { p: factors.reduce(mul, down), q }, ...updates);
        },
      };
    },
    merge: (config, weights, { A, B, gate, B0 }) => {
      const l = layouts(config);
      const merged = new Map(weights);
      modulesOf(config).forEach((m, i) => {
        const name = `${m.name}.weight`;
        const base = weights.get(name)!;
        const data = base.data.slice();
        const scale = scaleIn(o.scale, m, config);
        const [a, b] = [l.A.entries[i].offset, l.B.entries[i].offset];
        const sums = new Float64Array(m.in);
        for (let row = 0; row < m.out; row++) {
          sums.fill(0);
          for (let r = 0; r < o.rank; r++) {
            const at = b + row * o.rank + r;
            const c = scale * (B[at] - (B0?.[at] ?? 0)) * (gate?.[l.gate.entries[i].offset + r] ?? 1);
            if (c === 0) continue;
            for (let column = 0; column < m.in; column++) sums[column] += c * A[a + r * m.in + column];
          }
          for (let column = 0; column < m.in; column++) data[row * m.in + column] = base.data[row * m.in + column] + sums[column];
        }
        merged.set(name, { shape: base.shape, data });
      });
      return merged;
    },
    ranks: (config, { B, gate, B0 }) => {
      const l = layouts(config);
      const ranks = Array.from({ length: o.rank }, (_, r) => r);
      /** A component lives by its gate, where it has one, or else by its column of B. */
      const lives =
        (i: number, m: Module) =>
        (r: number): boolean => {
          if (gate !== undefined) return gate[l.gate.entries[i].offset + r] !== 0;
          const { offset } = l.B.entries[i];
          for (let at = offset + r; at < offset + m.out * o.rank; at += o.rank) if (B[at] !== (B0?.[at] ?? 0)) return true;
          return false;
        };
      return new Map(modulesOf(config).map((m, i) => [m.name, ranks.filter(lives(i, m)).length]));
    },
  };
};

/** A frozen A, and B₀ where some B is given. */
const frozen = (directions: Directions): { readonly directions: Directions; readonly extra: readonly LowRankGroup[] } => ({
  directions,
  extra: [...directions.values()].some(({ B }) => B !== undefined) ? ["B0"] : [],
});

/**
 * LoRA (arXiv 2106.09685): y = x Wᵀ + b + scale · (x Aᵀ) Bᵀ. Groups: A [r, in], B [out, r]. With `directions` A is given and B alone is
 * trained (KeepLoRA, arXiv 2601.19659; InfLoRA, arXiv 2404.00228).
 */
export function lora(options: LoraOptions & FrozenA): Adapter<"A" | "B", "B">;
export function lora(options?: LoraOptions): Adapter<"A" | "B">;
export function lora({ directions, ...options }: LoraOptions & Partial<FrozenA> = {}): Adapter<any> {
  if (directions === undefined) return lowRank(options, { name: "lora", groups: ["A", "B"], trained: ["A", "B"] });
  return lowRank(options, { name: "lora", groups: ["A", "B", ...frozen(directions).extra], trained: ["B"], directions });
}

/** Options of {@link gatedLora}. */
export interface GatedLoraOptions extends LoraOptions {
  /** How the gates start. Default `normal(0, 1)`. */
  readonly gate?: GateInit;
}

/**
 * LoRA with a gate for every rank-1 component (CoDyRA, arXiv 2412.01004; METHODS.md A.2): y = x Wᵀ + b + scale · ((x Aᵀ) ⊙ g) Bᵀ.
 * Groups: A [r, in], B [out, r], gate [r]; with `directions` A is given. The effective rank of a module is the number of its gates that are not zero.
 */
export function gatedLora(options: GatedLoraOptions & FrozenA): Adapter<"A" | "B" | "gate", "B" | "gate">;
export function gatedLora(options?: GatedLoraOptions): Adapter<"A" | "B" | "gate">;
export function gatedLora({ gate = normal(0, 1), directions, ...options }: GatedLoraOptions & Partial<FrozenA> = {}): Adapter<any> {
  if (directions === undefined) return lowRank(options, { name: "gatedLora", groups: ["A", "B", "gate"], trained: ["A", "B", "gate"], gate });
  return lowRank(options, { name: "gatedLora", groups: ["A", "B", "gate", ...frozen(directions).extra], trained: ["B", "gate"], directions, gate });
}

/**
 * A LoRA read as r rank-1 experts (DAC, arXiv 2601.22828; METHODS.md C.2): beside A [r, in] and B [out, r] every module has a router, a linear
 * layer from its input to r scores, and counts [r] of the votes that each expert got. Without a stage that chooses, all experts are active.
 */
export const expertPool = (options: LoraOptions = {}): Adapter<"A" | "B" | "router" | "counts", "A" | "B" | "router"> =>
  lowRank({ rank: 12, scale: 1 / 12, ...options }, { name: "expertPool", groups: ["A", "B", "router", "counts"], trained: ["A", "B", "router"] }) as Adapter<
    any,
    any
  >;
