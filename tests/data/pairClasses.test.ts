/** Class folders and names for any lists of them: paired rightly, or refused. */
import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pairClasses } from "../../src/data/pairClasses.ts";

const word = fc.stringMatching(/^[a-z]{1,6}$/);
const words = (minLength: number): fc.Arbitrary<string[]> => fc.uniqueArray(word, { minLength, maxLength: 15 });
const shuffled = <A>(list: readonly A[]): fc.Arbitrary<A[]> => fc.shuffledSubarray([...list], { minLength: list.length });

/** The name of every folder, or undefined where they are refused. */
const paired = (folders: readonly string[], names: readonly string[]): Readonly<Record<string, string>> | undefined => {
  const pairing = pairClasses("classnames.txt", [...folders].sort(), names);
  return E.isLeft(pairing) ? undefined : Object.fromEntries([...pairing.right.labels].map(([folder, label]) => [folder, names[label]]));
};

test("names in any order find their folders, also where some have none", () => {
  fc.assert(
    fc.property(
      words(1).chain((names) => fc.tuple(shuffled(names), fc.subarray(names, { minLength: 1 }))),
      ([names, folders]) => assert.equal(paired(folders, names), Object.fromEntries(folders.map((name) => [name, name]))),
    ),
  );
});

test("the numbers from 0 on are lines, whatever the names, unless these are numbers themselves", () => {
  fc.assert(
    fc.property(words(1), (names) => {
      const numbers = names.map((_, i) => String(i));
      assert.equal(paired(numbers, names), Object.fromEntries(names.map((name, i) => [String(i), name])));
      assert.is(
        paired(
          names.map((_, i) => String(i + 1)),
          names,
        ),
        undefined,
      );
      const reversed = [...numbers].reverse();
      assert.equal(paired(numbers, reversed), Object.fromEntries(numbers.map((number) => [number, number])));
    }),
  );
});

test("where one folder has a name and another has none, all are refused", () => {
  fc.assert(
    fc.property(
      words(3).chain(([strange, ...names]) => fc.tuple(fc.constant(strange), shuffled(names), fc.subarray(names, { minLength: 1 }))),
      ([strange, names, folders]) => {
        assert.is(paired([strange, ...folders], names), undefined);
        const renamed = [...folders.slice(1), strange];
        if (folders.length > 1) assert.is(paired(renamed, folders), undefined);
      },
    ),
  );
});

test.run();
