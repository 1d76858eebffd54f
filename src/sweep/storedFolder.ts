/**
 * The folder of a job in a storage.
 *
 * Below the name of a job `head.json` lists the files of its folder, and where each of them lies: `GENERATION/PATH`. Files that are new are put under a new
 * generation; then the head is put, on the condition that it is the one that this worker saw last. So what is half put is seen by nobody, and of two workers
 * at one job the one that took it last goes on: it has put its own name into the head, and the other fails at its next task.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { corrupt, explain } from "../formats/files.ts";
import { parseJson } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import type { Storage } from "../platform/storage.ts";
import { natural } from "../runs/job.ts";

const isWithin = (u: unknown): u is string => typeof u === "string" && u.split("/").every((name) => !["", ".", ".."].includes(name));

const within = new t.Type<string>("a path within the folder", isWithin, (u, c) => (isWithin(u) ? t.success(u) : t.failure(u, c)), t.identity);

const StoredFile = t.type({ path: within, bytes: natural, sha256: t.string, object: t.string });

/** A file of a folder, and the object that has its bytes. */
export type StoredFile = t.TypeOf<typeof StoredFile>;

const Head = t.type({ version: t.literal(1), taker: t.string, ended: t.boolean, files: t.array(StoredFile) });

/** What is in a folder; `taker` tells apart the heads of workers. */
export type Head = t.TypeOf<typeof Head>;

/** A head, and its tag; without a tag it is yet to be put. */
export interface Seen {
  readonly head: Head;
  readonly tag?: string;
}

/** Bytes that are read at once. */
const oneRead = 2 ** 25;

/** Where the head of a job is. */
const headKey = (name: string): string => `${name}/head.json`;

/** Reads the head of a job; of one that nobody has taken yet it names no files. Fails with `FileCorrupt`. */
export const readHead = (storage: Storage, name: string): TE.TaskEither<Failure, Seen> =>
  pipe(
    storage.get(headKey(name)),
    TE.chainEitherK((found): E.Either<Failure, Seen> => {
      if (found === undefined) return E.right({ head: { version: 1, taker: "", ended: false, files: [] } });
      return pipe(
        parseJson(new TextDecoder().decode(found.bytes)),
        E.chain((json) => pipe(Head.decode(json), E.mapLeft(explain))),
        E.bimap(
          (detail) => corrupt(`${storage.name}/${headKey(name)}`, detail),
          (head) => ({ head, tag: found.tag }),
        ),
      );
    }),
  );

/** Puts the next head in the place of the one that was seen last. Fails with `FileUnwritable` (`held`) where another stands there. */
export const moveHead = (storage: Storage, name: string, seen: Seen, head: Head): TE.TaskEither<Failure, Seen> => {
  const text = JSON.stringify(head);
  const held: Failure = { _tag: "FileUnwritable", path: `${storage.name}/${name}`, detail: "another worker has taken this job", held: true };
  return pipe(
    storage.put(headKey(name), utf8ToBytes(text), seen.tag),
    TE.chain((tag): TE.TaskEither<Failure, Seen> => {
      if (tag !== undefined) return TE.right({ head, tag });
      return pipe(
        storage.get(headKey(name)),
        // A request whose answer was lost is sent again, and then finds its own head.
        TE.chainEitherK((there) => (there !== undefined && new TextDecoder().decode(there.bytes) === text ? E.right({ head, tag: there.tag }) : E.left(held))),
      );
    }),
  );
};

/** The paths of the files in a folder, without what is not whole. */
const pathsIn = (folder: string, files: Files, below = ""): TE.TaskEither<Failure, readonly string[]> =>
  pipe(
    files.list(join(folder, below)),
    TE.map((entries) => entries.filter(({ name }) => name !== ".lock" && !files.unfinished(name))),
    TE.chain(
      TE.traverseSeqArray(({ name, kind }) => {
        const path = below === "" ? name : `${below}/${name}`;
        return kind === "folder" ? pathsIn(folder, files, path) : TE.right(kind === "file" ? [path] : []);
      }),
    ),
    TE.map((all) => all.flat()),
  );

const digestOf =
  ({ size, read }: OpenFile): TE.TaskEither<Failure, string> =>
  async () => {
    const hash = sha256.create();
    const buffer = new Uint8Array(Math.min(size, oneRead));
    for (let at = 0; at < size; ) {
      const n = await read(buffer.subarray(0, Math.min(buffer.length, size - at)), at)();
      if (E.isLeft(n)) return n;
      if (n.right === 0) break;
      hash.update(buffer.subarray(0, n.right));
      at += n.right;
    }
    return E.right(bytesToHex(hash.digest()));
  };

/** Whether a file lies in its place already. */
const isThere = (path: string, file: StoredFile, files: Files): TE.TaskEither<Failure, boolean> =>
  pipe(
    TE.fromTask<boolean, Failure>(files.exists(path)),
    TE.chain((there) =>
      there
        ? files.open(path, (open) =>
            pipe(
              digestOf(open),
              TE.map((digest) => digest === file.sha256),
            ),
          )
        : TE.right(false),
    ),
  );

/** Brings a file to its place, checked. */
const bringFile =
  (storage: Storage, name: string, { object, bytes, sha256: wanted }: StoredFile, path: string, files: Files): TE.TaskEither<Failure, void> =>
  async () => {
    const key = `${name}/${object}`;
    let failure: Failure | undefined;
    const broken = (found: Failure): Error => {
      failure = found;
      return new Error();
    };
    async function* parts() {
      const hash = sha256.create();
      for (let from = 0; from < bytes; from += oneRead) {
        const part = await storage.get(key, { from, bytes: Math.min(oneRead, bytes - from) })();
        if (E.isLeft(part)) throw broken(part.left);
        if (part.right === undefined) throw broken({ _tag: "FileUnreadable", path: `${storage.name}/${key}`, detail: "it is not there" });
        hash.update(part.right.bytes);
        yield part.right.bytes;
      }
      if (bytesToHex(hash.digest()) !== wanted) throw broken(corrupt(`${storage.name}/${key}`, "its bytes are not those that were put there"));
    }
    const written = await files.write(path, parts())();
    return failure === undefined ? written : E.left(failure);
  };

/** Brings files into a folder; what lies there already is not brought again. */
export const bring = (storage: Storage, name: string, wanted: readonly StoredFile[], folder: string, files: Files): TE.TaskEither<Failure, void> =>
  pipe(
    wanted,
    TE.traverseSeqArray((file) => {
      const path = join(folder, file.path);
      return pipe(
        isThere(path, file, files),
        TE.chain((there) => (there ? TE.right(undefined) : bringFile(storage, name, file, path, files))),
      );
    }),
    TE.map(() => undefined),
  );

/** Puts the files of a folder that the last head does not have, and gives the list of all. */
export const putFiles = (
  storage: Storage,
  name: string,
  { files: known }: Head,
  folder: string,
  files: Files,
): TE.TaskEither<Failure, readonly StoredFile[]> => {
  const generation = crypto.randomUUID();
  return pipe(
    pathsIn(folder, files),
    TE.chain(
      TE.traverseSeqArray((path) =>
        files.open(join(folder, path), (file) =>
          pipe(
            digestOf(file),
            TE.chain((digest) => {
              const same = known.find(({ bytes, sha256 }) => bytes === file.size && sha256 === digest);
              if (same !== undefined) return TE.right({ ...same, path });
              const object = `${generation}/${path}`;
              return pipe(
                storage.upload(`${name}/${object}`, file),
                TE.map((): StoredFile => ({ path, bytes: file.size, sha256: digest, object })),
              );
            }),
          ),
        ),
      ),
    ),
  );
};

/** Removes objects that the new head does not name: those of the last one, and of a job that has ended whatever else workers have left. */
export const removeOthers = (storage: Storage, name: string, last: Head, head: Head): TE.TaskEither<Failure, void> => {
  const kept = new Set([headKey(name), ...head.files.map(({ object }) => `${name}/${object}`)]);
  return pipe(
    head.ended ? storage.list(`${name}/`) : TE.right(last.files.map(({ object }) => `${name}/${object}`)),
    TE.map((keys) => [...new Set(keys)].filter((key) => !kept.has(key))),
    TE.chain(TE.traverseSeqArray(storage.remove)),
    TE.map(() => undefined),
  );
};
