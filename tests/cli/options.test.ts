/** Options of methods as text. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { optionNames, optionNotes, optionsHelp, parseOptions } from "../../src/cli/options.ts";
import { plain } from "../../src/cli/help.ts";
import { describe } from "../../src/failure.ts";
import { reading, type Option } from "../../src/methods/declare.ts";
import { methods, type MethodName } from "../../src/methods/table.ts";
import { methodOf } from "../../src/runs/methodOf.ts";
import { left, right } from "../fixtures/datasets.ts";

const parse = (method: MethodName, text: string) => right(parseOptions(method, text));
const refused = (method: MethodName, text: string): string => describe(left(parseOptions(method, text)));

test("numbers, words, truths, lists and JSON", () => {
  assert.equal(parse("codyra", "kappa=0.01,shrink=code,scaleThreshold=false,modules=q+v,betas=0.9+0.99,steps=1e3"), {
    kappa: 0.01,
    shrink: "code",
    scaleThreshold: false,
    modules: ["q", "v"],
    betas: [0.9, 0.99],
    steps: 1000,
  });
  assert.equal(parse("keeplora++", 'energy={"vision":0.9,"text":0.3},side=output,towers=vision'), {
    energy: { vision: 0.9, text: 0.3 },
    side: "output",
    towers: ["vision"],
  });
  assert.equal(parse("duallora", 'prediction={"confidence":0.8,"mode":"hard"}'), { prediction: { confidence: 0.8, mode: "hard" } });
});

test("one value for each task", () => {
  assert.equal(parse("dac", "lr=2e-3+1e-3,steps=[10,5]"), { lr: [2e-3, 1e-3], steps: [10, 5] });
  assert.equal(parse("keeplora", 'steps={"epochs":5}'), { steps: { epochs: 5 } });
  assert.equal(parse("keeplora", 'steps={"epochs":5}+{"epochs":2}'), { steps: [{ epochs: 5 }, { epochs: 2 }] });
});

test("every option of every method can be given, as it is by default", () => {
  for (const method of Object.keys(methods) as MethodName[]) {
    const { evaluate: _, ...defaults } = methods[method]({}).options as Readonly<Record<string, unknown>>;
    assert.equal([...optionNames(method)].sort(), Object.keys(defaults).sort(), method);
    for (const [name, value] of Object.entries(defaults)) {
      assert.equal(parse(method, `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`), { [name]: value }, `${method}: ${name}`);
    }
  }
});

/** What a reading sets of a method's options for classes, and for words where these are others. */
const set = (method: MethodName, text: string, names: readonly string[]) => {
  const { options, answering } = methods[method](parse(method, text) as never);
  const of = (all: unknown) => Object.fromEntries(names.map((name) => [name, (all as Readonly<Record<string, unknown>>)[name]]));
  return [of(options), ...(answering?._tag === "Right" ? [of(answering.right.options)] : [])];
};

test("a reading sets what the paper and the code of its authors have otherwise; what is given beside it wins", () => {
  const checked = (method: MethodName, text: string, ...wanted: readonly Readonly<Record<string, unknown>>[]): void =>
    assert.equal(set(method, text, Object.keys(wanted[0])), wanted, `${method}: ${text}`);
  assert.equal(parse("codyra", "reading=code"), { reading: "code" });
  checked("codyra", "reading=code", { shrink: "code" });
  checked("codyra", "reading=paper,kappa=0.01", { shrink: "paper", kappa: 0.01 });
  const code = { side: "output", counting: "below", accumulate: "code-mean", padding: "zero" };
  const paper = { side: "input", counting: "reach", accumulate: "gram", padding: "tokenizer" };
  checked("keeplora+", "reading=code", code);
  checked("keeplora+", "reading=paper", paper);
  // Of answers the code takes the side of the inputs, too.
  for (const method of ["keeplora", "keeplora++"] as const) {
    checked(method, "reading=code", code, { ...code, side: "input" });
    checked(method, "reading=paper", paper, paper);
    checked(method, "reading=code,side=output", code, code);
  }
  checked("keeplora", "side=input,reading=code", { ...code, side: "input" }, { ...code, side: "input" });
  checked("dac", "reading=code", { agoPast: "all", agoReduce: "abs-sum", router: "frozen-random" });
  checked("dac", "reading=paper,router=prob-weighted", { agoPast: "critical", agoReduce: "mean", router: "prob-weighted" });
  checked("o-lora", "reading=code", { penalty: "abs-sum" });
  checked("o-lora", "reading=paper", { penalty: "square-sum" });
  assert.is(refused("codyra", "reading=both"), '--set: reading should be one of paper, code, not "both"');
  assert.is(refused("codyra", "reading=code,reading=paper"), "--set: reading is given twice");
  assert.is(refused("sequential-lora", "reading=both"), '--set: reading should be one of paper, code, not "both"');
});

test("the help of a method that distils on reference pictures says which flag names them, and what takes their place", () => {
  assert.match(optionsHelp("zscl").replace(/\s+/g, " "), /--reference DATA names a dataset .* the task's own pictures take their place\./);
  assert.not.match(optionsHelp("lwf"), /--reference/);
});

test("every method takes a reading; one that has no two sets nothing, and says so", () => {
  for (const method of Object.keys(methods) as MethodName[]) {
    const has = Object.keys(reading(methods[method].declaration, "code")).length > 0;
    assert.equal(parse(method, "reading=code"), has ? { reading: "code" } : {}, method);
    right(methodOf({ method: { name: method, options: { reading: "code" } }, evaluate: { templates: "single" } }));
  }
  assert.equal(parse("sequential-lora", "reading=code,rank=4"), { rank: 4 });
  assert.equal(optionNotes("sequential-lora", "rank=4,reading=code"), [
    "sequential-lora has one reading only: its paper and its code do not differ in any option",
  ]);
  assert.equal([optionNotes("codyra", "reading=code"), optionNotes("sequential-lora", "rank=4"), optionNotes("sequential-lora")], [[], [], []]);
});

test("every option of a reading is one that its codec takes, and not the same in both", () => {
  for (const { declaration } of Object.values(methods)) {
    for (const [name, { codec, readings }] of Object.entries<Option<unknown>>(declaration.options)) {
      if (readings === undefined) continue;
      for (const value of Object.values(readings)) assert.equal(codec.decode(value), { _tag: "Right", right: value }, `${declaration.name}: ${name}`);
      assert.is.not(readings.paper, readings.code, `${declaration.name}: ${name}`);
    }
  }
});

test("the help of a method has a line for each of its options", () => {
  const help = optionsHelp("keeplora").replace(/\n(?=\S)/g, " ");
  assert.match(help, /^keeplora: .* \(arXiv 2601\.19659\); needs a text tower, or `energy` that names the vision tower alone\n/);
  for (const name of optionNames("keeplora")) assert.match(help, new RegExp(`^  ${name} +\\S[^[]*:\\s[^[]+(\\n {4,}.*)* ?\\[.+\\]$`, "m"), name);
  assert.match(help, /^ {2}steps +Steps or epochs a task: a number of steps or [^[]* \[\{"epochs":10\}\]$/m);
  assert.match(help, /^ {2}energy +[^[]*\[\{"vision":0\.85,"text":0\.2\}\]$/m);
  assert.match(optionsHelp("dac"), /^ {2}merged +\S[^[]*\[4\]$/m);
  assert.match(optionsHelp("zero-shot"), /^zero-shot: the model as it is\n\nUsage\n {2}cambium run --model .*\n\nIt has no options\.\n\nExamples\n/);
  const narrow = optionsHelp("duallora", { ...plain, columns: 60 }).split("\n");
  assert.ok(narrow.every((line) => line.length <= 60 || line.startsWith("  cambium ")));
});

test("what is wrong is said with what would be right", () => {
  assert.match(refused("keeplora", "kapa=1"), /^--set: keeplora has no option kapa; it has steps, batch, rank, alpha, .*, headScale$/);
  assert.is(refused("zero-shot", "steps=3"), "--set: zero-shot has no option steps; it has none");
  assert.is(refused("dac", "router=learned"), '--set: router should be one of frozen-random, straight-through, prob-weighted, not "learned"');
  assert.is(refused("dac", "rank=4+5"), '--set: rank should be a whole number from 1 to 4096, not "4+5"');
  assert.match(refused("dac", "lr=0"), /^--set: lr should be a number above 0, or one for each task joined by \+, not "0"$/);
  assert.match(refused("dac", 'steps={"epoch":1}'), /^--set: steps should be a number of steps or \{"epochs":N\}/);
  assert.match(refused("codyra", "modules=q+x"), /^--set: modules should be a list joined by \+, each other item one of q, k, v, out, fc1, fc2/);
  assert.match(refused("codyra", "modules=q+q"), /^--set: modules should be a list/);
  assert.match(refused("keeplora", 'energy={"image":0.5}'), /^--set: energy should be JSON with some of "vision" \(a number above 0 and at most 1\)/);
  assert.is(refused("codyra", "kappa=0.1,kappa=0.2"), "--set: kappa is given twice");
  assert.is(refused("codyra", "kappa"), '--set: "kappa" should be KEY=VALUE');
  assert.is(refused("codyra", "kappa=0.1,"), '--set: kappa should be a number from 0 to 1e9, not "0.1,"');
});

test("what f32 cannot hold on a device is told before a run, and so is an option that has another name now", () => {
  for (const method of ["lwf", "zscl", "moram"] as const)
    for (const value of ["1e-300", "1e-45", "1e300"])
      assert.is(refused(method, `temperature=${value}`), `--set: temperature should be a number from 1e-9 to 1e9, not "${value}"`);
  assert.is(refused("glad", "rho=1e30"), '--set: rho should be a number from 1e-9 to 1e9, not "1e30"');
  assert.is(refused("zscl", "distillation=1e300"), '--set: distillation should be a number from 0 to 1e9, not "1e300"');
  assert.match(refused("replay", "kept=50"), /^--set: replay has no option kept; it has .*, perClass, share$/);
});

test.run();
