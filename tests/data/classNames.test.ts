/** Classes of one name: found through all tasks of a stream, and said in one line. */
import fc from "fast-check";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { firstOfName, sharedNames } from "../../src/data/classNames.ts";
import type { ClassTask } from "../../src/data/task.ts";

const task = (name: string, classNames: readonly string[]): ClassTask => ({ name, classNames, templates: ["{c}"], train: TE.right([]), test: TE.right([]) });

test("every class has the number of the first of its name, whatever its letters and however it is composed", () => {
  const tasks = [task("a", ["cat", "caf\u00e9", "dog"]), task("b", ["Dog", "eel", "cafe\u0301"]), task("c", [" cat", "c a t"])];
  assert.equal(firstOfName(tasks), [0, 1, 2, 2, 4, 1, 0, 7]);
});

test("the first of a name is a class of that name, and no class before it is", () => {
  const names = fc.array(fc.array(fc.constantFrom("ant", "bee", "cat", "dog", "eel"), { maxLength: 5 }), { maxLength: 4 });
  fc.assert(
    fc.property(names, (lists) => {
      const all = lists.flat();
      const first = firstOfName(lists.map((list, i) => task(`${i}`, list)));
      assert.equal(
        first,
        all.map((name) => all.indexOf(name)),
      );
    }),
  );
});

test("a note names the names that several tasks have; there is none where tasks are scored alone, or all names differ", () => {
  const tasks = [task("pets", ["cat", "dog"]), task("photos", ["dog", "cat", "tree"]), task("odd", ["ox", "ox"])];
  const said = "several tasks have classes of one name, and an answer with that name is right: ";
  assert.is(sharedNames({ tasks }, ["union"]), `${said}"cat" (pets, photos), "dog" (pets, photos)`);
  assert.is(sharedNames({ tasks }, ["task", "seen"]), sharedNames({ tasks }, ["union"]));
  assert.is(sharedNames({ tasks }, ["task"]), undefined);
  assert.is(sharedNames({ tasks: tasks.slice(1) }, ["seen"]), undefined);
  const many = Array.from({ length: 9 }, (_, i) => `class ${i}`);
  assert.match(sharedNames({ tasks: [task("x", many), task("y\n", many)] }, ["union"])!, /"class 4" \(x, y\ufffd\) and 4 more$/);
});

test.run();
