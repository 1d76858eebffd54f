/** Paths: what `node:path` says of paths with `/` between names. */
import { posix } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { basename, dirname, join } from "../../src/formats/path.ts";

const test = suite("path");

const part = fc.array(fc.constantFrom("", ".", "..", "a", "b.json", "é", "/", "//", "c d"), { maxLength: 6 }).map((names) => names.join("/"));

test("join, dirname and basename are those of node:path", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), part, (parts, path) => {
      assert.is(join(...parts), posix.join(...parts));
      assert.is(dirname(join(path)), posix.dirname(posix.join(path)));
      assert.is(basename(path), posix.basename(path));
    }),
    { numRuns: 2000 },
  );
});

test("what is joined most", () => {
  assert.is(join("models/clip", "config.json"), "models/clip/config.json");
  assert.is(dirname("models/clip/config.json"), "models/clip");
  assert.is(basename("data/pets/"), "pets");
  assert.is(basename(join("C:\\models", "config.json")), "config.json");
});

test.run();
