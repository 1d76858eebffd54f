/** The hub of Hugging Face, or one that speaks as it does: listed by its own package, downloaded into the cache that its other programs use. */
import { mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../../failure.ts";
import { codeOf, firstLine } from "../failures.ts";
import type { Lock } from "../files.ts";
import type { Hub, Snapshot, SnapshotOptions } from "../hub.ts";
import { Damaged, download, partOf, sizeOf } from "./download.ts";
import { blobOf, folderIn, knownCommit, pathsIn, place, rememberCommit, snapshotOf, type CacheFolder } from "./hubCache.ts";
import { checkListed, commitOf, listed, pageOf, Refused, type Asker, type Listed } from "./hubListing.ts";
import { Refusal, requests, Stopped, Unreachable } from "./hubRequest.ts";
import { settingsOf, type Environment } from "./hubSettings.ts";
import { lock as lockFolder } from "./lock.ts";

/** What is known of a repository while its files are fetched. */
interface Asked extends Asker {
  readonly cached: CacheFolder;
  readonly options: SnapshotOptions;
}

/** A file that cannot be kept. */
class Unkept extends Error {}

/** The environment does not say how the hub can be asked. */
class Unfit extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super();
    this.failure = failure;
  }
}

/** The wanted files of a list. */
const chosen = (files: readonly Listed[], { wanted }: SnapshotOptions): readonly Listed[] => {
  const paths = wanted(files.map(({ path }) => path));
  if (E.isLeft(paths)) throw new Refused(`it ${paths.left}`);
  const names = new Set(paths.right);
  const taken = files.filter(({ path }) => names.has(path));
  for (const file of taken) checkListed(file);
  return taken;
};

/** Fails at once where the disk has not the room that a download needs. */
const checkRoom = async (folder: string, needed: number): Promise<void> => {
  const disk = await statfs(folder).catch(() => undefined);
  if (disk === undefined) return;
  const free = disk.bavail * disk.bsize;
  if (free < needed) throw new Unkept(full(`${gibibytes(needed)} are needed and ${gibibytes(free)} are free`));
};

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

const full = (why: string): string => `the disk is full (${why}); make room, or name a folder on another disk with HF_HUB_CACHE`;

/** What of a file must still come. */
const leftOf = async (cached: CacheFolder, { size, digest }: Listed): Promise<number> => {
  const blob = blobOf(cached, digest);
  return (await sizeOf(blob)) === size ? 0 : Math.max(0, size - ((await sizeOf(partOf(blob))) ?? 0));
};

/** Downloads blobs that are missing and places the files. */
const fetchFiles = async (asked: Asked, commit: string, missing: readonly Listed[]): Promise<void> => {
  const { repository, settings, cached, requests, options } = asked;
  await mkdir(blobOf(cached, ""), { recursive: true });
  const total = (await Promise.all(missing.map((file) => leftOf(cached, file)))).reduce((sum, left) => sum + left, 0);
  await checkRoom(cached.folder, total);
  let bytes = 0;
  for (const [i, { path, size, digest }] of missing.entries()) {
    const blob = blobOf(cached, digest);
    const tell = (more: number): void => {
      bytes = Math.min(total, bytes + more);
      options.watch?.({ type: "downloading", repository: repository.name, bytes, total, file: i + 1, files: missing.length });
    };
    if ((await sizeOf(blob)) !== size) {
      tell(0);
      const url = `${pageOf(repository, settings)}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
      await download({ url, size, digest }, blob, requests, tell).catch((error: unknown) => {
        throw error instanceof Damaged ? new Damaged(`${path}: ${error.message}`) : error;
      });
    }
    await place(blob, join(snapshotOf(cached, commit), path));
  }
};

/** Holds the repository as soon as no other process does. */
const held = async ({ repository, cached, requests, options }: Asked): Promise<Lock> => {
  for (let told = false; ; told = true) {
    const lock = await lockFolder(cached.lock)();
    if (E.isRight(lock)) return lock.right;
    if (!("held" in lock.left)) throw new Unkept("detail" in lock.left ? lock.left.detail : lock.left._tag);
    if (!told) options.note?.(`waits for another process that downloads ${repository.name}`);
    await requests.pause(200);
  }
};

/** The snapshot of a commit that the cache has. */
const fromCache = async ({ repository, cached, options }: Asked, why: string, cache = "the cache"): Promise<Snapshot> => {
  const { name, revision = "main" } = repository;
  const commit = await knownCommit(cached, repository);
  const folder = commit === undefined ? undefined : snapshotOf(cached, commit);
  const paths = folder === undefined ? [] : await pathsIn(folder);
  if (commit === undefined || folder === undefined || paths.length === 0) throw new Refused(`${why}, and ${cache} has no ${name}@${revision}`);
  const wanted = options.wanted(paths);
  if (E.isLeft(wanted)) throw new Refused(`${why}, and ${folder} ${wanted.left}`);
  return { folder, commit };
};

const fromHub = async (asked: Asked): Promise<Snapshot> => {
  const { repository, cached, options } = asked;
  const commit = await commitOf(asked);
  const folder = snapshotOf(cached, commit);
  const files = chosen(await listed(asked, commit), options);
  const missing = async (): Promise<readonly Listed[]> => {
    const sizes = await Promise.all(files.map(({ path }) => sizeOf(join(folder, path))));
    return files.filter(({ size }, i) => size !== sizes[i]);
  };
  if ((await missing()).length > 0) {
    const lock = await held(asked);
    try {
      // Another process may have fetched them meanwhile.
      await fetchFiles(asked, commit, await missing());
    } finally {
      await lock.release();
    }
  }
  await rememberCommit(cached, repository, commit);
  return { folder, commit };
};

const snapshot = async (asked: Asked): Promise<Snapshot> => {
  const { repository, settings, cached, options } = asked;
  const cache = `the cache ${cached.folder}`;
  if (settings.offline) return fromCache(asked, "HF_HUB_OFFLINE is set", cache);
  if (options.offline === true) return fromCache(asked, "nothing is downloaded here", cache);
  if (settings.unfit !== undefined) throw new Unfit(settings.unfit);
  try {
    return await fromHub(asked);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    const why = `${settings.endpoint} cannot be reached (${error.message})`;
    const kept = await fromCache(asked, why);
    options.note?.(`${why}; ${repository.name} is taken from the cache, commit ${kept.commit}`);
    return kept;
  }
};

/** What a refusal means, and what to do. */
const refusalInWords = ({ repository, settings }: Asked, { status, code }: Refusal): string => {
  const { kind, revision = "main" } = repository;
  const { endpoint, token } = settings;
  const page = pageOf(repository, settings);
  if (code === "GatedRepo" || status === 403) {
    return token === undefined
      ? `it is gated: ask for access at ${page} and set HF_TOKEN to a token of yours`
      : `it is gated, and your token has no access: ask for it at ${page}, with the account that HF_TOKEN is of`;
  }
  if (code === "RevisionNotFound") return `it has no revision ${revision}`;
  if (code === "RepoNotFound" || status === 401 || status === 404) {
    const account = token === undefined ? "it is private and needs HF_TOKEN" : "it is private and the token in HF_TOKEN (or in HF_HOME/token) may not read it";
    return `${endpoint} has no such ${kind}, or ${account}`;
  }
  return `${endpoint} answers ${status}; try again later`;
};

/** What was thrown, as a failure of the repository. */
const failureOf =
  (asked: Asked) =>
  (error: unknown): Failure => {
    const { name } = asked.repository;
    if (error instanceof Stopped || asked.options.signal?.aborted === true) return { _tag: "Interrupted" };
    if (error instanceof Unfit) return error.failure;
    if (error instanceof Refusal) return { _tag: "FileUnreadable", path: name, detail: refusalInWords(asked, error) };
    if (error instanceof Damaged) return { _tag: "FileCorrupt", path: name, detail: `${error.message}; what was downloaded is not kept` };
    const code = codeOf(error);
    if (!(error instanceof Unkept) && code === undefined) return { _tag: "FileUnreadable", path: name, detail: firstLine(error) };
    const detail = code === "ENOSPC" || code === "EDQUOT" ? full(firstLine(error)) : firstLine(error);
    return { _tag: "FileUnwritable", path: asked.cached.folder, detail };
  };

/** Options of {@link nodeHub}. */
export interface NodeHubOptions {
  readonly environment?: Environment;
  /** Milliseconds between attempts, one after the other. */
  readonly pauses?: readonly number[];
  /** Milliseconds without a byte after which a connection is taken for broken. Default: 30 seconds. */
  readonly silence?: number;
}

/** The hub that the environment names; what it asks is asked anew at every call. */
export const nodeHub = ({ environment = process.env, pauses = [500, 2_000, 6_000], silence = 30_000 }: NodeHubOptions = {}): Hub => ({
  snapshot: (repository, options) => async () => {
    const settings = await settingsOf(environment);
    const { getRepoFolderName } = await import("@huggingface/hub");
    const cached = folderIn(settings.cache, getRepoFolderName({ type: repository.kind, name: repository.name }));
    const asked: Asked = { repository, settings, cached, requests: requests(settings, { pauses, silence, signal: options.signal }), options };
    return snapshot(asked).then(E.right, (error: unknown) => E.left(failureOf(asked)(error)));
  },
});
