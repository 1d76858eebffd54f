import { test } from "uvu";
import * as assert from "uvu/assert";
import { flag, list, oneOf, optional, parseFlags, positive, some, whole } from "../../src/cli/flags.ts";
import { usage } from "../../src/cli/help.ts";
import { left, right } from "../fixtures/datasets.ts";

const table = {
  name: flag(some, "TEXT", "a name"),
  steps: optional(whole(1, 9), "N", "steps"),
  lr: flag(positive(1), "X", "a rate", 0.5),
  space: flag(oneOf("task", "union"), "S", "a space", "task"),
  parts: optional(list(oneOf("a", "b"), true), "LIST", "parts"),
};

const parse = (...args: readonly string[]) => parseFlags(table, args);
const refused = (...args: readonly string[]): string => {
  const failure = left(parse(...args));
  return failure._tag === "BadOption" ? `${failure.option}: ${failure.detail}` : failure._tag;
};

test("what is given is decoded, what is not has its default", () => {
  assert.equal(right(parse("--name", "x")), { name: "x", steps: undefined, lr: 0.5, space: "task", parts: undefined });
  assert.equal(right(parse("--", "--name=a=b", "--steps", "9", "--lr", "1e-3", "--space=union", "--parts", "b, a")), {
    name: "a=b",
    steps: 9,
    lr: 1e-3,
    space: "union",
    parts: ["b", "a"],
  });
});

test("a value may begin with one dash, not with two", () => {
  assert.is(right(parse("--name", "-x")).name, "-x");
  assert.match(refused("--name", "--lr", "1"), /^--name: needs a value/);
});

test("numbers are plain decimal numbers in their range", () => {
  for (const bad of ["", "0", "10", "1.5", "-1", "0x2", "1e99", "NaN", "Infinity", "2 "]) {
    assert.match(refused("--name=x", `--steps=${bad}`), /^--steps: should be a whole number from 1 to 9/);
  }
  for (const bad of ["0", "-0.1", "1.1", "five", "1e400"]) {
    assert.match(refused("--name=x", `--lr=${bad}`), /^--lr: should be a number above 0 and at most 1/);
  }
  for (const good of ["1", ".5", "1.", "5e-1"]) right(parse("--name=x", `--lr=${good}`));
});

test("words and lists", () => {
  assert.is(refused("--name=x", "--space=Task"), '--space: should be one of task, union, not "Task"; did you mean task?');
  for (const bad of ["", "a,", "a,c", "a,a"]) assert.match(refused("--name=x", `--parts=${bad}`), /^--parts: should be a list/);
});

test("usage has a line a flag", () => {
  assert.equal(usage("head", { steps: table.steps, name: table.name }).split("\n"), ["head", "", "  --steps N    steps", "  --name TEXT  a name"]);
});

test.run();
