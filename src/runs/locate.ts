/**
 * Where models and datasets are: what a person calls one becomes a folder, and a name that means the same wherever a job is read.
 *
 * A path that is there always wins, and in a browser an address does. Else `org/name`, `org/name@revision` (a branch, a tag, a commit) is a repository
 * of the hub, `org/name/config` one configuration of a dataset, and `wds_name` a dataset of CLIP benchmark's organisation.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as T from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { datasetPaths } from "../data/datasetPaths.ts";
import type { Failure } from "../failure.ts";
import { basename, dirname, join } from "../formats/path.ts";
import { meant } from "../formats/suggest.ts";
import { modelPaths } from "../model/modelPaths.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Downloading, Hub } from "../platform/hub.ts";

/** A model or a dataset that was found. */
export interface Located {
  /** Where its files are. */
  readonly folder: string;
  /** What a job writes down: located again, it gives the same files. An absolute path, or a repository with its commit. */
  readonly name: string;
  /** What a person calls it: the name of its folder, or of its repository. */
  readonly title: string;
}

/** Options of {@link locate}. */
export interface LocateOptions {
  readonly files?: Files;
  /** Makes a path absolute. Default: from the folder that the process stands in. */
  readonly at?: (path: string) => string;
  /** Where names are looked for that are no paths. Default: the platform's. */
  readonly hub?: Hub;
  /** Whether what is not in the cache of the hub counts as not there. Default: false. */
  readonly cached?: boolean;
  /** Whether a dataset is learned; of one that is scored alone no training pictures are downloaded. Default: true. */
  readonly training?: boolean;
  /** Called with how far a download is. */
  readonly watch?: (event: Downloading) => void;
  /** Called with what somebody should know and nothing fails by. */
  readonly note?: (line: string) => void;
  /** Aborted when a download should stop. */
  readonly signal?: { readonly aborted: boolean };
}

/** What is located. */
type Kind = "model" | "dataset";

/** The organisation that has the datasets of CLIP benchmark. */
const clipBenchmark = "clip-benchmark";

/** A name of the hub, taken apart. */
interface HubName {
  readonly repository: string;
  readonly config: string | undefined;
  readonly revision: string | undefined;
}

const word = "[A-Za-z0-9_][\\w.-]*";
const hubName = new RegExp(`^(${word}/${word})((?:/${word})*)(?:@([\\w./-]+))?$`);

/** Whether an absolute path is the address of a folder of a server. Only a browser's files have such. */
const isAddress = (path: string): boolean => /^https?:\/\//.test(path);

/** The repository that a name may stand for; undefined where it can only be a path. */
const parsed = (kind: Kind, name: string): HubName | undefined => {
  const full = kind === "dataset" && /^wds_[\w.-]+(@|$)/.test(name) ? `${clipBenchmark}/${name}` : name;
  const [, repository, config, revision] = hubName.exec(full) ?? [];
  if (repository === undefined || (config !== "" && kind === "model") || revision?.split("/").includes("..")) return undefined;
  return { repository, config: config === "" ? undefined : config.slice(1), revision };
};

const fromHub = (kind: Kind, { repository, config, revision }: HubName, hub: Hub, options: LocateOptions): TE.TaskEither<Failure, Located> => {
  const { training, watch, note, signal, cached } = options;
  const wanted = (paths: readonly string[]) => (kind === "model" ? modelPaths(paths) : datasetPaths(paths, { config, training }));
  return pipe(
    hub.snapshot({ kind, name: repository, revision }, { wanted, watch, note, signal, offline: cached }),
    TE.map(({ folder, commit }) => {
      const below = config === undefined ? "" : `/${config}`;
      const title = `${basename(repository)}${below.replaceAll("/", "-")}`;
      return { folder: join(folder, below), name: `${repository}${below}@${commit}`, title };
    }),
  );
};

/** Whether there is a folder by the first name of a path; with a revision behind it, it is a repository all the same. */
const beginsHere = (name: string, at: (path: string) => string, files: Files): T.Task<boolean> =>
  name.includes("@") ? T.of(false) : files.exists(at(name.split("/")[0]));

/** The end of a sentence that says that a path is not there: a question, where another name is close to the first one in it that is missing. */
const closeTo =
  (name: string, at: (path: string) => string, files: Files): T.Task<string> =>
  async () => {
    const above = dirname(name);
    if (above !== name && !(await files.exists(at(above))())) return closeTo(above, at, files)();
    const listed = await files.list(at(above))();
    const folders = E.isLeft(listed) ? [] : listed.right.filter(({ name: one, kind }) => kind === "folder" && !one.startsWith(".")).map(({ name: one }) => one);
    const close = meant(basename(name), folders);
    return close === undefined ? "" : `; did you mean ${name.includes("/") ? join(above, close) : close}?`;
  };

/**
 * Finds the folder of a model or of a dataset by its path, or by its name on the hub, from where it is downloaded unless the cache has it. A name that begins
 * with a folder here is taken for a path where another in that folder is close to it; `NAME@main` is a repository in any case. Fails with `FileUnreadable`
 * where it is neither, which says what was tried for both, or which name is close; else as the hub does.
 *
 * ```ts
 * const located = await locate("dataset", `${folder}/./pets`)();
 * assert.ok(located._tag === "Left" && located.left._tag === "FileUnreadable"); // There is no such folder.
 * ```
 */
export const locate = (kind: Kind, name: string, options: LocateOptions = {}): TE.TaskEither<Failure, Located> => {
  const { files = platform.files, at = files.absolute, hub = platform.hub } = options;
  const folder = at(name);
  const repository = parsed(kind, name);
  const nowhere = (also: string): Failure => ({ _tag: "FileUnreadable", path: name, detail: `no such file or directory${also}` });
  const elsewhere = pipe(
    TE.Do,
    TE.bind("here", () => TE.fromTask<boolean, Failure>(beginsHere(name, at, files))),
    TE.bind("close", () => TE.fromTask(closeTo(name, at, files))),
    TE.chain(({ here, close }) => {
      if (repository === undefined || hub === undefined || (here && close !== "")) return TE.left(nowhere(close));
      const both = (detail: string): string => (here ? "" : `; as a repository of the hub: ${detail}`);
      return pipe(
        fromHub(kind, repository, hub, options),
        TE.mapLeft((failure) => (failure._tag === "FileUnreadable" ? nowhere(both(failure.detail)) : failure)),
      );
    }),
  );
  return pipe(
    // A server does not say whether it has a folder; its files will tell.
    TE.fromTask<boolean, Failure>(isAddress(folder) ? T.of(true) : files.exists(folder)),
    TE.chain((there) => (there ? TE.right({ folder, name: folder, title: basename(folder) }) : elsewhere)),
  );
};
