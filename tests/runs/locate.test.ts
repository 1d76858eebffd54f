/** Where models and datasets are found. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { Hub } from "../../src/platform/hub.ts";
import { locate } from "../../src/runs/locate.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";

const { dir, remove } = temporaryFolder("locate");
test.after(remove);
mkdirSync(join(dir, "pets"));

test("a folder is found by its path, and named by that from the root on", async () => {
  const found = { folder: join(dir, "pets"), name: join(dir, "pets"), title: "pets" };
  assert.equal(await get(locate("dataset", join(dir, ".", "pets"))), found);
  assert.equal(await get(locate("dataset", "pets", { at: (path) => join(dir, path) })), found);
});

test("what is not there is no folder", async () => {
  assert.is(describe(left(await locate("model", join(dir, "clip"))())), `Cannot read ${join(dir, "clip")}: no such file or directory`);
});

test("a path that is mistyped is no name of the hub, and what is close to it is asked for", async () => {
  for (const name of ["data/dtd10", "data/cars", "data/.hidden"]) mkdirSync(join(dir, name), { recursive: true });
  const hub: Hub = { snapshot: ({ name }) => TE.left({ _tag: "FileUnreadable", path: name, detail: "it is not there" }) };
  const said = async (name: string) => describe(left(await locate("dataset", name, { at: (path) => join(dir, path), hub })()));
  for (const [name, close] of [
    ["data/dtd1", "data/dtd10"],
    ["./data/dtd1", "data/dtd10"],
    ["data/crs/part", "data/cars"],
    ["dat", "data"],
    ["data/zebra", ""],
  ] as const)
    assert.is(await said(name), `Cannot read ${name}: no such file or directory${close === "" ? "" : `; did you mean ${close}?`}`);
});

test("what may be a name of the hub is asked there: of another first folder, or with a revision", async () => {
  const asked: string[] = [];
  const hub: Hub = {
    snapshot: ({ name }) => {
      asked.push(name);
      return TE.left({ _tag: "FileUnreadable", path: name, detail: "it is not there" });
    },
  };
  for (const name of ["org/clip", "data/clip@main"])
    assert.match(describe(left(await locate("model", name, { at: (path) => join(dir, path), hub })())), /; as a repository of the hub: it is not there$/);
  assert.equal(asked, ["org/clip", "data/clip"]);
});

test.run();
