/** How much memory a page may take, and what a training needs of it. */
import { stepMemory, type Model, type StepMemory } from "../../mod.ts";
import { bytes } from "../../src/report/format.ts";
import type { Memory, Training } from "./protocol.ts";

/**
 * The bytes that a page should take on the device. A browser does not tell how much memory a GPU has: half of what it tells of the machine's own is taken for it,
 * and 4 GiB at most.
 */
export const availableBytes = (machine: number = ((globalThis as { navigator?: { deviceMemory?: number } }).navigator?.deviceMemory ?? 4) * 2 ** 30): number =>
  Math.min(machine / 2, 2 ** 32);

/** What was planned, by model, batch and classes: to plan a step takes a while. */
const planned = new WeakMap<Model, Map<string, StepMemory | undefined>>();

/** What a step needs of memory: `classes` are told apart, each by a text. Undefined where nothing of the model can be trained. */
export const needed = (model: Model, { batch }: Pick<Training, "batch">, classes: number, available: number): Memory | undefined => {
  const plans = planned.get(model) ?? new Map<string, StepMemory | undefined>();
  planned.set(model, plans);
  const key = `${batch}/${classes}`;
  if (!plans.has(key)) plans.set(key, stepMemory(model, { images: batch, texts: classes }));
  const step = plans.get(key);
  return step && { ...step, available };
};

/** Why a training does not fit, and what would; undefined where it fits. */
export const refusal = (model: Model, { batch }: Pick<Training, "batch">, classes: number, available: number): string | undefined => {
  const all = (n: number): number => {
    const memory = needed(model, { batch: n }, classes, available);
    return memory === undefined ? 0 : memory.weights + memory.rest;
  };
  if (all(batch) <= available) return undefined;
  const smaller = [2, 4, 8, 16, 32, 64].map((by) => Math.floor(batch / by)).filter((n) => n > 0);
  const fitting = smaller.find((n) => all(n) <= available);
  const instead =
    fitting === undefined
      ? "No batch of this model fits; take a smaller model, or the npm package, which may take more."
      : `A batch of ${fitting} fits: it needs ${bytes(all(fitting))}.`;
  return `A step with ${batch} pictures needs ${bytes(all(batch))}, and this page should take no more than ${bytes(available)}. ${instead}`;
};

/** Copies of a model's weights in f32 that the page holds: the model, what two methods make of it, and that of the device. */
const copies = 4;

/** Why a model of so many bytes of weights is not opened, before it is read; undefined where it is. */
export const tooLarge = (name: string, weights: number, available: number): string | undefined =>
  copies * weights <= available
    ? undefined
    : `${name} has ${bytes(weights)} of weights. The page holds ${copies} copies of them, and should take no more than ${bytes(available)}: ` +
      `a model of ${bytes(available / copies)} fits. The npm package may take more.`;
