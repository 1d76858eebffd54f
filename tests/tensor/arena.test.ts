/** Buffers that values share: never two at a time, and hardly more bytes than what lives at once. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeArena, type Holder } from "../../src/tensor/arena.ts";
import { floats, leaf } from "../../src/tensor/tensor.ts";

const holder = (): Holder => leaf("input", "x", floats([]));

test("values share a buffer only where their lives do not meet, and no value is larger than its buffer", () => {
  const events = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 5 }), owned: fc.boolean(), until: fc.integer({ min: 0, max: 8 }) }), { maxLength: 40 });
  fc.assert(
    fc.property(events, (values) => {
      const arena = makeArena();
      const numbers: number[] = [];
      // Of values that meet, both are alive at the beginning of the later one.
      const together: (readonly [number, number])[] = [];
      let alive: { readonly number: number; readonly holder: Holder; readonly until: number }[] = [];
      values.forEach(({ bytes, owned, until }, at) => {
        for (const gone of alive.filter((a) => a.until < at)) arena.free(gone.number, gone.holder);
        alive = alive.filter((a) => a.until >= at);
        const held = holder();
        const number = owned ? arena.own("own", bytes) : arena.allocate("value", bytes, held);
        numbers.push(number);
        alive.push({ number, holder: held, until: owned ? Infinity : at + until });
        for (const a of alive) if (a.number !== number) together.push([a.number, number]);
      });
      const { buffers, bufferOf } = arena.settle();
      numbers.forEach((number, i) => assert.ok(buffers[bufferOf(number)].bytes >= values[i].bytes));
      for (const [a, b] of together) assert.is.not(bufferOf(a), bufferOf(b));
      assert.equal(
        [...new Set(numbers.map(bufferOf))].sort((a, b) => a - b),
        [...buffers.keys()],
        "every buffer is of some value",
      );
    }),
  );
});

test("memory that is handed on is freed by the value that took it over, and by no other", () => {
  const arena = makeArena();
  const [first, second, third] = [holder(), holder(), holder()];
  const number = arena.allocate("first", 8, first);
  arena.hand(number, second);
  arena.free(number, first);
  const beside = arena.allocate("third", 8, third);
  arena.free(number, second);
  const after = arena.allocate("first again", 8, first);
  const { buffers, bufferOf } = arena.settle();
  assert.is(buffers.length, 2);
  assert.is(bufferOf(after), bufferOf(number));
  assert.is.not(bufferOf(beside), bufferOf(number));
});

test("small values that come first make no room for large ones to waste", () => {
  const arena = makeArena();
  // A slot that grew would be as large as the largest value twice.
  for (const bytes of [1, 100, 2, 50, 100, 3]) {
    const [value, other] = [holder(), holder()];
    const numbers = [arena.allocate("value", bytes, value), arena.allocate("other", 1, other)];
    arena.free(numbers[0], value);
    arena.free(numbers[1], other);
  }
  assert.is(
    arena.settle().buffers.reduce((n, b) => n + b.bytes, 0),
    101,
  );
});

test.run();
