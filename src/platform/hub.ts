/** What Cambium asks of a hub of models and datasets: the files of a repository, at one commit, in a folder. */
import type { Either } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";

/** A repository of a hub. */
export interface Repository {
  readonly kind: "model" | "dataset";
  /** `org/name`. */
  readonly name: string;
  /** A branch, a tag or a commit. Default: `main`. */
  readonly revision?: string;
}

/** The files of a repository at a commit. */
export interface Snapshot {
  readonly folder: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
}

/** How far a download is: `bytes` of the `total` that were missing when it began have come, and `file` comes now. */
export interface Downloading {
  readonly type: "downloading";
  readonly repository: string;
  readonly bytes: number;
  readonly total: number;
  readonly file: number;
  readonly files: number;
}

/** What is wanted of a repository, and who watches. */
export interface SnapshotOptions {
  /** Those that are wanted of the files of the repository; on the left, what it lacks, as the end of a sentence ("has no …"). */
  readonly wanted: (paths: readonly string[]) => Either<string, readonly string[]>;
  /** Whether the cache alone is looked into. Default: false. */
  readonly offline?: boolean;
  readonly watch?: (event: Downloading) => void;
  /** Called with what somebody should know and nothing fails by. */
  readonly note?: (line: string) => void;
  /** Aborted when the download should stop; what has come is kept for the next time. */
  readonly signal?: { readonly aborted: boolean };
}

/** A hub, with a cache of what was downloaded from it. */
export interface Hub {
  /**
   * The wanted files of a repository, downloaded where the cache lacks them. Fails with `FileUnreadable` where the hub does not have them, does not give them,
   * is none, or cannot be reached; with `FileCorrupt` where what it sends is not what it has listed; with `FileUnwritable` where the cache cannot be written
   * to; with `BadOption` where the environment names an address or a token that can be none; with `Interrupted` on request.
   */
  readonly snapshot: (repository: Repository, options: SnapshotOptions) => TaskEither<Failure, Snapshot>;
}
