/** The cache that Hugging Face's own programs share: `models--org--name/{blobs,refs,snapshots}`, where a snapshot has links to blobs. */
import { copyFile, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Repository } from "../hub.ts";

/** The folder of a repository in the cache, and the folder that a process holds while it downloads to it. */
export interface CacheFolder {
  readonly folder: string;
  readonly lock: string;
}

/** What is a commit and no name of one. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** Where a repository is in a cache; `folderName` is what the hub's package calls it. */
export const folderIn = (cache: string, folderName: string): CacheFolder => ({ folder: join(cache, folderName), lock: join(cache, ".locks", folderName) });

const refOf = ({ folder }: CacheFolder, revision: string): string => join(folder, "refs", ...revision.split("/"));

/** The folder of a commit. */
export const snapshotOf = ({ folder }: CacheFolder, commit: string): string => join(folder, "snapshots", commit);

/** The file of a digest. */
export const blobOf = ({ folder }: CacheFolder, digest: string): string => join(folder, "blobs", digest);

/** The commit that a revision was when it was last asked for; undefined where the cache does not know. */
export const knownCommit = async (cached: CacheFolder, { revision = "main" }: Repository): Promise<string | undefined> => {
  if (isCommit(revision)) return revision;
  const text = await readFile(refOf(cached, revision), "utf8").catch(() => "");
  return isCommit(text.trim()) ? text.trim() : undefined;
};

/** Remembers which commit a revision is. A cache that may only be read is of use, too. */
export const rememberCommit = async (cached: CacheFolder, { revision = "main" }: Repository, commit: string): Promise<void> => {
  if (isCommit(revision) || (await knownCommit(cached, { kind: "model", name: "", revision })) === commit) return;
  const path = refOf(cached, revision);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, commit);
  } catch {
    // It will be asked for again.
  }
};

/** The paths of the files that a snapshot has. */
export const pathsIn = async (snapshot: string): Promise<readonly string[]> => {
  const all = await readdir(snapshot, { recursive: true }).catch(() => []);
  const files = await Promise.all(
    all.map((name) =>
      stat(join(snapshot, name)).then(
        (found) => (found.isFile() ? [name.split(sep).join("/")] : []),
        () => [],
      ),
    ),
  );
  return files.flat().sort();
};

/** Makes a file of a snapshot: a relative link to a blob, so that the cache can be moved; a copy where links cannot be made. */
export const place = async (blob: string, path: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  try {
    await symlink(relative(dirname(path), blob), path);
  } catch {
    await copyFile(blob, path);
  }
};
