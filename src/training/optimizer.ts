/** Optimisers: how gradients become new parameters. */
import { adamwUpdate, sgdUpdate } from "../tensor/ops/optimizer.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ScheduleOf } from "./schedule.ts";
import type { Tracing } from "./tracing.ts";
import type { Group } from "./trainee.ts";

/** What one optimiser does to one group of parameters. */
export interface Optimizer {
  readonly name: string;
  readonly options: unknown;
  readonly lr: ScheduleOf;
  readonly update: (
    tracing: Tracing,
    name: string,
    group: Group,
    gradient: Tensor,
  ) => { readonly flat: Tensor; readonly state: Readonly<Record<string, Tensor>> };
}

const described = ({ name, options }: ScheduleOf): object => ({ [name]: options });

/** Options of {@link adamW}: torch's defaults, but for the weight decay, which is 0. */
export interface AdamWOptions {
  readonly lr: ScheduleOf;
  /** The first may change from step to step, as in torch's one-cycle schedule. */
  readonly betas?: readonly [number | ScheduleOf, number];
  readonly eps?: number;
  readonly weightDecay?: number;
}

/** AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), as torch computes it. */
export const adamW = ({ lr, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamWOptions): Optimizer => ({
  name: "adamW",
  options: { lr: described(lr), betas: [typeof betas[0] === "number" ? betas[0] : described(betas[0]), betas[1]], eps, weightDecay },
  lr,
  update: (tracing, name, { flat }, gradient) => {
    // The kernel's betas are f32, and 1 - f32(0.9999) is off by 2e-4: the bias corrections are those of the same betas, in f64.
    const always = (value: number) => (): number => value;
    const first = typeof betas[0] === "number" ? always(betas[0]) : betas[0].of(tracing.steps, tracing.position);
    const beta1 = (t: number): number => Math.fround(first(t));
    const beta2 = Math.fround(betas[1]);
    const hyper = tracing.hyper("adamw", [
      lr.of(tracing.steps, tracing.position),
      beta1,
      always(beta2),
      always(eps),
      always(weightDecay),
      (t) => 1 - beta1(t) ** (t + 1),
      (t) => 1 - beta2 ** (t + 1),
      always(1),
    ]);
    const [m, v] = [tracing.state(`${name}.m`, flat.shape), tracing.state(`${name}.v`, flat.shape)];
    const [p, m2, v2] = adamwUpdate(gradient, hyper, flat, m, v, tracing.lossScale?.fine());
    return { flat: p, state: { [`${name}.m`]: m2, [`${name}.v`]: v2 } };
  },
});

/** Options of {@link sgd}. */
export interface SgdOptions {
  readonly lr: ScheduleOf;
  readonly momentum?: number;
  readonly weightDecay?: number;
}

/** Stochastic gradient descent with momentum, as torch computes it. */
export const sgd = ({ lr, momentum = 0, weightDecay = 0 }: SgdOptions): Optimizer => ({
  name: "sgd",
  options: { lr: described(lr), momentum, weightDecay },
  lr,
  update: (tracing, name, { flat }, gradient) => {
    const always = (value: number) => (): number => value;
    const hyper = tracing.hyper("sgd", [lr.of(tracing.steps, tracing.position), always(momentum), always(weightDecay), always(1)]);
    const [p, m] = sgdUpdate(gradient, hyper, flat, tracing.state(`${name}.m`, flat.shape), tracing.lossScale?.fine());
    return { flat: p, state: { [`${name}.m`]: m } };
  },
});
