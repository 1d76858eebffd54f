/**
 * Tar archives as an index: one pass over the headers lists where every member is, after which any of them is read on its own.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import { corrupt } from "./files.ts";
import { block, extensionsOf, parseHeader, type Extensions } from "./tarHeader.ts";

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
  /** The names of links and devices, which are no files of their own; absent where there are none. */
  readonly links?: readonly string[];
  readonly damage?: Failure;
}

/** Larger members are never kept in memory, whatever their name says. */
const keptAtMost = 2 ** 16;

/** Longer headers of names and attributes are taken for damage. */
const longestExtension = 2 ** 22;

/** Reads short ranges of a file that follow each other, in pieces of 64 KiB; a range is shorter than asked for only where the file ends. */
const rangesOf = (file: OpenFile): ((position: number, length: number) => TE.TaskEither<Failure, Uint8Array>) => {
  let start = 0;
  let piece = new Uint8Array(0);
  return (position, length) => async () => {
    if (position < start || position + length > start + piece.length) {
      const next = new Uint8Array(Math.max(0, Math.min(file.size - position, Math.max(length, 2 ** 16))));
      const read = await file.read(next, position)();
      if (E.isLeft(read)) return read;
      [start, piece] = [position, next.subarray(0, read.right)];
    }
    return E.right(piece.slice(position - start, position - start + length));
  };
};

/** Where the headers go on after `size` bytes from `position` on. */
const behind = (position: number, size: number): number => position + block * Math.ceil(size / block);

/** What is wrong with an archive, and where: within the member that was met last, or after the last one that is whole. */
const damageOf = (file: OpenFile, members: readonly TarMember[], met: string | undefined, wrong: string): Failure => {
  const last = members[members.length - 1];
  const inside = met !== undefined && met !== last?.name;
  const where = inside ? `in member ${met}` : met === undefined ? "before its first member" : `after member ${met}`;
  const offset = Math.min(file.size, inside || last === undefined ? file.size : last.offset + last.size);
  return corrupt(file.path, `${wrong} (${where})`, offset);
};

const cutOff = "Unexpected end of data";

/** Lists an open archive. What is wrong with it ends the list; only a file that cannot be read is a failure. */
const indexOf =
  (file: OpenFile, keep: (name: string) => boolean): TE.TaskEither<Failure, TarIndex> =>
  async () => {
    const range = rangesOf(file);
    const members: TarMember[] = [];
    const links: string[] = [];
    let extensions: Extensions = {};
    /** The member that was met last, and where the archive goes on behind it. */
    let met: string | undefined;
    let end = 0;
    const listed = (): TarIndex => ({ path: file.path, members, ...(links.length === 0 ? {} : { links }) });
    const whole = (): E.Either<Failure, TarIndex> => E.right(listed());
    const damaged = (wrong: string): E.Either<Failure, TarIndex> => E.right({ ...listed(), damage: damageOf(file, members, met, wrong) });

    for (let position = 0; ; ) {
      const bytes = await range(position, block)();
      if (E.isLeft(bytes)) return bytes;
      if (bytes.right.length === 0 && position <= file.size) {
        // Without the empty block that ends an archive, it was cut off between two members.
        return file.size < end + block ? damaged("it was cut off, its end mark is missing") : whole();
      }
      if (bytes.right.length < block) return damaged(cutOff);
      const parsed = parseHeader(bytes.right);
      if (E.isLeft(parsed)) return damaged(parsed.left);
      position += block;
      const header = parsed.right;
      if (header === undefined) continue;
      if (header.kind === "extension") {
        if (!(header.size >= 0)) return damaged("Invalid header");
        if (header.size > longestExtension) return damaged("Header exceeds max size");
        const text = await range(position, header.size)();
        if (E.isLeft(text)) return text;
        if (text.right.length < header.size) return damaged(cutOff);
        extensions = extensionsOf(header.flag, text.right, extensions);
        position = behind(position, header.size);
        continue;
      }
      const { longName = header.name, name = longName, size = header.size, global } = extensions;
      extensions = { global };
      if (!(size >= 0)) return damaged("Invalid header");
      const length = header.kind === "folder" ? 0 : size;
      [met, end] = [name, behind(position, length)];
      if (position + length > file.size) return damaged(cutOff);
      if (header.kind === "other") links.push(name);
      if (header.kind === "file") {
        const kept = header.keepable && length <= keptAtMost && keep(name) ? await range(position, length)() : undefined;
        if (kept !== undefined && E.isLeft(kept)) return kept;
        members.push({ name, offset: position, size: length, ...(kept === undefined ? {} : { bytes: kept.right }) });
      }
      position = behind(position, length);
    }
  };

/**
 * The files of an archive in their order, in one pass that holds no file in memory but those of at most 64 KiB that `keep` wants
 * (labels). An archive that is cut off or damaged is listed up to there, with a `FileCorrupt` (member and offset) as `damage`;
 * one that cannot be opened is a `FileUnreadable`.
 */
export const indexTar = (path: string, keep: (name: string) => boolean = () => false, files: Files = platform.files): TE.TaskEither<Failure, TarIndex> =>
  files.open(path, (file) => indexOf(file, keep));

/** The bytes of one member; `FileCorrupt` where the archive has become shorter than its index says. */
export const readMember = (path: string, { name, offset, size }: TarMember, files: Files = platform.files): TE.TaskEither<Failure, Uint8Array> =>
  files.open(path, (file) => {
    const bytes = new Uint8Array(size);
    return pipe(
      file.read(bytes, offset),
      TE.chainEitherK((read) => (read === size ? E.right(bytes) : E.left(corrupt(path, `it ends within member ${name}`, offset + read)))),
    );
  });
