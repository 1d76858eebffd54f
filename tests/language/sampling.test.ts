/** Tokens by their logits: laws, and how often each is drawn. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { argmax, sample } from "../../src/language/sampling.ts";
import { random } from "../../src/random.ts";

/** Quarters: sums of logits are exact, and equal ones are there. */
const logits = fc.array(fc.integer({ min: -80, max: 80 }), { minLength: 1, maxLength: 40 }).map((list) => Float32Array.from(list, (v) => v / 4));
const drawing = (seed: number) => () => random(seed, "test");
const never = () => assert.unreachable("nothing is drawn") as never;

/** The shares of the softmax. */
const shares = (x: Float32Array, temperature: number): readonly number[] => {
  const e = Array.from(x, (v) => Math.exp((v - x[argmax(x)]) / temperature));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
};

test("the likeliest token is the first of the largest", () => {
  fc.assert(fc.property(logits, (x) => assert.is(argmax(x), x.indexOf(x.reduce((a, b) => Math.max(a, b))))));
  assert.is(argmax(Float32Array.of(-Infinity, 2, 5, 5, -1)), 2);
  assert.is(sample(Float32Array.of(3, 3), {}, never), 0);
});

test("with temperature 0, or a small share of the probability, the likeliest is taken", () => {
  fc.assert(
    fc.property(logits, fc.nat(), (x, seed) => {
      assert.is(sample(x, { temperature: 0, topP: 0.5 }, never), argmax(x));
      assert.is(sample(x, { temperature: 1, topP: 1e-9 }, drawing(seed)), argmax(x));
    }),
  );
});

test("a temperature that goes to 0 takes one of the largest", () => {
  fc.assert(fc.property(logits, fc.nat(), (x, seed) => assert.is(x[sample(x, { temperature: 1e-9 }, drawing(seed))], x[argmax(x)])));
});

test("equal draws give equal tokens, whatever is added to all logits", () => {
  fc.assert(
    fc.property(logits, fc.nat(), fc.double({ min: 0.1, max: 3, noNaN: true }), fc.double({ min: 0.05, max: 1, noNaN: true }), (x, seed, temperature, topP) => {
      const token = sample(x, { temperature, topP }, drawing(seed));
      assert.is(sample(x, { temperature, topP }, drawing(seed)), token);
      assert.is(
        sample(
          x.map((v) => v + 8),
          { temperature, topP },
          drawing(seed),
        ),
        token,
      );
    }),
  );
});

test("a token that is drawn belongs to the fewest that have the share together", () => {
  fc.assert(
    fc.property(logits, fc.nat(), fc.double({ min: 0.05, max: 0.999, noNaN: true }), (x, seed, topP) => {
      const token = sample(x, { temperature: 1, topP }, drawing(seed));
      const likelier = shares(x, 1).filter((_, i) => x[i] > x[token]);
      assert.ok(likelier.reduce((a, b) => a + b, 0) < topP + 1e-9, `${likelier.length} tokens before it are enough`);
    }),
  );
});

test("tokens are drawn as often as they should be", () => {
  const x = Float32Array.of(2, 0.5, -1, 1.2, -3);
  const draws = 20_000;
  for (const [temperature, topP, among] of [
    [1, 1, [0, 1, 2, 3, 4]],
    [0.7, 1, [0, 1, 2, 3, 4]],
    [1, 0.8, [0, 3]],
    [2, 0.9, [0, 1, 2, 3]],
  ] as const) {
    const counts = new Uint32Array(5);
    const draw = random(3, "draws", temperature, topP);
    for (let i = 0; i < draws; i++) counts[sample(x, { temperature, topP }, () => draw)] += 1;
    const all = shares(x, temperature);
    const total = [...among].reduce((sum: number, i) => sum + all[i], 0);
    counts.forEach((count, i) => {
      const want = (among as readonly number[]).includes(i) ? all[i] / total : 0;
      assert.ok(Math.abs(count / draws - want) < 4 * Math.sqrt((want * (1 - want)) / draws) + 1e-9, `token ${i}: ${count / draws} instead of ${want}`);
    });
  }
});

test.run();
