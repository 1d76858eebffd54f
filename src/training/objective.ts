/** Losses as functions of encoded batches. */
import type { Outputs } from "../model/architecture.ts";
import { add, affine, constant, mul, scale as scaled, square, sub } from "../tensor/ops/elementwise.ts";
import { crossEntropy } from "../tensor/ops/crossEntropy.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { sum as total } from "../tensor/ops/reduce.ts";
import { softmax } from "../tensor/ops/softmax.ts";
import { check, type Tensor } from "../tensor/tensor.ts";
import type { Encoded } from "./trainee.ts";

/** One loss of an objective. */
export interface Term {
  readonly name: string;
  /** The outputs of the model that it is a function of, beside the logits. */
  readonly outputs: readonly string[];
  readonly loss: (e: Encoded) => Tensor;
  /** Whether it is a term of a batch. Default: of every one. */
  readonly counts?: (e: Encoded) => boolean;
  /** Whether it compares the examples of a batch with one another. */
  readonly compares: (e: Encoded) => boolean;
}

/**
 * A loss with a name: one number from an encoded batch. `N` names what it needs: groups that an adapter must have (`"gate"`), and outputs that the
 * architecture must give (`"output:logitsPerText"`).
 */
export interface Objective<N extends string = never> {
  readonly name: string;
  readonly terms: readonly Term[];
  /** Never present; carries `N` in the type. */
  readonly needs?: N;
}

/**
 * What a loss is a sum over, which says what becomes of it where a batch is computed in parts. `examples`: the images or texts of the batch, each on its own;
 * the losses of parts add up. `parameters`: nothing of the batch; it counts once. `batch`: it may compare the examples of a batch with one another, so it is
 * computed of the features of all parts, which are then computed twice (`gradientCache.ts`).
 */
export type Over = "examples" | "parameters" | "batch";

/** The need of an output of the model. */
export type OutputNeed<O extends string = string> = `output:${O}`;

/** The outputs that needs name, as an architecture gives them. */
export type OutputsFor<N> = { readonly [K in N as K extends OutputNeed<infer O> ? O : never]: Tensor };

/**
 * An objective of one term, which is a function of the named outputs of the model beside its logits. One that is over `examples` divides by the sizes of
 * `batch`, which are those of the whole batch also where `accumulate` has it computed in parts; one that is over the `batch` costs about a third more there.
 */
export const objective = <N extends string = never, O extends string = never>(
  name: string,
  loss: (e: Encoded) => Tensor,
  outputs: readonly O[] = [],
  over: Over = "batch",
): Objective<N | OutputNeed<O>> => {
  const term: Term = { name, outputs, loss, compares: () => over === "batch" };
  return { name, terms: [over === "parameters" ? { ...term, counts: ({ part }) => (part?.index ?? 0) === 0 } : term] };
};

/**
 * Mean over images of the cross-entropy of their logits over the texts of the batch (CoDyRA's L_i, METHODS.md A.3; the local cross-entropy of
 * METHODS.md B.3.4 and D.3).
 */
export const imageToText: Objective = objective(
  "imageToText",
  ({ logits, targets, batch }) => total(crossEntropy(logits, targets), 1 / batch.images),
  [],
  "examples",
);

/**
 * {@link imageToText} with smoothed labels, as torch computes it: the share `smoothing` of every target is spread evenly over all K texts of the batch,
 * T'_ij = (1 − s) T_ij + s / K.
 *
 * ```ts
 * assert.equal(smoothedImageToText(0.2).name, "smoothedImageToText(0.2)");
 * ```
 */
export const smoothedImageToText = (smoothing: number): Objective =>
  objective(
    `smoothedImageToText(${smoothing})`,
    ({ logits, targets, batch }) => total(crossEntropy(logits, affine(targets, 1 - smoothing, smoothing / batch.texts)), 1 / batch.images),
    [],
    "examples",
  );

/**
 * Cross-entropy of every text over the images of the batch, with the targets as they are (multi-hot, not normalised), divided by the number of
 * all texts, those of earlier tasks included (CoDyRA's L_t, METHODS.md A.3). Texts of earlier tasks have no target in the batch, so
 * their rows are 0 and need not be computed. The logits are the model's own, without a head's.
 */
export const textToImage: Objective<OutputNeed<"logitsPerText">> = objective(
  "textToImage",
  ({ outputs, transposedTargets, batch }) => total(crossEntropy(outputs.logitsPerText, transposedTargets), 1 / (batch.texts + batch.previous)),
  ["logitsPerText"],
);

/** The needs of objectives. */
type NeedsOf<O> = O extends Objective<infer N> ? N : never;

/**
 * The sum of objectives; each is recorded under its name.
 *
 * ```ts
 * const both = sum(imageToText, weighted(0.5, textToImage));
 * assert.equal(both.name, "sum(imageToText, 0.5 · textToImage)");
 * ```
 */
export const sum = <O extends readonly Objective<any>[]>(...objectives: O): Objective<NeedsOf<O[number]>> => ({
  name: `sum(${objectives.map((o) => o.name).join(", ")})`,
  terms: objectives.flatMap((o) => o.terms),
});

/** An objective times a factor. */
export const weighted = <N extends string>(factor: number, o: Objective<N>): Objective<N> => ({
  name: `${factor} · ${o.name}`,
  terms: o.terms.map(({ loss, ...term }) => ({ ...term, loss: (e) => scaled(loss(e), factor) })),
});

/** The mean of both directions (CLIP's own loss; with the soft targets of `encode`'s texts per image DAC's task loss, METHODS.md C.3.1). */
export const contrastive: Objective<OutputNeed<"logitsPerText">> = { ...sum(weighted(0.5, imageToText), weighted(0.5, textToImage)), name: "contrastive" };

/** Options of the distillations. */
export interface DistillationOptions {
  /** The model before the task, or the model before the first task, which `merge` keeps where it is asked to. Default `before`. */
  readonly teacher?: "before" | "original";
  /** What the logits of teacher and student are divided by; the loss is multiplied with its square. Default 2. */
  readonly temperature?: number;
}

/** The outputs of a CLIP that distillations compare. */
const compared = ["imageEmbeds", "textEmbeds", "logitScale"] as const;

/** T² Σ CE(student / T, softmax(teacher / T)) over the rows, divided by how many the whole batch has. */
const softened = (teacher: Tensor, student: Tensor, rows: number, t: number): Tensor =>
  total(crossEntropy(scaled(student, 1 / t), softmax(scaled(teacher, 1 / t))), (t * t) / rows);

/** The similarities of unit features, as logits of `a` over `b`. */
const similarities = (a: Tensor, b: Tensor, { logitScale }: Outputs): Tensor => mul(matmul(a, b, { tb: true }), logitScale);

type Compared = OutputNeed<(typeof compared)[number]>;

/**
 * Distils what every image is like among the texts of the batch from an earlier model: T² times the mean over images of the cross-entropy of the student's
 * logits / T under the teacher's softmax. The texts are the teacher's on both sides, so images are what is taught (ZSCL, arXiv 2303.06628; METHODS.md H.3).
 */
export const imageToTextDistillation = ({ teacher = "before", temperature = 2 }: DistillationOptions = {}): Objective<Compared> =>
  objective(
    "imageToTextDistillation",
    ({ outputs, [teacher]: taught, batch }) => {
      const of = (images: Tensor): Tensor => similarities(images, taught.textEmbeds, taught);
      return softened(of(taught.imageEmbeds), of(outputs.imageEmbeds), batch.images, temperature);
    },
    compared,
    "examples",
  );

/** The other direction of {@link imageToTextDistillation}: what every text is like among the images of the batch. */
export const textToImageDistillation = ({ teacher = "before", temperature = 2 }: DistillationOptions = {}): Objective<Compared> =>
  objective(
    "textToImageDistillation",
    ({ outputs, [teacher]: taught, batch }) => {
      const of = (images: Tensor): Tensor => similarities(taught.textEmbeds, images, taught);
      return softened(of(taught.imageEmbeds), of(outputs.imageEmbeds), batch.texts, temperature);
    },
    compared,
  );

/**
 * The squared distance of what is trained in full from the model before the task, Σ (θ − θ₀)² over all its parameters: weight consolidation. Of low-rank
 * adapters it is that of the products, Σ ‖B A‖².
 */
export const consolidation: Objective = objective(
  "consolidation",
  ({ trainee: { groups }, tracing }) => {
    const squares = [
      ...[...(groups.weights?.views ?? [])].map(([name, view]) => total(square(sub(view, tracing.frozen(name, view.shape))))),
      // ‖B A‖² is the inner product of BᵀB and A Aᵀ, which are small.
      ...[...(groups.A?.views ?? [])].map(([name, a]) => {
        const b = groups.B.views.get(name)!;
        return total(mul(matmul(b, b, { ta: true }), matmul(a, a, { tb: true })));
      }),
    ];
    return squares.length === 0 ? constant(0, []) : squares.reduce(add);
  },
  [],
  "parameters",
);

const lacking = ({ outputs }: Term, e: Pick<Encoded, "outputs">): string | undefined => outputs.find((name) => !(name in e.outputs));

/** Throws a `ShapeError` where a network of a kind lacks an output that a term needs. */
export const checkOutputs = (term: Term, network: string, outputs: Outputs): void => {
  const output = lacking(term, { outputs });
  const detail = (): string => `it needs ${output}, which a ${network} does not give; a ${network} gives ${Object.keys(outputs).join(", ")}`;
  check(output === undefined, term.name, detail);
};

/** An objective whose terms are 0 where the architecture lacks an output that they need: what matches texts is 0 for a model without texts. */
export const ifGiven = <N extends string>({ name, terms }: Objective<N>): Objective<Exclude<N, OutputNeed>> => ({
  name,
  terms: terms.map((term) => {
    const isGiven = (e: Encoded): boolean => lacking(term, e) === undefined;
    return { ...term, outputs: [], loss: (e) => (isGiven(e) ? term.loss(e) : constant(0, [])), compares: (e) => isGiven(e) && term.compares(e) };
  }),
});

/** The mean negative log-likelihood of the tokens of a batch's answers: the loss of language models. */
export const answers: Objective<OutputNeed<"answerLoss">> = objective("answers", ({ outputs }) => outputs.answerLoss, ["answerLoss"], "examples");

/** Whether a batch is one of questions, whose answers are words. */
const isAnswered = ({ outputs }: Encoded): boolean => "answerLoss" in outputs;

/**
 * An objective of images and classes that stands for the loss of answers where tasks are answered in words: a method that is made of it runs on both.
 *
 * ```ts
 * assert.equal(unlessAnswers(imageToText).name, "imageToText");
 * ```
 */
export const unlessAnswers = <N extends string>({ name, terms }: Objective<N>): Objective<Exclude<N, OutputNeed>> => {
  const either = (list: readonly Term[], answered: boolean): readonly Term[] =>
    list.map((term) => ({ ...term, outputs: [], counts: (e) => isAnswered(e) === answered && (term.counts?.(e) ?? true) }));
  return { name, terms: [...either(terms, false), ...either(answers.terms, true)] };
};

/** Images to texts, and texts to images where the architecture has texts (CoDyRA's loss, METHODS.md A.3); of answered tasks the loss of their answers. */
export const matching: Objective = unlessAnswers(ifGiven(sum(imageToText, textToImage)));

const countingTerms = ({ terms }: Objective<any>, e: Encoded): readonly Term[] => terms.filter(({ counts }) => counts?.(e) ?? true);

/** Whether an objective compares the examples of a batch with one another, so that the losses of its parts do not add up to that of the batch. */
export const comparesExamples = (o: Objective<any>, e: Encoded): boolean => countingTerms(o, e).some(({ compares }) => compares(e));

/** The sum of an objective's terms of a batch, and each by name. Throws a `ShapeError` where the model lacks an output that a term needs. */
export const evaluateObjective = (o: Objective<any>, e: Encoded): { readonly loss: Tensor; readonly terms: readonly (readonly [string, Tensor])[] } => {
  const values = countingTerms(o, e).map((term) => {
    checkOutputs(term, e.trainee.network.name, e.outputs);
    return [term.name, term.loss(e)] as const;
  });
  return { terms: values, loss: values.length === 0 ? constant(0, []) : values.map(([, t]) => t).reduce(add) };
};
