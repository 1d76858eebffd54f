/**
 * Tar archives as an index: one streaming pass lists where every member is, after which any of them is read on its own.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { extract } from "tar-stream";
import type { Failure } from "../failure.ts";
import { corrupt, message, unreadable } from "./files.ts";

/** A file in an archive: `size` bytes from byte `offset` of the archive on. */
export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** The bytes, where `keep` asked for them. */
  readonly bytes?: Uint8Array;
}

/** What an archive holds. `damage` says what ended the listing early; the members before it can be read. */
export interface TarIndex {
  readonly path: string;
  readonly members: readonly TarMember[];
  readonly damage?: Failure;
}

/** Archives come in blocks of this many bytes. */
const block = 512;

/** Larger members are never kept in memory, whatever their name says. */
const keptAtMost = 2 ** 16;

/**
 * The files of an archive in their order, in one pass that holds no file in memory but those of at most 64 KiB that `keep` wants
 * (labels). An archive that is cut off or damaged is listed up to there, with a `FileCorrupt` (member and offset) as `damage`;
 * one that cannot be opened is a `FileUnreadable`.
 */
export const indexTar = (path: string, keep: (name: string) => boolean = () => false): TE.TaskEither<Failure, TarIndex> =>
  TE.tryCatch(async () => {
    const size = await sizeOf(path);
    const members: TarMember[] = [];
    let next = 0;
    let name: string | undefined;
    let wrong: string | undefined;
    const archive = extract();
    archive.on("entry", (header, stream, done) => {
      const { size: length = 0, type } = header;
      // tar-stream says where the member's bytes begin; its types do not know.
      const offset = (header as unknown as { readonly byteOffset: number }).byteOffset;
      name = header.name;
      next = offset + Math.ceil(length / block) * block;
      const chunks: Uint8Array[] = [];
      const wanted = type === "file" && length <= keptAtMost && keep(header.name);
      stream.on("data", (chunk) => {
        if (wanted) chunks.push(chunk as Uint8Array);
      });
      stream.on("end", () => {
        if (type === "file" || type === "contiguous-file") {
          members.push({ name: header.name, offset, size: length, ...(wanted ? { bytes: Uint8Array.from(Buffer.concat(chunks)) } : {}) });
        }
        done();
      });
      stream.on("error", done);
    });
    try {
      await pipeline(createReadStream(path), archive);
      // Without the empty block that ends an archive, it was cut off between two members.
      if (size < next + block) wrong = "it was cut off, its end mark is missing";
    } catch (error) {
      wrong = message(error);
    }
    if (wrong === undefined) return { path, members };
    const last = members[members.length - 1];
    const inside = name !== undefined && name !== last?.name;
    const where = inside ? `in member ${name}` : name === undefined ? "before its first member" : `after member ${name}`;
    const offset = Math.min(size, inside || last === undefined ? size : last.offset + last.size);
    return { path, members, damage: corrupt(path, `${wrong} (${where})`, offset) };
  }, unreadable(path));

const sizeOf = async (path: string): Promise<number> => {
  const handle = await open(path, "r");
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error("it is not a file");
    return stat.size;
  } finally {
    await handle.close();
  }
};

/** The bytes of one member; `FileCorrupt` where the archive has become shorter than its index says. */
export const readMember = (path: string, member: TarMember): TE.TaskEither<Failure, Uint8Array> =>
  pipe(
    TE.tryCatch(async () => {
      const handle = await open(path, "r");
      try {
        const bytes = new Uint8Array(member.size);
        let at = 0;
        while (at < bytes.length) {
          const { bytesRead } = await handle.read(bytes, at, bytes.length - at, member.offset + at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
        return { bytes, at };
      } finally {
        await handle.close();
      }
    }, unreadable(path)),
    TE.chainEitherK(({ bytes, at }) =>
      at === bytes.length ? E.right(bytes) : E.left(corrupt(path, `it ends within member ${member.name}`, member.offset + at)),
    ),
  );
