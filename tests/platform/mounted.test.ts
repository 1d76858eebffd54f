/** What a person picks gets a path: files with the paths that a browser gives them, files alone, and folders. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { PickedFile, PickedFolder } from "../../src/platform/mount.ts";
import { filesOf } from "../../src/platform/web/files.ts";
import { left } from "../either.ts";

const picked = (name: string, webkitRelativePath = ""): PickedFile => {
  const blob = new Blob([`text of ${name}`]);
  return { name, webkitRelativePath, size: blob.size, slice: (from, to) => blob.slice(from, to) };
};

const none = (): never => {
  throw new Error("nobody asks for the page's own storage");
};
const { files, mount } = filesOf({ root: none, locks: none });

const names = async (path: string): Promise<readonly string[]> => (await get(files.list(path))).map(({ name, kind }) => `${name} ${kind}`).sort();
const text = async (path: string): Promise<string> => new TextDecoder().decode(await get(files.read(path)));

test("files of a picked folder stand where they stood in it", async () => {
  assert.is(
    await get(mount("pets", [picked("a.png", "My pets/cat/a.png"), picked("b.png", "My pets/cat/b.png"), picked("notes", "My pets/notes")])),
    "/mounted/pets",
  );
  assert.equal(await names("/mounted/pets"), ["cat folder", "notes file"]);
  assert.equal(await names("/mounted/pets/cat/."), ["a.png file", "b.png file"]);
  assert.is(await text("/mounted/pets/cat/../cat/b.png"), "text of b.png");
  assert.equal(await names("/mounted"), ["pets folder"]);
  assert.ok(await files.exists("/mounted/pets/cat")());
  assert.not.ok(await files.exists("/mounted/pets/dog")());
  assert.match(describe(left(await files.read("/mounted/pets/dog/a.png")())), /^Cannot read \/mounted\/pets\/dog\/a\.png: no such file or directory$/);
  assert.match(describe(left(await files.read("/mounted/pets/cat")())), /it is a folder$/);
  assert.match(describe(left(await files.list("/mounted/pets/notes")())), /it is a file and no folder$/);
});

test("files alone stand side by side, and another source takes the place of one before", async () => {
  await get(mount("mine", [picked("a"), picked("b")]));
  assert.equal(await names("/mounted/mine"), ["a file", "b file"]);
  await get(mount("mine", [picked("c")]));
  assert.equal(await names("/mounted/mine"), ["c file"]);
});

/** A folder as a browser gives it to a page. */
const folder = (name: string, entries: Readonly<Record<string, PickedFile | PickedFolder>>): PickedFolder => {
  const thrown = (name: string): DOMException => new DOMException("", name);
  return {
    kind: "directory",
    name,
    async *values() {
      for (const [name, entry] of Object.entries(entries)) yield { name, kind: "size" in entry ? "file" : "directory" };
    },
    getFileHandle: async (name) => {
      const entry = entries[name];
      if (entry === undefined) throw thrown("NotFoundError");
      if (!("size" in entry)) throw thrown("TypeMismatchError");
      return { getFile: async () => entry };
    },
    getDirectoryHandle: async (name) => {
      const entry = entries[name];
      if (name === "locked") throw thrown("NotAllowedError");
      if (entry === undefined) throw thrown("NotFoundError");
      if ("size" in entry) throw thrown("TypeMismatchError");
      return entry;
    },
  };
};

test("a picked folder is read as it is, and says where the browser does not let it", async () => {
  const path = await get(mount("disk", folder("disk", { cat: folder("cat", { "a.png": picked("a.png") }), notes: picked("notes") })));
  assert.equal(await names(path), ["cat folder", "notes file"]);
  assert.equal(await names(`${path}/cat`), ["a.png file"]);
  assert.is(await text(`${path}/cat/a.png`), "text of a.png");
  assert.is(await text(`${path}/notes`), "text of notes");
  assert.match(describe(left(await files.read(`${path}/dog/a.png`)())), /: no such file or directory$/);
  assert.match(describe(left(await files.read(`${path}/notes/a.png`)())), /: no such file or directory$/);
  assert.match(describe(left(await files.list(`${path}/locked`)())), /: the browser does not let this page read it any more; pick it again$/);
});

test("what was picked is not written, and a name is one of a folder", async () => {
  assert.is(
    describe(left(await files.write("/mounted/pets/new", [])())),
    "Cannot write /mounted/pets/new: what was picked is read and not written; name a path in the browser's own storage",
  );
  for (const name of ["", ".", "..", "a/b", "/a"]) assert.match(describe(left(await mount(name, [])())), /is no name of a folder/);
  assert.match(describe(left(await files.list("/mounted/other")())), /nothing of this name is picked/);
});

test.run();
