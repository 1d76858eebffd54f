/**
 * SwiftShader, a Vulkan driver in software, from the npm package `@sparticuz/chromium`: unpacked once into the user's cache folder.
 */
import { createReadStream } from "node:fs";
import { access, chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-stream";

/** The driver, what tells the loader of it, and the loader itself for machines without one. */
const members = ["libvk_swiftshader.so", "vk_swiftshader_icd.json", "libvulkan.so.1"] as const;

/** The paths of an unpacked SwiftShader. */
export interface SwiftShader {
  readonly icd: string;
  readonly loader: string;
}

const complete = async (dir: string): Promise<boolean> =>
  (
    await Promise.all(
      members.map((m) =>
        access(join(dir, m)).then(
          () => true,
          () => false,
        ),
      ),
    )
  ).every(Boolean);

/** Another user must not be able to plant a library that this process will load. */
const ours = async (dir: string): Promise<void> => {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (process.getuid !== undefined && (await stat(dir)).uid !== process.getuid()) throw new Error(`${dir} belongs to another user`);
};

const unpack = async (archive: string, dir: string): Promise<void> => {
  const tar = extract();
  tar.on("entry", (header, stream, next) => {
    const name = members.find((m) => m === header.name.replace(/^\.\//, ""));
    if (name === undefined) {
      stream.resume();
      stream.on("end", () => next());
      return;
    }
    const chunks: Uint8Array[] = [];
    stream.on("data", (chunk: unknown) => chunks.push(chunk as Uint8Array));
    stream.on("end", () => {
      const path = join(dir, name);
      writeFile(path, Buffer.concat(chunks))
        .then(() => chmod(path, 0o755))
        .then(() => next(), next);
    });
  });
  await pipeline(createReadStream(archive), createBrotliDecompress(), tar);
};

const place = async (archive: string, parent: string, name: string): Promise<string> => {
  await ours(parent);
  const dir = join(parent, name);
  if (await complete(dir)) return dir;
  // Unpacked beside the target and renamed: two processes that start together never see half a library.
  const temporary = await mkdtemp(join(parent, `${name}.`));
  try {
    await unpack(archive, temporary);
    if (!(await complete(temporary))) throw new Error(`${archive} lacks one of ${members.join(", ")}`);
    await rename(temporary, dir).catch(async () => {
      if (await complete(dir)) return;
      await rm(dir, { recursive: true, force: true });
      await rename(temporary, dir);
    });
    return dir;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};

/** SwiftShader's files, unpacked if they are not yet; rejects with a reason where the package is missing or nothing can be written. */
export const swiftShader = async (): Promise<SwiftShader> => {
  if (process.platform !== "linux" || process.arch !== "x64") throw new Error("the package carries it for Linux on x86-64 only");
  const root = join(createRequire(import.meta.url).resolve("@sparticuz/chromium"), "../../..");
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  const archive = join(root, "bin", "swiftshader.tar.br");
  const name = `swiftshader-${version}`;
  const home = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const dir = await place(archive, join(home, "cambium"), name).catch(() => place(archive, join(tmpdir(), `cambium-${process.getuid?.() ?? "user"}`), name));
  return { icd: join(dir, "vk_swiftshader_icd.json"), loader: join(dir, "libvulkan.so.1") };
};
