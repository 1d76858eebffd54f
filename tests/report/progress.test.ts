import { test } from "uvu";
import * as assert from "uvu/assert";
import { progress } from "../../src/report/progress.ts";
import type { ProgressOptions } from "../../src/report/progress.ts";

/** A sink that keeps what was written, and a clock that is set by hand. */
const bench = (options: Partial<ProgressOptions> & { readonly tty?: boolean; readonly columns?: number } = {}) => {
  const written: string[] = [];
  const clock = { ms: 0 };
  const sink = { write: (text: string) => written.push(text), isTTY: options.tty, columns: options.columns };
  return { written, clock, p: progress({ sink, now: () => clock.ms, ...options }) };
};

test("without a terminal: a plain line now and then, and one at the end", () => {
  const { written, clock, p } = bench();
  const bar = p.start("animals", 100);
  for (let i = 1; i <= 100; i += 1) {
    clock.ms += 120;
    bar.update(i, `loss ${(4 - i / 50).toFixed(2)}`);
  }
  bar.done("accuracy 71.0 %");
  assert.equal(written, [
    "animals: 42 %, 42/100, 7.0 s left, loss 3.16\n",
    "animals: 84 %, 84/100, 1.9 s left, loss 2.32\n",
    "animals: 100 in 12 s, accuracy 71.0 %\n",
  ]);
});

test("in a terminal: a bar that redraws itself within the width", () => {
  const { written, clock, p } = bench({ tty: true, columns: 40 });
  const bar = p.start("food", 4);
  clock.ms = 1000;
  bar.update(1, "a note that is far too long for the line");
  clock.ms = 1050;
  bar.update(2);
  bar.done();
  assert.is(written.length, 3);
  for (const text of written) assert.ok(text.startsWith("\r\u001b[2K"));
  assert.is([...written[1].slice(5)].length, 39);
  assert.match(written[1], "\u2588\u2588\u2588\u2588\u2588\u2588\u2591");
  assert.is(written[2], "\r\u001b[2Kfood: 4 in 1.1 s\n");
});

test("a terminal that does not know its width says 0, and gets lines of the usual one", () => {
  const { written, p } = bench({ tty: true, columns: 0 });
  p.start("food", 4);
  assert.match(written[0], /food \u2591{24} {3}0 % {2}0\/4$/);
});

test("names and notes from outside cannot change the terminal", () => {
  const { written, p } = bench();
  p.start("a\u001b[2J\nb", 1).done("c\r");
  assert.equal(written, ["a\\u001b[2J\\u000ab: 1 in 0.0 s, c\\u000d\n"]);
});

test("a line goes above an open bar", () => {
  const { written, p } = bench({ tty: true });
  p.line("before");
  const bar = p.start("food", 2);
  p.line("between");
  bar.stop("on request");
  p.line("after");
  bar.update(2);
  bar.done();
  assert.is(written[0], "before\n");
  assert.is(written[2], "\r\u001b[2Kbetween\n");
  assert.match(written[3], "food \u2591");
  assert.is(written[4], "\r\u001b[2Kfood: stopped at 0 of 2 after 0.0 s, on request\n");
  assert.is(written[5], "after\n");
  assert.is(written.length, 6);
});

test("silent writes nothing, and no work is no division by zero", () => {
  const { written, p } = bench({ silent: true, tty: true });
  p.line("x");
  p.start("x", 3).done();
  assert.equal(written, []);
  const empty = bench({ every: 0 });
  const bar = empty.p.start("nothing", 0);
  bar.update(0);
  bar.done();
  assert.equal(empty.written, ["nothing: 100 %, 0/0\n", "nothing: 0 in 0.0 s\n"]);
});

test.run();
