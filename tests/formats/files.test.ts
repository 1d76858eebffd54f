import { lstatSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import * as t from "io-ts";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { readBytes, readJson, readJsonAs, readText, writeAtomic, writeJson, writeText } from "../../src/formats/files.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";

const test = suite("files");
const { dir, remove } = temporaryFolder("files");
test.after(remove);

const linux = process.platform === "linux" ? test : test.skip;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("reads name the path of what is missing, a folder, not UTF-8, not JSON", async () => {
  for (const path of [join(dir, "missing"), dir]) {
    const failure = left(await readBytes(path)());
    assert.ok(failure._tag === "FileUnreadable" && failure.path === path);
    assert.not.match(describe(failure), /ENOENT|EISDIR.*'|\n/);
  }
  const path = join(dir, "bad");
  writeFileSync(path, Uint8Array.of(0xff, 0xfe));
  assert.is(left(await readText(path)())._tag, "FileCorrupt");
  writeFileSync(path, "{");
  assert.is(left(await readJson(path)())._tag, "FileCorrupt");
  writeFileSync(path, "\ufeff{}");
  assert.equal(await get(readJson(path)), {});
});

test("a JSON file that does not fit names the key", async () => {
  const path = join(dir, "config.json");
  const codec = t.type({ vision: t.type({ width: t.number }) });
  writeFileSync(path, `{"vision": {"width": "768"}}`);
  assert.is(describe(left(await readJsonAs(codec, path)())), `${path}: "vision.width" should be number and is "768"`);
  writeFileSync(path, `{"vision": {"width": 768}}`);
  assert.is((await get(readJsonAs(codec, path))).vision.width, 768);
});

test("writes a file from chunks, over an old one, into a new folder", async () => {
  const path = join(dir, "new", "deep", "file");
  await get(writeAtomic(path, [bytes("a"), new Uint8Array(0), bytes("bc")]));
  await get(
    writeAtomic(
      path,
      (async function* () {
        yield bytes("over");
      })(),
    ),
  );
  assert.is(readFileSync(path, "utf8"), "over");
  await get(writeText(path, "é"));
  await get(writeJson(path, { a: 1 }));
  assert.is(readFileSync(path, "utf8"), '{\n  "a": 1\n}\n');
  assert.equal(readdirSync(join(dir, "new", "deep")), ["file"]);
});

linux("a link stays a link, and a device or a pipe is not written to", async () => {
  const [target, linked] = [join(dir, "target"), join(dir, "linked")];
  writeFileSync(target, "old");
  symlinkSync(target, linked);
  await get(writeText(linked, "new"));
  assert.ok(lstatSync(linked).isSymbolicLink());
  assert.is(readFileSync(target, "utf8"), "new");
  symlinkSync("/dev/null", join(dir, "device"));
  const failure = left(await writeText(join(dir, "device"), "lost")());
  assert.match(describe(failure), /device: it is not a file but a pipe, a socket or a device$/);
  assert.ok(statSync("/dev/null").isCharacterDevice());
});

test("a value that is no JSON is not written", async () => {
  const path = join(dir, "circle.json");
  writeFileSync(path, "old");
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const failure = left(await writeJson(path, circle)());
  assert.ok(failure._tag === "FileUnwritable" && failure.path === path);
  assert.is(readFileSync(path, "utf8"), "old");
});

test.run();
