import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { kernelPipeline, kernelText, type Kernel } from "../../src/kernels/kernel.ts";
import { deviceTest, runTests } from "./check.ts";

test("a text is filled in with its constants, once for the same ones", () => {
  const [plain, squares] = [kernelText("reduce", {}), kernelText("reduce", { SUMSQ: true })];
  assert.ok(E.isRight(plain) && E.isRight(squares));
  assert.match(plain.right, /return sum \+ value/);
  assert.match(squares.right, /return fma\(value, value, sum\)/);
  assert.is(kernelText("reduce", {}), plain);
});

test("a kernel that is not there, or lacks a constant, is a failure that names it", () => {
  for (const [kernel, word] of [
    ["no such kernel", "no such kernel"],
    ["matmul-tiled", "no value for"],
  ]) {
    const text = kernelText(kernel as Kernel, {});
    assert.ok(E.isLeft(text) && text.left._tag === "KernelInvalid");
    assert.ok(describe(text.left).includes(kernel) && describe(text.left).includes(word), describe(text.left));
  }
});

deviceTest("a kernel is compiled once for its constants", async (device) => {
  const pipelines = await Promise.all(["GROUP", "GROUP", "SUMSQ"].map((name) => kernelPipeline(device, "reduce", { [name]: true })()));
  const [one, two, other] = pipelines.map((made) => (E.isRight(made) ? made.right : assert.unreachable()));
  assert.is(one, two);
  assert.is.not(one, other);
});

runTests();
