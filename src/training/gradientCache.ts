/**
 * The gradient of a loss that compares the examples of a batch with one another, where the batch is computed in parts: gradient caching (Gao et al., 2021,
 * "Scaling deep contrastive learning batch size under memory limited setup").
 *
 * First the features of every part are computed, and nothing else of these forward passes is kept. The loss of the batch is a function of all features; its
 * gradient with respect to them is the cache. Then every part is computed once more, and the gradients of the parameters follow from the cached ones by the
 * chain rule. What reads nothing of a part, such as the tower of the texts, is computed once, with the loss. That is about a third more work than the batch at
 * once, and the same result to rounding.
 */
import { lazily, type Outputs } from "../model/architecture.ts";
import { wholeBatch, type Part } from "../model/part.ts";
import { partials, sumOfPartials, topological } from "../tensor/gradient.ts";
import { add, mul } from "../tensor/ops/elementwise.ts";
import { sum } from "../tensor/ops/reduce.ts";
import { pad, slice } from "../tensor/ops/window.ts";
import { detach, type Tensor } from "../tensor/tensor.ts";
import { evaluateObjective, type Objective } from "./objective.ts";
import { checkUndivided } from "./parts.ts";
import type { Tracing } from "./tracing.ts";
import { encodeBatch, type Trainee } from "./trainee.ts";

/** What an objective gives: the loss, its terms by name, and gradients, undefined where it does not depend on a tensor. */
export interface Differentiated {
  readonly loss: Tensor;
  readonly terms: readonly (readonly [string, Tensor])[];
  /** Where the tracing has a scale of the loss, those of the scaled loss. */
  readonly gradients: readonly (Tensor | undefined)[];
}

/** The features of parts as those of the batch, with gradients that end there. */
const together = (ofParts: readonly Tensor[], parts: readonly Part[]): Tensor => {
  const { first, examples } = parts[parts.length - 1];
  const placed = ofParts.map((features, i) => pad(features, 0, parts[i].first, first + examples - parts[i].first - parts[i].examples));
  return detach(placed.reduce(add));
};

/** Whether a tensor depends on inputs of the batch that its parts have of their own, beside those through detached features. */
const reads = (t: Tensor, inputs: ReadonlySet<string>): boolean =>
  topological([t]).some((node) => node.kind === "leaf" && node.role === "input" && inputs.has(node.name));

/**
 * Evaluates an objective on the features of all parts of a trainee's batch, with its gradients with respect to tensors. Throws a `ShapeError` where the loss is
 * a function of more than the features of examples.
 */
export const differentiatedByFeatures = (objective: Objective<any>, trainee: Trainee, tracing: Tracing, wrt: readonly Tensor[]): Differentiated => {
  const { parts, network, batch } = trainee;
  const towers = Object.values(network.towers).filter(({ inputs }) => inputs.some(parts[0].splits));
  const names = towers.map(({ output }) => output);
  // A part that is computed again is a new object, so that dropout draws for it what it drew before.
  const featuresOf = (part: Part): Outputs => encodeBatch(trainee, tracing, { ...part }).outputs;

  const ofParts = parts.map((part) => {
    const outputs = featuresOf(part);
    return names.map((name) => outputs[name]);
  });
  const features = names.map((_, i) =>
    together(
      ofParts.map((all) => all[i]),
      parts,
    ),
  );

  const outputs = Object.fromEntries(names.map((name, i) => [name, features[i]]));
  // A teacher's features are computed part by part, too, where the loss asks for them.
  const taught = (teacher: "before" | "original"): Outputs => {
    const features = (name: string): Tensor =>
      together(
        parts.map((part) => encodeBatch(trainee, tracing, part)[teacher][name]),
        parts,
      );
    return lazily(Object.fromEntries(names.map((name) => [name, () => features(name)])));
  };
  const given = { outputs, before: taught("before"), original: taught("original") };
  const { loss, terms } = evaluateObjective(objective, encodeBatch(trainee, tracing, wholeBatch(batch), given));
  const own = new Set(towers.flatMap(({ inputs }) => inputs.filter(parts[0].splits)));
  if (reads(loss, own)) checkUndivided(objective.name, parts[0], "it compares the examples of a batch with one another by more than their features");
  const gradients = partials(tracing.lossScale?.scaled(loss) ?? loss, [...features, ...wrt]);
  const cache = gradients.slice(0, names.length);

  const chained = parts.map((part) => {
    const outputs = featuresOf(part);
    // The gradient of this number is the chain rule: that of the features is what was cached.
    const inner = names.flatMap((name, i) => {
      const cached = cache[i];
      return cached === undefined ? [] : [sum(mul(outputs[name], detach(slice(cached, 0, part.first, part.examples))))];
    });
    return inner.length === 0 ? wrt.map(() => undefined) : partials(inner.reduce(add), wrt);
  });
  return { loss, terms, gradients: chained.reduce(sumOfPartials, gradients.slice(names.length)) };
};
