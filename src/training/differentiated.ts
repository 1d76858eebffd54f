/** The loss of a batch and its gradients; of a batch that is computed in parts, the sums of theirs. */
import type { Part } from "../model/part.ts";
import { partials, sumOfPartials } from "../tensor/gradient.ts";
import { add } from "../tensor/ops/elementwise.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { differentiatedByFeatures, type Differentiated } from "./gradientCache.ts";
import { comparesExamples, evaluateObjective, type Objective } from "./objective.ts";
import type { Tracing } from "./tracing.ts";
import { encodeBatch, type Trainee } from "./trainee.ts";

const ofPart = (objective: Objective<any>, trainee: Trainee, tracing: Tracing, part: Part, wrt: readonly Tensor[]): Differentiated => {
  const { loss, terms } = evaluateObjective(objective, encodeBatch(trainee, tracing, part));
  return { loss, terms, gradients: partials(tracing.lossScale?.scaled(loss) ?? loss, wrt) };
};

/** Both together: the losses of parts, and their gradients, are parts of those of the batch. Terms of parameters alone are in the first part. */
export const both = (a: Differentiated, b: Differentiated): Differentiated => {
  const [ofA, ofB] = [new Map(a.terms), new Map(b.terms)];
  return {
    loss: add(a.loss, b.loss),
    terms: [
      ...a.terms.map(([name, value]) => [name, ofB.has(name) ? add(value, ofB.get(name)!) : value] as const),
      ...b.terms.filter(([name]) => !ofA.has(name)),
    ],
    gradients: sumOfPartials(a.gradients, b.gradients),
  };
};

/**
 * Evaluates an objective on the batch of a trainee, part by part, with its gradients with respect to tensors. What one part computes is done, and its memory
 * free, before the next one begins, as steps run in the order in which they are traced. Where the objective compares the examples of parts, these are computed
 * twice. Throws a `ShapeError` where the model or the batch is none for the objective.
 */
export const differentiated = (objective: Objective<any>, trainee: Trainee, tracing: Tracing, wrt: readonly Tensor[]): Differentiated => {
  const [first, ...others] = trainee.parts;
  if (others.length > 0 && comparesExamples(objective, encodeBatch(trainee, tracing, first))) return differentiatedByFeatures(objective, trainee, tracing, wrt);
  return others.reduce((sums, part) => both(sums, ofPart(objective, trainee, tracing, part, wrt)), ofPart(objective, trainee, tracing, first, wrt));
};
