/** What benches are given: by name, with the usual where nothing is said, and refused in a sentence. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { argumentsOf } from "../bench/arguments.ts";
import { stepOperands } from "../bench/steps.ts";
import { flag, list, oneOf, toggle } from "../src/cli/flags.ts";
import { describe } from "../src/failure.ts";
import { left, right } from "./either.ts";

const step = { called: "", operands: stepOperands("nano") };
const parts = { called: "", operands: { parts: flag(list(oneOf("a", "b"), true), "PART", "", ["a", "b"]) }, several: true, flags: { tiny: toggle("") } };

test("operands are read in their order", () => {
  assert.equal(right(argumentsOf(step, [])), { name: "nano", batch: undefined, steps: undefined });
  assert.equal(right(argumentsOf(step, ["b16", "8", "3"])), { name: "b16", batch: 8, steps: 3 });
  assert.equal(right(argumentsOf(parts, [])), { parts: ["a", "b"], tiny: false });
  assert.equal(right(argumentsOf(parts, ["b", "--tiny", "a"])), { parts: ["b", "a"], tiny: true });
});

test("what is wrong is said in a sentence", () => {
  for (const [usage, args, said] of [
    [step, ["nanno"], /^name: should be one of nano, .*, not "nanno"; did you mean nano\?$/],
    [step, ["nano", "0"], /^batch: should be a whole number from 1 to 65536, not "0"$/],
    [step, ["nano", "1", "1", "more"], /^more: is one too many; /],
    [step, ["--tiny"], /^--tiny: there is no such flag/],
    [parts, ["a", "c"], /^parts: should be a list .* one of a, b, not "a,c"/],
    [parts, ["a", "a"], /^parts: should be a list with commas in which nothing comes twice/],
  ] as const)
    assert.match(describe(left(argumentsOf<any, any>(usage, args))), said);
});

test.run();
