import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { extract } from "tar-stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { indexTar, readMember } from "../../src/formats/tar.ts";
import { left, tar, temporaryFolder } from "../fixtures/datasets.ts";

const test = suite("tar");
const { dir, remove } = temporaryFolder("tar");
test.after(remove);

const long = `${"folder/".repeat(20)}with-a-name-that-needs-an-extended-header-é.jpg`;
const files = { "a.txt": "hello", empty: "", [long]: "x".repeat(1000), "b.cls": "7", "last.bin": new Uint8Array(512).fill(3) };

test("every member is found and read on its own, in any order", async () => {
  const path = join(dir, "whole.tar");
  writeFileSync(path, await tar(files));
  const index = await get(indexTar(path, (name) => name.endsWith(".cls")));
  assert.is(index.damage, undefined);
  assert.equal(
    index.members.map((m) => m.name),
    Object.keys(files),
  );
  for (const member of [...index.members].reverse()) {
    assert.equal(Buffer.from(await get(readMember(path, member))), Buffer.from(files[member.name] as string));
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
    const { members, damage } = await get(indexTar(path));
    assert.ok(damage !== undefined && damage._tag === "FileCorrupt" && damage.path === path, `cut at ${size}`);
    assert.match(describe(damage), /at byte \d+: .*member/);
    members.forEach((member, i) => assert.is(member.size, sizes[i]));
  }
});

test("garbage is not an archive; a missing file and a folder are named", async () => {
  const path = join(dir, "garbage.tar");
  writeFileSync(path, new Uint8Array(5000).fill(65));
  assert.is((await get(indexTar(path))).damage?._tag, "FileCorrupt");
  for (const wrong of [join(dir, "missing.tar"), dir]) {
    const failure = left(await indexTar(wrong)());
    assert.ok(failure._tag === "FileUnreadable" && failure.path === wrong);
  }
});

test("an archive that shrank after it was indexed", async () => {
  const path = join(dir, "shrunk.tar");
  const whole = await tar(files);
  writeFileSync(path, whole);
  const { members } = await get(indexTar(path));
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
      for (const member of (await get(indexTar(path))).members) await get(readMember(path, member));
    }),
    { numRuns: 100 },
  );
});

/** The files that tar-stream finds in an archive, and whether it ended well. */
const asTarStream = (bytes: Uint8Array): Promise<readonly [string, number, number][] | undefined> => {
  const found: [string, number, number][] = [];
  const archive = extract();
  archive.on("entry", (header, stream, next) => {
    const { name, size = 0, type } = header;
    const { byteOffset } = header as unknown as { readonly byteOffset: number };
    stream.on("end", () => {
      if (type === "file" || type === "contiguous-file") found.push([name, byteOffset, size]);
      next();
    });
    stream.on("error", () => undefined);
    stream.resume();
  });
  return new Promise((resolve) => {
    archive.on("error", () => resolve(undefined));
    archive.on("finish", () => resolve(found));
    archive.on("close", () => resolve(undefined));
    archive.end(Buffer.from(bytes));
  });
};

const listed = async (path: string): Promise<readonly [string, number, number][] | undefined> => {
  const { members, damage } = await get(indexTar(path));
  return damage === undefined ? members.map(({ name, offset, size }) => [name, offset, size]) : undefined;
};

test("lists what tar-stream lists, also of mutated headers", async () => {
  const whole = await tar({ ...files, [`${long}/${"n".repeat(90)}`]: "z", "dir/": "" });
  const path = join(dir, "same.tar");
  const headers = fc.tuple(fc.constantFrom(0, 1024, 1536, 2048, 2560, 3072, 3584, 4608), fc.nat(511)).map(([block, at]) => block + at);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(headers, fc.constantFrom(0, 32, 48, 49, 53, 55, 75, 76, 120, 128, 255)), { maxLength: 2 }), async (edits) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of edits) bytes[at] = value;
      // A header whose sum is right is read whatever it says.
      for (let block = 0; block + 512 <= bytes.length; block += 512) {
        if (!edits.some(([at]) => at >= block && at < block + 512) || bytes[block + 257] !== 117) continue;
        const sum = bytes.subarray(block, block + 512).reduce((s, byte, i) => s + (i >= 148 && i < 156 ? 32 : byte), 0);
        bytes.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), block + 148);
      }
      writeFileSync(path, bytes);
      const [got, want] = [await listed(path), await asTarStream(bytes)];
      if (want !== undefined) assert.equal(got, want);
    }),
    { numRuns: 300 },
  );
  assert.is((await listed(path)) === undefined, (await asTarStream(readFileSync(path))) === undefined);
});

test("long names in both ways, sizes in base 256, folders and links", async () => {
  const header = (name: string, size: number, flag: string, magic = "ustar\u000000"): Uint8Array => {
    const bytes = new Uint8Array(512);
    const put = (text: string, at: number): void => bytes.set(new TextEncoder().encode(text), at);
    put(name, 0);
    bytes.set([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, size >> 8, size & 255], 124);
    put(flag, 156);
    put(magic, 257);
    const sum = bytes.reduce((s, byte, i) => s + (i >= 148 && i < 156 ? 32 : byte), 0);
    put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return bytes;
  };
  const padded = (text: string): Uint8Array => {
    const bytes = new TextEncoder().encode(text);
    const out = new Uint8Array(512 * Math.ceil(bytes.length / 512));
    out.set(bytes);
    return out;
  };
  const attribute = `${"path=".length + 4 + long.length + 1 + 1} path=${long}\n`;
  const gnu = "ustar  \0";
  const parts = [
    header("folder/", 0, "5"),
    header("link", 0, "2"),
    header("././@LongLink", long.length + 2, "L", gnu),
    padded(`${long}\0`),
    header(long.slice(0, 100), 3, "0", gnu),
    padded("abc"),
    header("PaxHeader", new TextEncoder().encode(attribute).length, "x"),
    padded(attribute),
    header("short", 600, "0"),
    padded("x".repeat(600)),
    new Uint8Array(1024),
  ];
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
  const path = join(dir, "long.tar");
  writeFileSync(path, bytes);
  const got = await listed(path);
  assert.equal(
    got?.map(([name, , size]) => [name, size]),
    [
      [long, 3],
      [long, 600],
    ],
  );
  assert.equal(got, await asTarStream(bytes));
});

test("sizes that are no sizes end the list", async () => {
  const whole = await tar(files);
  const path = join(dir, "sizes.tar");
  for (const [header, text] of [
    [0, "-0000001000\0"],
    [0, "hello\0"],
    [1536, "-0000001000\0"],
    [1536, "77777777777\0"],
  ] as const) {
    const bytes = Uint8Array.from(whole);
    bytes.set(new TextEncoder().encode(text), header + 124);
    const sum = bytes.subarray(header, header + 512).reduce((s, byte, i) => s + (i >= 148 && i < 156 ? 32 : byte), 0);
    bytes.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), header + 148);
    writeFileSync(path, bytes);
    assert.is((await get(indexTar(path))).damage?._tag, "FileCorrupt", `${text} at ${header}`);
  }
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
  const { members, damage } = await get(indexTar(path));
  assert.is(damage, undefined);
  assert.equal(
    members.map((m) => [m.name, m.size]),
    [["./x.jpg", 3]],
  );
});

test.run();
