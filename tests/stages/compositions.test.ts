/** Random valid compositions on a tiny CLIP and a tiny ViT, and what each of their stages promises. */
import { isDeepStrictEqual } from "node:util";
import * as TE from "fp-ts/lib/TaskEither.js";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { course, learner, linalg, type Device } from "../../mod.ts";
import { classNamesOf, imageCache, type Example, type LabelSpace, type ClassStream, type ClassTask } from "../../src/data/index.ts";
import { cosineHead, depthScale, expertPool, gatedLora, lora, parallel, type Adapter } from "../../src/model/adapters/index.ts";
import { attentionLinears, layersOf, networkOf, readModelAs, vit, type LayerChoice, type Model } from "../../src/model/index.ts";
import {
  adapt,
  all,
  batchVote,
  branch,
  compose,
  dropout,
  encode,
  evaluate,
  gradient,
  magnitude,
  manifest,
  merge,
  method,
  mostUsed,
  outOf,
  project,
  rankSelect,
  repeat,
  rowsOutOf,
  selected,
  softThreshold,
  train,
  update,
  type Evaluated,
  type Event,
  type Learner,
  type Lesson,
  type Merged,
  type Runtime,
  type Steps,
  type StepStage,
  type TaskStage,
  type Training,
  type WithAdapters,
  type WithBatches,
  type WithDirections,
} from "../../src/stages/index.ts";
import {
  classMeans,
  everyComponent,
  featureBasis,
  largestGates,
  mostVoted,
  overlap,
  past,
  pastOf,
  principalWeights,
  remembered,
  residualGradient,
  residualInputs,
  rowSpan,
  share,
  type TaskProjection,
  type WithPrototypes,
} from "../../src/subspace/index.ts";
import { contrastive, imageToText, sum, textToImage, weighted, type Objective } from "../../src/training/objective.ts";
import { adamW, sgd } from "../../src/training/optimizer.ts";
import { constantly, cosine, oneCycle, rising } from "../../src/training/schedule.ts";
import { unflatten } from "../../src/tensor/layout.ts";
import { left, right } from "../fixtures/datasets.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { inner, orthonormal } from "../linalg/matrices.ts";
import { deviceTest, runTests, sameBits } from "../tensor/check.ts";
import { frozen } from "./frozen.ts";

// Draws ---------------------------------------------------------------------------------------------------------------------------------------

const [rank, batch, active, chosen] = [3, 4, 2, 2];

const kinds = ["lora", "gatedLora", "expertPool", "frozen lora", "frozen gatedLora", "parallel"] as const;
type Kind = (typeof kinds)[number];

/** What a composition is made of; what does not fit its adapter or its model is left out. */
interface Plan {
  readonly kind: Kind;
  readonly model: "clip" | "vit";
  readonly labelSpace: LabelSpace;
  readonly steps: number | { readonly epochs: number };
  readonly modules: LayerChoice["modules"];
  readonly towers: LayerChoice["towers"];
  readonly protect: boolean;
  readonly directions: "gradient" | "decomposed gradient" | "inputs";
  readonly head: boolean;
  readonly objective: "one way" | "both ways" | "contrastive";
  readonly overlap?: { readonly factor: "A" | "B"; readonly reduce: "abs-sum" | "mean" | "square-sum"; readonly critical: boolean };
  readonly dropout?: number;
  readonly optimizer: "adamW" | "sgd" | "momentum";
  readonly schedule: "constant" | "cosine" | "oneCycle" | "rising";
  readonly within?: "outOf" | "rowsOutOf";
  readonly threshold?: "paper" | "code";
  readonly magnitude: boolean;
  readonly rowSpan: boolean;
  readonly past?: "A" | "B";
  readonly merge: "all" | "chosen";
  readonly features?: { readonly tokens: "all" | "class"; readonly accumulate: "gram" | "code-mean" };
}

const maybe = <A>(a: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> => fc.option(a, { nil: undefined });

const plans = (kind: Kind): fc.Arbitrary<Plan> =>
  fc.record({
    kind: fc.constant(kind),
    model: fc.constantFrom("clip", "vit"),
    labelSpace: fc.constantFrom("task", "seen", "union"),
    steps: fc.constantFrom<Plan["steps"]>(2, 3, { epochs: 1 }),
    modules: fc.constantFrom<Plan["modules"]>("all", attentionLinears, ["v", "fc2"]),
    towers: fc.constantFrom<Plan["towers"]>("all", ["vision"]),
    protect: fc.boolean(),
    directions: fc.constantFrom("gradient", "decomposed gradient", "inputs"),
    head: fc.boolean(),
    objective: fc.constantFrom("one way", "both ways", "contrastive"),
    overlap: maybe(
      fc.record({
        factor: fc.constantFrom("A", "B"),
        reduce: fc.constantFrom("abs-sum", "mean", "square-sum"),
        critical: fc.boolean(),
      }),
    ),
    dropout: maybe(fc.constantFrom(0, 0.2)),
    optimizer: fc.constantFrom("adamW", "sgd", "momentum"),
    schedule: fc.constantFrom("constant", "cosine", "oneCycle", "rising"),
    within: maybe(fc.constantFrom("outOf", "rowsOutOf")),
    threshold: maybe(fc.constantFrom("paper", "code")),
    magnitude: fc.boolean(),
    rowSpan: fc.boolean(),
    past: maybe(fc.constantFrom("A", "B")),
    merge: fc.constantFrom("all", "chosen"),
    features: maybe(fc.record({ tokens: fc.constantFrom("all", "class"), accumulate: fc.constantFrom("gram", "code-mean") })),
  });

// Compositions --------------------------------------------------------------------------------------------------------------------------------

/** What flows through a drawn lesson: whatever its stages have given so far. */
type State = Lesson & Partial<WithBatches & WithDirections & WithPrototypes & WithAdapters<string> & Merged & Evaluated>;
type AnyStage = TaskStage<any, any, any>;
type AnyStep = StepStage<any, any, any>;

const kappa = 0.2;
const rates = { constant: constantly, cosine, oneCycle, rising };

const gated = ({ kind }: Plan): boolean => kind === "gatedLora" || kind === "frozen gatedLora";
const directed = ({ kind }: Plan): boolean => kind === "frozen lora" || kind === "frozen gatedLora" || kind === "parallel";
/** The group of A that is trained, if there is one. */
const freeA = ({ kind }: Plan): string | undefined => (kind === "parallel" ? "free.A" : kind.startsWith("frozen") ? undefined : "A");

const adapterOf = ({ kind, modules, towers }: Plan, directions: WithDirections["directions"]): Adapter<any, any> => {
  const o = { rank, modules, towers };
  switch (kind) {
    case "lora":
      return lora({ ...o, scale: 0.5 });
    case "gatedLora":
      return gatedLora(o);
    case "expertPool":
      return expertPool(o);
    case "frozen lora":
      return lora({ ...o, directions, scale: depthScale() });
    case "frozen gatedLora":
      return gatedLora({ ...o, directions });
    case "parallel":
      return parallel({ free: lora(o), frozen: lora({ ...o, directions }) });
  }
};

const objectiveOf = (plan: Plan): Objective<any> => {
  const match =
    plan.model === "vit" || plan.objective === "one way" ? imageToText : plan.objective === "contrastive" ? contrastive : sum(imageToText, textToImage);
  if (plan.overlap === undefined || plan.kind === "parallel") return match;
  const { factor, reduce, critical } = plan.overlap;
  const count = !critical ? everyComponent : gated(plan) ? largestGates(chosen) : plan.kind === "expertPool" ? mostVoted(chosen) : everyComponent;
  return sum(match, weighted(0.1, overlap<"A" | "B", any>(factor, { critical: count, reduce })));
};

const stepsOf = (plan: Plan): Steps<any> => {
  const lr = rates[plan.schedule](0.02);
  const [a, within] = [freeA(plan), plan.within];
  const parts: readonly (AnyStep | false)[] = [
    plan.dropout !== undefined && dropout(plan.dropout),
    plan.kind === "expertPool" && rankSelect(batchVote(active)),
    gradient(objectiveOf(plan)),
    within === "outOf" && a !== undefined && project(outOf(a)),
    update(plan.optimizer === "adamW" ? adamW({ lr, weightDecay: 0.1 }) : sgd({ lr, momentum: plan.optimizer === "sgd" ? 0 : 0.9 })),
    within === "rowsOutOf" && a !== undefined && project(rowsOutOf(a)),
    plan.threshold !== undefined && gated(plan) && rankSelect(softThreshold(constantly(kappa), { shrink: plan.threshold })),
  ];
  return repeat(
    plan.steps,
    parts.filter((part) => part !== false).reduce((x, y) => compose(x, y)),
  );
};

const directionsOf = ({ directions, modules, towers }: Plan): TaskProjection<any, any> => {
  const o = { rank, modules, towers };
  return directions === "inputs"
    ? residualInputs({ ...o, tokens: "all", accumulate: "gram" })
    : residualGradient({ ...o, objective: imageToText, start: directions === "gradient" ? "zero" : "svd" });
};

/** The stages of one lesson, in an order that type-checks where it is written by hand. */
const lessonOf = (plan: Plan): readonly AnyStage[] => {
  const layers = { modules: plan.modules, towers: plan.towers };
  const single = plan.kind !== "parallel";
  const means = plan.head && plan.model === "clip";
  const selection = plan.merge === "all" ? all : gated(plan) ? selected : plan.kind === "expertPool" ? mostUsed(chosen) : single ? all : branch("free");
  const parts: readonly (AnyStage | false)[] = [
    plan.protect && project(principalWeights({ ...layers, energy: plan.model === "vit" ? { vision: 0.5 } : { vision: 0.5, text: 0.3 } })),
    encode({ batch, steps: plan.steps, texts: plan.objective === "contrastive" && !means ? "images" : "classes" }),
    directed(plan) && project(directionsOf(plan)),
    means && project(classMeans()),
    adapt({
      adapters: (lesson: State & WithBatches) => {
        const adapter = adapterOf(plan, lesson.directions ?? new Map());
        return means ? cosineHead(lesson.prototypes!, classNamesOf(lesson.task).length, adapter) : adapter;
      },
      steps: stepsOf(plan),
    }),
    plan.magnitude && single && rankSelect(magnitude(chosen)),
    plan.rowSpan && single && project(rowSpan()),
    plan.past !== undefined && single && project(past<any, any>(plan.past, selection)),
    merge(selection),
    plan.features !== undefined && project(featureBasis({ ...layers, ...plan.features, energy: share(0.9) })),
    evaluate(),
  ];
  return parts.filter((part) => part !== false);
};

/** A square of one colour with a little texture. */
const square = (label: number, position: number, i: number): Example => ({
  id: `${position} ${label} ${i}`,
  label,
  image: {
    kind: "pixels",
    image: { width: 16, height: 16, data: Uint8Array.from({ length: 768 }, (_, k) => (90 * (k % 3) + 110 * label + 60 * position + k * (i + 3)) % 256) },
  },
});

const taskAt = (name: string, classNames: readonly string[], position: number): ClassTask => {
  const examples = (from: number, to: number): readonly Example[] =>
    classNames.flatMap((_, label) => Array.from({ length: to - from }, (__, i) => square(label, position, from + i)));
  return { name, classNames, templates: ["a {c}"], train: TE.right(examples(0, 6)), test: TE.right(examples(6, 8)) };
};

const tasks = [taskAt("warm", ["red", "sun"], 0), taskAt("cold", ["sea", "ice"], 1)];

// Promises ------------------------------------------------------------------------------------------------------------------------------------

const finite = (values: Iterable<number>, what: string): void => {
  for (const x of values) if (!Number.isFinite(x)) assert.unreachable(`${what} is not finite`);
};

/** The entries of a group of a lesson's adapters, by name. */
const groupOf = (lesson: State, group: string): ReturnType<typeof unflatten> => {
  const { adapter, values } = lesson.adapters!;
  return unflatten(adapter.layouts(networkOf(lesson.learner.model))[group], values[group]);
};

const rowsOf = ({ shape: [n, d], data }: { readonly shape: readonly number[]; readonly data: Float32Array }): readonly Float32Array[] =>
  Array.from({ length: n }, (_, i) => data.subarray(i * d, (i + 1) * d));

const column = ({ shape: [n, d], data }: { readonly shape: readonly number[]; readonly data: Float32Array }, j: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => data[i * d + j]);

const length = (v: Float32Array): number => Math.sqrt(inner(v, v));

/** The part of a row in the span of a basis. */
const within = (row: Float32Array, basis: linalg.Basis | undefined): number => Math.hypot(...(basis?.columns ?? []).map((c) => inner(row, c)));

/** Nothing of the learner but what it remembers is another one; its bases are longer and orthonormal. */
const onlyMemory = (before: State, after: State): void => {
  assert.is(after.learner.model, before.learner.model);
  assert.is(after.learner.seen, before.learner.seen);
  assert.is(after.learner.head, before.learner.head);
  const known = remembered(before.learner);
  for (const [name, { d, columns }] of remembered(after.learner)) {
    assert.ok(columns.length <= d, `${name}: ${columns.length} columns in R^${d}`);
    orthonormal(columns, 1e-5);
    known.get(name)?.columns.forEach((c, i) => assert.is(columns[i], c, `${name}: column ${i} is another one`));
  }
  for (const name of known.keys()) assert.ok(remembered(after.learner).has(name), `${name} is forgotten`);
};

/** What a stage promises of what it was given and what it gave. */
type Promised = (before: State, after: State, plan: Plan, events: readonly Event[]) => void;

const adapted: Promised = (before, after, plan, events) => {
  assert.is(after.learner, before.learner);
  const { adapter, values } = after.adapters!;
  const { model } = before.learner;
  const net = networkOf(model);
  const initial = adapter.initial(net, model.weights, 3, before.position);
  const { steps, shape } = before.batches!;
  for (const [name, flat] of Object.entries(values)) finite(flat, name);
  const losses = events.flatMap((e) => (e.type === "step" ? [e] : []));
  assert.is(losses.length, steps);
  losses.forEach(({ losses: l }) => finite(Object.values(l), "a loss"));
  // Groups that optimisers are not given stay as they were; so does the router, to which no gradient flows.
  const trained = new Set<string>(adapter.trained);
  for (const name of Object.keys(values).filter((n) => (!trained.has(n) && n !== "counts") || n === "router")) sameBits(values[name], initial[name], name);
  if (directed(plan)) {
    const frozenA = groupOf(after, plan.kind === "parallel" ? "frozen.A" : "A");
    for (const [name, a] of frozenA) {
      const { A } = before.directions!.get(name)!;
      sameBits(a.data.slice(0, A.data.length), A.data, `the frozen A of ${name}`);
      assert.ok(
        a.data.subarray(A.data.length).every((x) => x === 0),
        `${name}: A has more than the directions`,
      );
    }
  }
  if (plan.kind === "expertPool") {
    for (const [name, { data }] of groupOf(after, "counts")) {
      const voters = name.startsWith("text") ? shape.texts : shape.images;
      assert.is(
        data.reduce((s, n) => s + n),
        steps * voters * active,
        `votes in ${name}`,
      );
    }
  }
  if (plan.threshold !== undefined && gated(plan)) {
    const dead = plan.threshold === "code" ? kappa * (1 - 1e-6) : 0;
    assert.ok(
      values.gate.every((g) => g === 0 || Math.abs(g) >= dead),
      "a gate below the threshold lives",
    );
    assert.ok(values.gate.includes(0), "no gate is closed");
  }
  const a = freeA(plan);
  if (a === undefined || plan.within === undefined || (plan.within === "outOf" && plan.optimizer === "adamW")) return;
  const first = unflatten(adapter.layouts(net)[a], initial[a]);
  for (const [name, A] of groupOf(after, a)) {
    const basis = remembered(before.learner).get(name);
    const from = rowsOf(first.get(name)!);
    rowsOf(A).forEach((row, i) => {
      const moved = plan.within === "rowsOutOf" ? row : row.map((x, j) => x - from[i][j]);
      assert.ok(within(moved, basis) <= 1e-5 * length(from[i]), `${name}: row ${i} of A went into the subspace by ${within(moved, basis)}`);
    });
  }
};

/** An upper bound of the rank of a module's update. */
const mostRank = (before: State, plan: Plan, module: string): number => {
  if (plan.kind === "parallel") return plan.merge === "all" ? 2 * rank : rank;
  const gates = gated(plan)
    ? groupOf(before, "gate")
        .get(module)!
        .data.filter((g) => g !== 0).length
    : rank;
  return Math.min(gates, plan.magnitude || (plan.kind === "expertPool" && plan.merge === "chosen") ? chosen : rank);
};

const merged: Promised = (before, after, plan) => {
  const { model, seen, head, memory } = before.learner;
  assert.ok(after.mergeError! < 1e-3, `the merge changed a feature by ${after.mergeError}`);
  assert.is(after.learner.seen, seen);
  assert.is(after.learner.memory, memory);
  assert.is((after as Partial<WithAdapters<string>>).adapters, undefined);
  const adaptedModules = layersOf(networkOf(model), plan);
  const names = new Set(adaptedModules.map(({ name }) => `${name}.weight`));
  for (const [name, tensor] of after.learner.model.weights) {
    const old = model.weights.get(name)!;
    if (!names.has(name)) assert.is(tensor, old, `${name} belongs to no adapted module`);
    assert.equal(tensor.shape, old.shape);
    finite(tensor.data, name);
  }
  for (const { name, in: d, out } of adaptedModules) {
    const [w, old] = [after.learner.model.weights.get(`${name}.weight`)!.data, model.weights.get(`${name}.weight`)!.data];
    const { s } = right(linalg.svd({ shape: [out, d], data: Float64Array.from(w, (x, i) => x - old[i]) }, Math.min(d, out)));
    const bound = mostRank(before, plan, name);
    assert.ok((s[bound] ?? 0) < 1e-5, `${name}: the update has more than ${bound} singular values: ${s}`);
    assert.ok(after.trained!.ranks.get(name)! <= (plan.kind === "parallel" ? 2 : 1) * rank, `${name}: rank ${after.trained!.ranks.get(name)}`);
  }
  assert.ok(after.trained!.trainableParameters > 0);
  const classes = classNamesOf(before.task).length;
  if (before.adapters!.adapter.head === undefined) return assert.is(after.learner.head, head);
  const [was, is] = [head?.rows ?? new Float32Array(0), after.learner.head!];
  assert.equal([is.rows.length, is.bias.length], [was.length + classes * networkOf(model).width, seen.length + classes]);
  sameBits(is.rows.slice(0, was.length), was, "the rows of earlier classes");
};

/** Directions are orthogonal, of one length, and outside of what is protected. */
const directionsOutside =
  (divisor: number): Promised =>
  (before, after) => {
    assert.is(after.learner, before.learner);
    for (const [name, { A }] of after.directions!) {
      assert.ok(A.shape[0] <= rank);
      orthonormal(
        rowsOf(A).map((row) => row.map((x) => divisor * x)),
        1e-5,
      );
      rowsOf(A).forEach((row) => assert.ok(within(row, remembered(before.learner).get(name)) < 1e-5, `${name}: a direction is not outside`));
    }
  };

/** By the name of a stage, or of what a projection does. */
const promises: Readonly<Record<string, Promised>> = {
  principalWeights: (before, after, plan) => {
    onlyMemory(before, after);
    const names = layersOf(networkOf(before.learner.model), plan).map(({ name }) => name);
    assert.equal(
      names.filter((name) => remembered(after.learner).has(name)),
      names,
    );
    if (before.position > 0) assert.ok(isDeepStrictEqual(remembered(after.learner), remembered(before.learner)), "the weights are protected once");
  },
  encode: (before, after) => {
    assert.is(after.learner, before.learner);
    assert.is(after.batches!.shape.images, batch);
    assert.is(after.batches!.epoch, 3);
  },
  residualGradient: directionsOutside(1),
  residualInputs: directionsOutside(Math.sqrt(3)),
  classMeans: (before, after) => {
    const { width } = networkOf(before.learner.model);
    rowsOf({ shape: [classNamesOf(before.task).length, width], data: after.prototypes! }).forEach((row) => assert.ok(Math.abs(length(row) - 1) < 1e-5));
  },
  adapt: adapted,
  rankSelect: (before, after) => {
    assert.is(after.learner, before.learner);
    assert.is(after.adapters!.values.A, before.adapters!.values.A);
    const start = "B0" in after.adapters!.values ? groupOf(after, "B0") : undefined;
    for (const [name, B] of groupOf(after, "B")) {
      const lives = (r: number): boolean => !isDeepStrictEqual(column(B, r), start === undefined ? new Float32Array(B.shape[0]) : column(start.get(name)!, r));
      const living = Array.from({ length: rank }, (_, r) => r).filter(lives);
      assert.ok(living.length <= chosen, `${name}: components ${living} live`);
      living.forEach((r) => sameBits(column(B, r), column(groupOf(before, "B").get(name)!, r), `${name}: component ${r}`));
    }
  },
  rowSpan: (before, after) => {
    onlyMemory(before, after);
    for (const [name, A] of groupOf(before, "A")) {
      const left = linalg.outside({ shape: [rank, A.shape[1]], data: A.data }, remembered(after.learner).get(name)!).data;
      assert.ok(
        left.every((x) => Math.abs(x) < 1e-5),
        `${name}: a row of A is not in the span`,
      );
    }
  },
  past: (before, after, { past: factor }) => {
    onlyMemory(before, after);
    for (const [name, { shape, data }] of pastOf(factor!, after.learner)) {
      const old = pastOf(factor!, before.learner).get(name)?.data ?? new Float32Array(0);
      sameBits(data.slice(0, old.length), old, `${name}: directions of earlier tasks`);
      assert.ok(data.length <= old.length + rank * shape[1]);
      finite(data, name);
    }
  },
  merge: merged,
  featureBasis: onlyMemory,
  evaluate: (before, after, { model }) => {
    assert.is(after.learner, before.learner);
    after.row!.forEach((accuracy, j) =>
      assert.ok(accuracy === null ? model === "vit" && j > before.position : accuracy >= 0 && accuracy <= 100, `${accuracy} %`),
    );
  },
};

/** What a stage does: its own name, or that of its projection. */
const doing = ({ name, options }: AnyStage): string => (name === "project" ? Object.keys(options as object)[0] : name);

// Runs ----------------------------------------------------------------------------------------------------------------------------------------

const models: Readonly<Record<Plan["model"], Promise<Model>>> = { clip: tinyClip(), vit: get(readModelAs(vit, "tests/fixtures/vit-tiny")) };

/** A training stopped after its first step has kept that, and resumed it ends with the same bits as one that was not; so does one that had ended. */
const resumes = async (lesson: State, plan: Plan, runtime: Runtime): Promise<void> => {
  const {
    learner: { model, memory },
    position,
    batches,
  } = lesson;
  const { adapter } = lesson.adapters!;
  const options = { model, memory, position, adapter, steps: { ...stepsOf(plan), count: batches!.steps }, batches: batches! };
  const states: Training<string>[] = [];
  const from = { step: 0, values: adapter.initial(networkOf(model), model.weights, 3, position), moments: {} };
  const save = (state: Training<string>) => TE.fromIO<void, never>(() => void states.push(state));
  const straight = await get(train({ ...options, from, checkpoint: { every: 1, save } })(runtime));
  const [first] = states;
  assert.is(first.step, 1);
  const resumed = await get(train({ ...options, from: first })(runtime));
  assert.ok(isDeepStrictEqual(resumed, straight), "resumed, it ends with other bits");
  assert.ok(isDeepStrictEqual(states.at(-1), straight), "its end is not kept");
  let looks = 0;
  const signal = {
    get aborted() {
      return looks++ > 0;
    },
  };
  const stopped = await train({ ...options, from, checkpoint: { save } })({ ...runtime, signal })();
  assert.is(left(stopped)._tag, "Interrupted");
  assert.ok(isDeepStrictEqual(states.at(-1), first), "what was reached when it was stopped is not kept");
};

const keepsItsPromises = async (device: Device, plan: Plan): Promise<void> => {
  const stages = lessonOf(plan);
  const stream: ClassStream = { tasks, labelSpace: plan.labelSpace };
  const model = await models[plan.model];
  const events: Event[] = [];
  const runtime: Runtime = { device, seed: 3, images: imageCache(32), emit: (e) => void events.push(e) };

  let now: Learner = learner(model);
  for (const [position, current] of tasks.entries()) {
    let lesson: State = { learner: now, task: current, position, stream, learned: position + 1 };
    for (const stage of stages) {
      events.length = 0;
      const given = frozen(lesson);
      const after: State = await get(stage.run(given.value)(runtime));
      given.unchanged();
      promises[doing(stage)](lesson, after, plan, events);
      if (stage.name === "adapt" && position === 1) await resumes(after, plan, runtime);
      lesson = after;
    }
    // The scan of a course extends what was seen in the same way.
    now = { ...lesson.learner, seen: [...now.seen, ...current.classNames] };
  }

  const whole = method(
    "drawn",
    plan,
    stages.reduce((x, y) => compose(x, y)),
  );
  const [scan] = manifest(whole).parts!;
  assert.equal(
    scan.parts!.map(({ name }) => name),
    stages.map(({ name }) => name),
  );
  assert.equal(structuredClone(scan), scan, "a manifest is plain data");
  const again = (await get(whole.run(course(learner(model), stream))(runtime))).learner;
  assert.ok(
    isDeepStrictEqual([again.model.weights, again.head, again.seen, again.memory], [now.model.weights, now.head, now.seen, now.memory]),
    "run twice, it ends with other bits",
  );
};

for (const kind of kinds) {
  deviceTest(`whatever is composed with ${kind} keeps its promises`, (device) =>
    fc.assert(
      fc.asyncProperty(plans(kind), (plan) => keepsItsPromises(device, plan)),
      { numRuns: 4, endOnFailure: true, includeErrorInReport: true },
    ),
  );
}

runTests();
