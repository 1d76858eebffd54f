import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { random } from "../src/random.ts";

const test = suite("random");

test("these numbers, in Node and in Deno, for ever", () => {
  const draw = random(8, "golden", 1, 2);
  const drawn = [draw.uniform(), draw.uniform(), draw.normal(), draw.normal(), draw.normal(), draw.integer(1000), ...draw.permutation(8)];
  const [uniforms, normals] = [
    [0.04146091871307567, 0.943510178058533],
    [-1.8505711555480957, -1.342109203338623, -0.2064659744501114],
  ];
  assert.equal(drawn, [...uniforms, ...normals, 187, 3, 0, 7, 5, 2, 6, 1, 4]);
});

test("equal arguments give equal streams; any other argument another", () => {
  const first = (...args: Parameters<typeof random>): readonly number[] => {
    const draw = random(...args);
    return [draw.uniform(), draw.normal()];
  };
  const base = first(1, "a", 0, 1);
  assert.equal(first(1, "a", 0, 1), base);
  for (const other of [first(2, "a", 0, 1), first(1, "b", 0, 1), first(1, "a", 1, 0), first(1, "a", 0), first(1, "a", 0, 1, 0), first(1, "a0", 1)]) {
    assert.not.equal(other, base);
  }
});

test("the distributions have their moments", () => {
  const draw = random(1, "moments");
  const n = 40_000;
  const mean = (f: () => number): number => Array.from({ length: n }, f).reduce((a, b) => a + b, 0) / n;
  assert.ok(Math.abs(mean(draw.uniform) - 0.5) < 0.01);
  assert.ok(Math.abs(mean(() => draw.uniform() ** 2) - 1 / 3) < 0.01);
  assert.ok(Math.abs(mean(draw.normal)) < 0.02);
  assert.ok(Math.abs(mean(() => draw.normal() ** 2) - 1) < 0.03);
  assert.ok(Math.abs(mean(() => draw.normal() ** 4) - 3) < 0.2);
  assert.ok(Math.abs(mean(() => draw.integer(7)) - 3) < 0.05);
});

test("normal numbers are f32, integers are in range, permutations hold each once", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 50 }), (seed, n) => {
      const draw = random(seed, "laws");
      const z = draw.normal();
      assert.is(Math.fround(z), z);
      const i = draw.integer(n);
      assert.ok(Number.isInteger(i) && i >= 0 && i < n);
      assert.equal(
        [...draw.permutation(n)].sort((a, b) => a - b),
        Array.from({ length: n }, (_, k) => k),
      );
    }),
  );
});

test("every order of three is as likely", () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const key = random(3, "orders", i).permutation(3).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.is(counts.size, 6);
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 150);
});

test.run();
