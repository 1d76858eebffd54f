import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { indexTar, readMember } from "../../src/formats/tar.ts";
import { left, right, tar, temporaryFolder } from "../fixtures/datasets.ts";

const test = suite("tar");
const { dir, remove } = temporaryFolder("tar");
test.after(remove);

const long = `${"folder/".repeat(20)}with-a-name-that-needs-an-extended-header-é.jpg`;
const files = { "a.txt": "hello", empty: "", [long]: "x".repeat(1000), "b.cls": "7", "last.bin": new Uint8Array(512).fill(3) };

test("every member is found and read on its own, in any order", async () => {
  const path = join(dir, "whole.tar");
  writeFileSync(path, await tar(files));
  const index = right(await indexTar(path, (name) => name.endsWith(".cls"))());
  assert.is(index.damage, undefined);
  assert.equal(
    index.members.map((m) => m.name),
    Object.keys(files),
  );
  for (const member of [...index.members].reverse()) {
    assert.equal(Buffer.from(right(await readMember(path, member)())), Buffer.from(files[member.name] as string));
  }
  assert.equal(
    index.members.map((m) => m.bytes && new TextDecoder().decode(m.bytes)),
    [undefined, undefined, undefined, "7", undefined],
  );
});

test("an archive cut anywhere lists what is whole and names where it ends", async () => {
  const whole = await tar(files);
  const path = join(dir, "cut.tar");
  const sizes = Object.values(files).map((content) => content.length);
  for (const size of [0, 1, 511, 512, 600, 1024, 1500, 2000, 2600, 3000, whole.length - 1024 - 512, whole.length - 1024]) {
    writeFileSync(path, whole.subarray(0, size));
    const { members, damage } = right(await indexTar(path)());
    assert.ok(damage !== undefined && damage._tag === "FileCorrupt" && damage.path === path, `cut at ${size}`);
    assert.match(describe(damage), /at byte \d+: .*member/);
    members.forEach((member, i) => assert.is(member.size, sizes[i]));
  }
});

test("garbage is not an archive; a missing file and a folder are named", async () => {
  const path = join(dir, "garbage.tar");
  writeFileSync(path, new Uint8Array(5000).fill(65));
  assert.is(right(await indexTar(path)()).damage?._tag, "FileCorrupt");
  for (const wrong of [join(dir, "missing.tar"), dir]) {
    const failure = left(await indexTar(wrong)());
    assert.ok(failure._tag === "FileUnreadable" && failure.path === wrong);
  }
});

test("an archive that shrank after it was indexed", async () => {
  const path = join(dir, "shrunk.tar");
  const whole = await tar(files);
  writeFileSync(path, whole);
  const { members } = right(await indexTar(path)());
  writeFileSync(path, whole.subarray(0, 700));
  assert.match(describe(left(await readMember(path, members[4])())), /ends within member last\.bin/);
});

test("mutated archives never throw", async () => {
  const whole = await tar(files);
  const path = join(dir, "mutated.tar");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(1500), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }), async (edits) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of edits) bytes[at] = value;
      writeFileSync(path, bytes);
      for (const member of right(await indexTar(path)()).members) right(await readMember(path, member)());
    }),
    { numRuns: 100 },
  );
});

const hasTar = (() => {
  try {
    execFileSync("tar", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
(hasTar ? test : test.skip)("reads what the system's tar writes", async () => {
  writeFileSync(join(dir, "x.jpg"), "abc");
  const path = join(dir, "system.tar");
  execFileSync("tar", ["-cf", path, "-C", dir, "./x.jpg"]);
  const { members, damage } = right(await indexTar(path)());
  assert.is(damage, undefined);
  assert.equal(
    members.map((m) => [m.name, m.size]),
    [["./x.jpg", 3]],
  );
});

test.run();
