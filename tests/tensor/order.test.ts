/** The order in which a program runs. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gradient } from "../../src/tensor/gradient.ts";
import { exp, mul, sigmoid, silu, square } from "../../src/tensor/ops/elementwise.ts";
import { shrink } from "../../src/tensor/ops/optimizer.ts";
import { sum } from "../../src/tensor/ops/reduce.ts";
import { outputsOf, rewrite } from "../../src/tensor/passes/pass.ts";
import type { Program } from "../../src/tensor/program.ts";
import { floats, pack } from "../../src/tensor/tensor.ts";
import { traced } from "./check.ts";

const names = ({ schedule }: Program): readonly string[] => schedule.flatMap((node) => (node.kind === "apply" ? [node.op.name] : []));

test("operations run in the order in which they were made, whatever asks for them", () => {
  const program = traced({ inputs: { x: floats([3]), unused: floats([3]) } }, ({ inputs: { x } }) => {
    const [a, b] = [exp(x), square(x)];
    silu(x);
    return { outputs: { last: sigmoid(b), first: mul(b, a) } };
  });
  assert.equal(names(program), ["exp", "square", "sigmoid", "mul"]);
});

test("updates in place run last, with what depends on them", () => {
  const program = traced({ state: { p: floats([3]) }, inputs: { kappa: floats([1]) } }, ({ state: { p }, inputs: { kappa } }) => {
    const shrunk = shrink(p, kappa, "paper");
    return { state: { p: shrunk }, outputs: { after: square(shrunk), before: exp(p) } };
  });
  assert.equal(names(program).at(0), "exp");
  assert.equal(names(program).at(-1), "square");
});

test("a gradient is computed as soon as it can be, though a pack waits for all of them", () => {
  const parameters = ["a", "b", "c"];
  const program = traced(
    { state: Object.fromEntries(parameters.map((name) => [name, floats([64])])), inputs: { x: floats([64]) } },
    ({ state, inputs: { x } }) => {
      const loss = sum(square(parameters.reduce((y, name) => exp(mul(y, state[name])), x)));
      const found = gradient(loss, Object.values(state));
      return { outputs: { g: pack(found, [0, 64, 128], 192) } };
    },
  );
  const { schedule } = program;
  const packed = schedule.find((node) => node.kind === "pack")!;
  const [a, b, c] = (packed.kind === "pack" ? packed.parts : []).map(({ node }) => schedule.indexOf(node));
  // That of `c` is there first, and before the backward pass goes on through `b`.
  assert.ok(c < b && b < a);
  assert.is(b - c, 3, "the gradient of the input of a layer, that of its exp, and that of its parameter");
});

test("what takes the place of a node runs where that node ran", () => {
  const program = traced({ inputs: { x: floats([3]) } }, ({ inputs: { x } }) => {
    const a = exp(x);
    const b = silu(x);
    return { outputs: { y: sigmoid(a), z: square(mul(a, b)) } };
  });
  assert.equal(names(program), ["exp", "silu", "sigmoid", "mul", "square"]);
  const spelled = rewrite(program, (node) => {
    if (node.kind !== "apply" || node.op.name !== "silu") return undefined;
    const [x] = node.inputs;
    return outputsOf(mul(x, sigmoid(x)).node);
  });
  assert.equal(names(spelled), ["exp", "sigmoid", "mul", "sigmoid", "mul", "square"]);
  const again = rewrite(spelled, (node) => (node.kind === "apply" && node.op.name === "exp" ? outputsOf(square(node.inputs[0]).node) : undefined));
  assert.equal(names(again), ["square", "sigmoid", "mul", "sigmoid", "mul", "square"]);
});

test.run();
