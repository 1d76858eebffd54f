/** Compositions that cannot work do not type-check; their valid neighbours do; and what the compiler says names what is missing. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { attentionLinears } from "../../src/model/blocks.ts";
import { branch, mostUsed, selected } from "../../src/subspace/selection.ts";
import { allParameters } from "../../src/model/adapters/inFull.ts";
import { cosineHead } from "../../src/model/adapters/heads.ts";
import { expertPool, gatedLora, lora } from "../../src/model/adapters/lora.ts";
import { parallel } from "../../src/model/adapters/parallel.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { featureBasis, principalWeights, rowSpan, share } from "../../src/subspace/bases.ts";
import { residualGradient } from "../../src/subspace/directions.ts";
import { encode } from "../../src/stages/encode.ts";
import { evaluate } from "../../src/stages/evaluate.ts";
import { method } from "../../src/stages/learn.ts";
import { merge } from "../../src/stages/merge.ts";
import { imageToText } from "../../src/training/objective.ts";
import { sgd } from "../../src/training/optimizer.ts";
import { largestGates, mostVoted, overlap } from "../../src/subspace/overlap.ts";
import { past } from "../../src/subspace/past.ts";
import { outOf, project, rowsOutOf } from "../../src/stages/project.ts";
import { classMeans } from "../../src/subspace/prototypes.ts";
import { batchVote, magnitude, rankSelect, softThreshold } from "../../src/stages/rankSelect.ts";
import { constantly, ramp } from "../../src/training/schedule.ts";
import { compose, pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { checkScript } from "../script.ts";

// Parts of which the compositions below are made; every one is valid by itself.
const layers = { modules: attentionLinears, towers: "all" } as const;
const descent = update(sgd({ lr: constantly(0.1) }));
const graded = gradient(imageToText);
const plain = repeat(9, graded, descent);
const pruning = repeat(9, graded, descent, rankSelect(softThreshold(ramp(0.005))));
const voting = repeat(9, rankSelect(batchVote(2)), graded, descent);
const batches = encode({ steps: 9 });
const directions = () => project(residualGradient({ ...layers, rank: 4, objective: imageToText, start: "zero" }));
const features = () => project(featureBasis({ ...layers, tokens: "all", accumulate: "gram", energy: share(0.9) }));
const gated = compose(batches, adapt({ adapters: gatedLora(), steps: plain }));
const pooled = compose(batches, adapt({ adapters: expertPool(), steps: plain }));
const trained = compose(batches, adapt({ adapters: lora(), steps: plain }));
const forked = compose(batches, adapt({ adapters: parallel({ kept: lora(), own: lora() }), steps: plain }));

/** The compiler has looked at the compositions of a group already; running them shows that composing has no effect. */
const refuses = (what: string, compositions: () => readonly unknown[]): void => test(what, () => void compositions());

refuses("steps that need a group of parameters, after adapters without it", () => [
  adapt({ adapters: gatedLora(), steps: pruning }),
  // @ts-expect-error no gates
  adapt({ adapters: lora(), steps: pruning }),
  // @ts-expect-error no gates
  adapt({ adapters: expertPool(), steps: pruning }),
  // @ts-expect-error gates of branches have other names
  adapt({ adapters: parallel({ kept: gatedLora(), own: gatedLora() }), steps: pruning }),
  adapt({ adapters: expertPool(), steps: voting }),
  // @ts-expect-error no router, no counts
  adapt({ adapters: lora(), steps: voting }),
  // @ts-expect-error no router, no counts
  adapt({ adapters: gatedLora(), steps: voting }),
]);

refuses("an objective that needs a group of parameters, after adapters without it", () => {
  const apart = repeat(9, gradient(overlap("B")), descent);
  const byGates = repeat(9, gradient(overlap("B", { critical: largestGates(2) })), descent);
  const byVotes = repeat(9, gradient(overlap("A", { critical: mostVoted(2) })), descent);
  return [
    adapt({ adapters: lora(), steps: apart }),
    // @ts-expect-error no B
    adapt({ adapters: allParameters(), steps: apart }),
    adapt({ adapters: gatedLora(), steps: byGates }),
    // @ts-expect-error no gates
    adapt({ adapters: lora(), steps: byGates }),
    adapt({ adapters: expertPool(), steps: byVotes }),
    // @ts-expect-error no counts
    adapt({ adapters: gatedLora(), steps: byVotes }),
  ];
});

refuses("projections of a group that is not there, or of gradients that a frozen group does not have", () => {
  const gradientsOfA = repeat(9, graded, project(outOf("A")), descent);
  const gradientsOfB = repeat(9, graded, project(outOf("B")), descent);
  const rows = repeat(9, graded, descent, project(rowsOutOf("kept.A")));
  const frozen = lora({ directions: new Map() });
  return [
    adapt({ adapters: lora(), steps: gradientsOfA }),
    adapt({ adapters: frozen, steps: gradientsOfB }),
    // @ts-expect-error A is frozen: there is no ∂A
    adapt({ adapters: frozen, steps: gradientsOfA }),
    adapt({ adapters: parallel({ kept: lora(), own: lora() }), steps: rows }),
    // @ts-expect-error no branch
    adapt({ adapters: lora(), steps: rows }),
  ];
});

refuses("the stages of a step in another order, or at another scale", () => [
  repeat(9, graded, descent),
  compose(graded, descent),
  // @ts-expect-error an update needs gradients
  repeat(9, descent, graded),
  // @ts-expect-error an update uses its gradients up
  repeat(9, graded, descent, descent),
  // @ts-expect-error a projection of gradients, before there are any
  repeat(9, project(outOf("A")), graded, descent),
  // @ts-expect-error a projection of a task within a step
  repeat(9, graded, project(rowSpan()), descent),
  // @ts-expect-error a selection of a task within a step
  repeat(9, graded, descent, rankSelect(magnitude(2))),
  // @ts-expect-error a stage of a step in a lesson
  pipeline(batches, graded),
  // @ts-expect-error a selection of a step in a lesson
  pipeline(trained, rankSelect(softThreshold(ramp(0.005)))),
]);

refuses("what looks at batches before `encode`", () => [
  method("m", {}, pipeline(batches, directions(), evaluate())),
  // @ts-expect-error a gradient of no batches
  method("m", {}, pipeline(directions(), batches, evaluate())),
  method("m", {}, pipeline(batches, features(), evaluate())),
  // @ts-expect-error features of no batches
  method("m", {}, pipeline(features(), batches, evaluate())),
  method("m", {}, pipeline(project(principalWeights({ ...layers, energy: { vision: 0.8 } })), evaluate())),
  // @ts-expect-error training on no batches
  method("m", {}, pipeline(adapt({ adapters: lora(), steps: plain }), merge(), evaluate())),
]);

refuses("adapters of directions or prototypes that nobody has chosen", () => [
  pipeline(batches, directions(), adapt({ adapters: (lesson) => lora({ directions: lesson.directions }), steps: plain })),
  // @ts-expect-error no directions
  pipeline(batches, adapt({ adapters: (lesson) => lora({ directions: lesson.directions }), steps: plain })),
  pipeline(batches, project(classMeans()), adapt({ adapters: (lesson) => cosineHead(lesson.prototypes, 3, lora()), steps: plain })),
  // @ts-expect-error no prototypes
  pipeline(batches, adapt({ adapters: (lesson) => cosineHead(lesson.prototypes, 3, lora()), steps: plain })),
]);

refuses("a merge without adapters, or of what they do not have", () => [
  pipeline(trained, merge()),
  // @ts-expect-error nothing was trained
  pipeline(batches, merge()),
  // @ts-expect-error merged already
  pipeline(trained, merge(), merge()),
  pipeline(gated, merge(selected)),
  // @ts-expect-error no gates
  pipeline(trained, merge(selected)),
  // @ts-expect-error no gates
  compose(trained, merge(selected)),
  pipeline(pooled, merge(mostUsed(2))),
  // @ts-expect-error no counts
  pipeline(gated, merge(mostUsed(2))),
  pipeline(forked, merge(branch("kept"))),
  // @ts-expect-error no such branch
  pipeline(forked, merge(branch("lost"))),
]);

refuses("what looks at adapters where there are none", () => [
  pipeline(gated, rankSelect(magnitude(2)), project(rowSpan()), project(past("B", selected)), merge(selected)),
  // @ts-expect-error no gates
  pipeline(trained, project(past("B", selected))),
  // @ts-expect-error not trained yet
  pipeline(batches, project(rowSpan())),
  // @ts-expect-error merged already
  pipeline(trained, merge(), rankSelect(magnitude(2))),
  // @ts-expect-error merged already
  pipeline(trained, merge(), project(past("B"))),
]);

refuses("a lesson that is not whole", () => [
  method("m", {}, pipeline(trained, merge(), evaluate())),
  // @ts-expect-error not evaluated
  method("m", {}, pipeline(trained, merge())),
  // @ts-expect-error what was trained is lost
  method("m", {}, pipeline(trained, evaluate())),
]);

// What a person reads ------------------------------------------------------------------------------------------------------------------------

/** Programs that the compiler refuses, and what its message has to name. */
const messages = [
  ["adapt({ adapters: lora(), steps: pruning })", /"gate"/],
  ["pipeline(trained, merge(selected))", /Property 'gate' is missing/],
  ["compose(trained, merge(mostUsed(2)))", /Property 'counts' is missing/],
  ["adapt({ adapters: lora({ directions: new Map() }), steps: outside })", /"∂A"/],
  ["pipeline(batches, adapt({ adapters: ({ directions }) => lora({ directions }), steps: plain }))", /'directions' does not exist/],
  ["pipeline(batches, merge())", /Property 'adapters' is missing/],
  ["repeat(9, descent, graded)", /Property 'gradients' is missing/],
  ["pipeline(trained, evaluate())", /Types of property 'adapters' are incompatible/],
] as const;

test("the message names what is missing", async () => {
  const head = `
import { adapter, objective, optimizer, schedule, stage } from "cambium";
const { adapt, compose, encode, evaluate, gradient, merge, mostUsed, outOf, pipeline, project, rankSelect, repeat, selected, softThreshold, update } = stage;
const { lora } = adapter;

const [graded, descent] = [gradient(objective.imageToText), update(optimizer.adamW({ lr: schedule.constantly(1e-3) }))] as const;
const plain = repeat(9, graded, descent);
const pruning = repeat(9, graded, descent, rankSelect(softThreshold(schedule.ramp(0.005))));
const outside = repeat(9, graded, project(outOf("A")), descent);
const batches = encode({ steps: 9 });
const trained = compose(batches, adapt({ adapters: lora(), steps: plain }));
`;
  const first = head.split("\n").length;
  const { code, output } = await checkScript(`${head}${messages.map(([program]) => program).join("\n")}\n`);
  assert.is.not(code, 0);
  const errors = new Map(output.split(/^(?=\S+script\.ts\(\d+)/m).map((error) => [Number(/script\.ts\((\d+)/.exec(error)?.[1]), error]));
  messages.forEach(([program, named], i) => assert.match(errors.get(first + i) ?? `no error: ${output}`, named, `${program}: ${output}`));
  assert.is(errors.size, messages.length, output);
});

test.run();
