/**
 * The header of a safetensors file: where each tensor is. It is checked as the reference implementation checks it
 * (https://github.com/huggingface/safetensors) before a tensor is read.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../../failure.ts";
import type { OpenFile } from "../../platform/files.ts";
import { corrupt, explain } from "../files.ts";
import { dictionary, list, parseJson } from "../json.ts";
import type { Dtype } from "../hostTensor.ts";
import { bytesOf } from "./arrays.ts";

/** The reference implementation allows so many bytes. */
const maxHeader = 100_000_000;

const natural = (u: unknown): u is number => Number.isSafeInteger(u) && (u as number) >= 0;
const Natural = new t.Type<number>("a whole number from 0 on", natural, (u, c) => (natural(u) ? t.success(u) : t.failure(u, c)), t.identity);

const Entry = t.type({ dtype: t.keyof(bytesOf), shape: list(Natural), data_offsets: t.tuple([Natural, Natural]) });
const Metadata = dictionary(t.string);

/** One tensor of a file: where it is. `begin` and `end` count from the first byte after the header. */
export interface Placed {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What a file holds, before its tensors are read. */
export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly Placed[];
  /** The byte at which the tensors begin. */
  readonly dataStart: number;
}

/** Where the string ends that begins at `at`. */
const stringEnd = (json: string, at: number): number => {
  let i = at + 1;
  for (; json[i] !== '"'; i++) if (json[i] === "\\") i++;
  return i;
};

/** Whether a colon is what comes at or after `at`: what stands before it is then a key. */
const colonAt = (json: string, at: number): boolean => {
  let i = at;
  while (" \t\n\r".includes(json[i])) i++;
  return json[i] === ":";
};

/** The first key that an object of a JSON text holds twice (`JSON.parse` silently keeps the last); the text must be valid JSON. */
const duplicateKey = (json: string): string | undefined => {
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === "{") open.push(new Set());
    else if (c === "[") open.push(null);
    else if (c === "}" || c === "]") open.pop();
    else if (c === '"') {
      const end = stringEnd(json, i);
      if (colonAt(json, end + 1)) {
        const key = JSON.parse(json.slice(i, end + 1)) as string;
        const keys = open[open.length - 1];
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
      i = end;
    }
  }
  return undefined;
};

/** What is wrong with a file at one of its bytes. */
type Refuse = (detail: string, offset: number) => E.Either<Failure, never>;

/** The header's JSON, which must be an object in UTF-8 with every key once. */
const parseHeader = (bytes: Uint8Array, refuse: Refuse): E.Either<Failure, object> => {
  if (bytes[0] !== 0x7b) return refuse(`its header does not start with "{"`, 8);
  const unusable = (): E.Either<Failure, never> => refuse("its header is not JSON in UTF-8", 8);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return unusable();
  }
  const parsed = parseJson(text);
  if (E.isLeft(parsed)) return unusable();
  const twice = duplicateKey(text);
  return twice === undefined ? E.right(parsed.right as object) : refuse(`its header names ${JSON.stringify(twice)} twice`, 8);
};

/** Metadata and tensors of a header, the tensors in the order of their bytes. */
const parseEntries = (parsed: object, refuse: Refuse): E.Either<Failure, Pick<Header, "metadata" | "tensors">> => {
  let metadata: Readonly<Record<string, string>> = {};
  const tensors: Placed[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "__metadata__") {
      const decoded = Metadata.decode(value);
      if (E.isLeft(decoded)) return refuse(`__metadata__: ${explain(decoded.left)}`, 8);
      metadata = decoded.right;
    } else {
      const decoded = Entry.decode(value);
      if (E.isLeft(decoded)) return refuse(`tensor ${name}: ${explain(decoded.left)}`, 8);
      const { dtype, shape, data_offsets: offsets } = decoded.right;
      tensors.push({ name, dtype, shape, begin: offsets[0], end: offsets[1] });
    }
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  return E.right({ metadata, tensors });
};

/** No file has so many bytes; sizes beyond are not multiplied on, as long products take quadratic time. */
const beyondFiles = 1n << 96n;

/** How many bytes a tensor needs, exact where it could be so in a file. */
const bytesIn = (dtype: Dtype, shape: readonly number[]): bigint => {
  if (shape.includes(0)) return 0n;
  let bytes = BigInt(bytesOf[dtype]);
  for (const n of shape) {
    if (bytes > beyondFiles) break;
    if (n !== 1) bytes *= BigInt(n);
  }
  return bytes;
};

/** A shape for a message; real ones have at most five dimensions. */
const shapeText = (shape: readonly number[]): string =>
  shape.length > 16 ? `[${shape.slice(0, 8).join(", ")}, … (${shape.length} dimensions)]` : `[${shape.join(", ")}]`;

/** Checks that the tensors follow each other without holes, have the bytes that they need, and end where the file ends. */
const checkLayout = (tensors: readonly Placed[], dataStart: number, fileSize: number, refuse: Refuse): E.Either<Failure, void> => {
  let at = 0;
  for (const { name, dtype, shape, begin, end } of tensors) {
    const bytesNeeded = bytesIn(dtype, shape);
    if (begin !== at || end < begin) {
      return refuse(`tensor ${name} occupies bytes ${begin} to ${end} of the data where ${at} comes next (a hole or an overlap)`, dataStart + at);
    }
    if (bytesNeeded !== BigInt(end - begin)) {
      return refuse(`tensor ${name} of ${dtype} ${shapeText(shape)} needs ${bytesNeeded} bytes and has ${end - begin}`, dataStart + begin);
    }
    at = end;
  }
  if (dataStart + at === fileSize) return E.right(undefined);
  const detail =
    dataStart + at > fileSize ? `it ends early: its tensors need ${dataStart + at} bytes` : `${fileSize - dataStart - at} bytes follow its last tensor`;
  return refuse(detail, Math.min(fileSize, dataStart + at));
};

/** Reads and checks the header of an open file; all offsets of failures are bytes of the file. */
export const readHeader =
  (file: OpenFile): TE.TaskEither<Failure, Header> =>
  async () => {
    const refuse: Refuse = (detail, offset) => E.left(corrupt(file.path, detail, offset));
    const prefix = new Uint8Array(8);
    const first = await file.read(prefix, 0)();
    if (E.isLeft(first)) return first;
    if (first.right < 8) return refuse(`it has ${file.size} bytes, too few for a header`, 0);
    const length = new DataView(prefix.buffer).getBigUint64(0, true);
    if (length > BigInt(maxHeader)) return refuse(`its header claims ${length} bytes; ${maxHeader} are allowed`, 0);
    if (8n + length > BigInt(file.size)) return refuse(`its header claims ${length} bytes and the file has ${file.size}`, 0);
    const bytes = new Uint8Array(Number(length));
    const rest = await file.read(bytes, 8)();
    if (E.isLeft(rest)) return rest;
    if (rest.right < bytes.length) return refuse("it ends within its header", 8);
    const dataStart = 8 + bytes.length;
    return pipe(
      parseHeader(bytes, refuse),
      E.chain((parsed) => parseEntries(parsed, refuse)),
      E.chainFirst(({ tensors }) => checkLayout(tensors, dataStart, file.size, refuse)),
      E.map((entries) => ({ ...entries, dataStart })),
    );
  };
