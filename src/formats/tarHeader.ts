/**
 * The 512-byte headers of a tar archive: ustar and GNU, with the long names of both (pax attributes and GNU's `L` members).
 *
 * Source: POSIX.1-2001 pax, and the manual of GNU tar (sizes in base 256, long names).
 */
import * as E from "fp-ts/lib/Either.js";

/** Archives come in blocks of this many bytes. */
export const block = 512;

/** One header. An extension says something of the member after it: `flag` is its kind. */
export interface TarHeader {
  readonly kind: "file" | "folder" | "other" | "extension";
  readonly flag: string;
  readonly name: string;
  readonly size: number;
  /** Whether it is an ordinary file, whose bytes may be wanted at once. */
  readonly keepable: boolean;
}

/** What extensions said so far of the next member, and of all after it that have attributes of their own (`global`). */
export interface Extensions {
  /** By GNU's `L` member. */
  readonly longName?: string;
  /** By the attributes of pax, which win. */
  readonly name?: string;
  readonly size?: number;
  readonly global?: Attributes;
}

/** The attributes of pax that are used. Others are not kept, as an archive may have as many as it likes. */
interface Attributes {
  readonly path?: string;
  readonly size?: string;
}

const decoder = new TextDecoder();

/** The text of a field, up to its first zero byte. */
const textOf = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
};

/** A number in octal digits, or, where the first bit is set, in base 256; NaN for what is neither. */
const numberOf = (field: Uint8Array): number => {
  if ((field[0] & 0x80) === 0) {
    const digits = textOf(field).trim().split(" ")[0];
    return digits === "" ? 0 : Number.parseInt(digits, 8);
  }
  return field[0] === 0x80 ? field.subarray(1).reduce((n, byte) => 256 * n + byte, 0) : NaN;
};

/** The sum of the header's bytes, its own field counted as blanks. */
const checksum = (bytes: Uint8Array): number => bytes.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0);

const kindOf = (flag: string): TarHeader["kind"] => ("07".includes(flag) ? "file" : flag === "5" ? "folder" : "xgKLN".includes(flag) ? "extension" : "other");

/** A header from its block: undefined for an empty one, and on the left what is wrong. */
export const parseHeader = (bytes: Uint8Array): E.Either<string, TarHeader | undefined> => {
  const sum = checksum(bytes);
  if (sum === 8 * 0x20) return E.right(undefined);
  if (sum !== numberOf(bytes.subarray(148, 156))) return E.left("Invalid tar header. Maybe the tar is corrupted or it needs to be gunzipped?");
  const magic = decoder.decode(bytes.subarray(257, 265));
  const ustar = magic.startsWith("ustar\0");
  if (!ustar && magic !== "ustar  \0") return E.left("Invalid tar header: unknown format.");
  const flag = bytes[156] === 0 ? "0" : String.fromCharCode(bytes[156]);
  const name = textOf(bytes.subarray(0, 100));
  const prefix = ustar ? textOf(bytes.subarray(345, 500)) : "";
  const size = numberOf(bytes.subarray(124, 136));
  return E.right({ kind: kindOf(flag), flag, name: prefix === "" ? name : `${prefix}/${name}`, size, keepable: flag === "0" });
};

/** Attributes of pax: lines of `LENGTH KEY=VALUE`, whose length counts all bytes of the line. */
const attributesOf = (bytes: Uint8Array): Attributes => {
  const found: { path?: string; size?: string } = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number.parseInt(decoder.decode(bytes.subarray(at, space < 0 ? bytes.length : space)), 10);
    if (!(length > 0) || space < 0) break;
    const line = decoder.decode(bytes.subarray(space + 1, at + length - 1));
    const equals = line.indexOf("=");
    if (equals < 0) break;
    const key = line.slice(0, equals);
    if (key === "path" || key === "size") found[key] = line.slice(equals + 1);
    at += length;
  }
  return found;
};

/** What an extension adds to those before it. */
export const extensionsOf = (flag: string, bytes: Uint8Array, before: Extensions): Extensions => {
  if (flag === "L" || flag === "N") return { ...before, longName: textOf(bytes) };
  if (flag === "K") return before;
  if (flag === "g") return { ...before, global: attributesOf(bytes) };
  const { path, size } = { ...before.global, ...attributesOf(bytes) };
  return { longName: before.longName, global: before.global, ...(path ? { name: path } : {}), ...(size ? { size: Number.parseInt(size, 10) } : {}) };
};
