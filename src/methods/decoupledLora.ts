/** Directions and magnitudes apart. */
import type { HostTensor } from "../formats/hostTensor.ts";
import { layout, unflatten, type Layout } from "../tensor/layout.ts";
import { mul, sub } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { slice } from "../tensor/ops/window.ts";
import { reshape } from "../tensor/tensor.ts";
import { layersOf, type Layer, type LayerChoice, type Network } from "../model/network.ts";
import type { Adapter } from "../model/adapters/adapter.ts";
import { lora } from "../model/adapters/lora.ts";

/** The direction B A that a task found in a module, and the factor that it has in the weights now. */
export interface Direction {
  readonly A: HostTensor;
  readonly B: HostTensor;
  readonly factor: number;
}

/** Directions of all past tasks, in order, by module. */
export type PastDirections = ReadonlyMap<string, readonly Direction[]>;

/** Options of {@link decoupledLora}. */
export interface DecoupledLoraOptions {
  /** Default 10. */
  readonly rank?: number;
  /** Default: queries and values. */
  readonly modules?: LayerChoice["modules"];
  readonly towers?: LayerChoice["towers"];
  /** Where every magnitude starts, in every task. Default 0.8. */
  readonly magnitude?: number;
}

type Group = "A" | "B" | "alpha" | "pastA" | "pastB" | "spread" | "factors";

const frobenius = ({ data }: HostTensor): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));

/** 1 / (‖B‖ ‖A‖), or 0 for a direction that is zero. */
const unit = ({ A, B }: Direction): number => {
  const norm = frobenius(A) * frobenius(B);
  return norm > 0 ? 1 / norm : 0;
};

/** The factors that the directions of a module have with given magnitudes: α_i / (‖B_i‖ ‖A_i‖). */
export const factorsOf = (directions: readonly Direction[], alpha: ArrayLike<number>): readonly number[] => directions.map((d, i) => alpha[i] * unit(d));

/**
 * The adapter of SD-LoRA (arXiv 2501.13198; METHODS.md H): ΔW = Σ_{i<t} α_i B_i A_i / (‖B_i‖ ‖A_i‖) + α_t B_t A_t. Earlier directions are frozen; A_t, B_t
 * and all magnitudes α [t] are trained. The weights hold the earlier directions already, so that what is added to a module's output is what the magnitudes
 * change of them.
 */
export const decoupledLora = (
  past: PastDirections,
  { rank = 10, modules: kinds = ["q", "v"], towers = "all", magnitude = 0.8 }: DecoupledLoraOptions = {},
): Adapter<"A" | "B" | "alpha"> => {
  const newest = lora({ rank, modules: kinds, towers });
  const modulesOf = (net: Network): readonly Layer[] => layersOf(net, { modules: kinds, towers });
  const before = (name: string): readonly Direction[] => past.get(name) ?? [];
  const older = (name: string): number => before(name).reduce((n, { A }) => n + A.shape[0], 0);
  const any = [...past.values()].some((list) => list.length > 0);
  const layouts = (net: Network): Readonly<Record<Group, Layout>> => {
    const all = modulesOf(net);
    const of = (shape: (m: Layer) => readonly number[]): Layout => layout(all.map((m) => [m.name, shape(m)]));
    const tasks = (m: Layer): number => before(m.name).length + 1;
    return {
      ...newest.layouts(net),
      alpha: of((m) => [tasks(m)]),
      // Which ranks are of which task, and what one unit of magnitude is worth: the last task's direction is not normalised.
      spread: of((m) => [tasks(m), older(m.name) + rank]),
      factors: of((m) => [1, older(m.name) + rank]),
      ...(any ? { pastA: of((m) => [older(m.name), m.in]), pastB: of((m) => [m.out, older(m.name)]) } : {}),
    } as Readonly<Record<Group, Layout>>;
  };
  /** The frozen groups of one module. */
  const frozen = (name: string, { out }: Layer): Readonly<Record<"spread" | "factors" | "pastA" | "pastB", Float32Array>> => {
    const list = before(name);
    const ranks = older(name) + rank;
    const [spread, factors] = [new Float32Array((list.length + 1) * ranks), new Float32Array(ranks)];
    const pastB = new Float32Array(out * older(name));
    list.reduce((at, d, i) => {
      const r = d.A.shape[0];
      spread.fill(unit(d), i * ranks + at, i * ranks + at + r);
      factors.fill(d.factor, at, at + r);
      d.B.data.forEach((x, j) => (pastB[Math.floor(j / r) * older(name) + at + (j % r)] = x));
      return at + r;
    }, 0);
    spread.fill(1, list.length * ranks + older(name));
    return { spread, factors, pastA: Float32Array.from(list.flatMap(({ A }) => [...A.data])), pastB };
  };
  return {
    name: "decoupledLora",
    options: { rank, modules: kinds, towers, magnitude },
    layouts,
    trained: ["A", "B", "alpha"],
    initial: (net, weights, seed, task) => {
      const l = layouts(net);
      const values: Record<string, Float32Array> = { ...newest.initial(net, weights, seed, task) };
      const given = new Map(modulesOf(net).map((m) => [m.name, frozen(m.name, m)]));
      for (const group of ["spread", "factors", ...(any ? (["pastA", "pastB"] as const) : [])] as const) {
        values[group] = new Float32Array(l[group].length);
        l[group].entries.forEach(({ name, offset }) => values[group].set(given.get(name)![group], offset));
      }
      values.alpha = new Float32Array(l.alpha.length);
      l.alpha.entries.forEach(({ offset, shape: [tasks] }) => values.alpha.fill(magnitude, offset, offset + tasks));
      return values as Record<Group, Float32Array>;
    },
    scope: (net, base, groups) => {
      const { A, B, alpha, spread, factors, pastA, pastB } = groups as typeof groups & Readonly<Record<Group, typeof groups.A>>;
      const adapted = new Set(modulesOf(net).map((m) => m.name));
      return {
        ...base,
        linear: (name, x, ...updates) => {
          if (!adapted.has(name)) return base.linear(name, x, ...updates);
          const magnitudes = alpha.get(name)!;
          const change = sub(matmul(reshape(magnitudes, [1, magnitudes.shape[0]]), spread.get(name)!), factors.get(name)!);
          const part = (start: number, length: number) => reshape(slice(change, 1, start, length), [length]);
          const own = { p: mul(matmul(x, A.get(name)!, { tb: true }), part(older(name), rank)), q: B.get(name)! };
          if (older(name) === 0) return base.linear(name, x, own, ...updates);
          const earlier = { p: mul(matmul(x, pastA.get(name)!, { tb: true }), part(0, older(name))), q: pastB.get(name)! };
          return base.linear(name, x, own, earlier, ...updates);
        },
      };
    },
    merge: (net, weights, { A, B, alpha }) => {
      const l = layouts(net);
      const [rows, columns, magnitudes] = [unflatten(l.A, A), unflatten(l.B, B), unflatten(l.alpha, alpha)];
      const merged = new Map(weights);
      for (const { name, in: width } of modulesOf(net)) {
        const base = weights.get(`${name}.weight`)!;
        const list = before(name);
        const a = magnitudes.get(name)!.data;
        const now = factorsOf(list, a);
        const terms = [...list.map((d, i) => ({ ...d, factor: now[i] - d.factor })), { A: rows.get(name)!, B: columns.get(name)!, factor: a[list.length] }];
        const sums = Float64Array.from(base.data);
        for (const {
          A: {
            shape: [r],
            data: left,
          },
          B: { data: right },
          factor,
        } of terms) {
          for (let i = 0; i < sums.length; i++) {
            const [row, column] = [Math.floor(i / width), i % width];
            for (let k = 0; k < r; k++) sums[i] += factor * right[row * r + k] * left[k * width + column];
          }
        }
        merged.set(`${name}.weight`, { shape: base.shape, data: Float32Array.from(sums) });
      }
      return merged;
    },
    ranks: (net) => new Map(modulesOf(net).map(({ name }) => [name, older(name) + rank])),
  };
};
