/** Loads the images of examples through a cache: each picture is decoded once, and what cannot be decoded is not tried again. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { message } from "../formats/files.ts";
import { exampleDecoder } from "./decode.ts";
import type { Example, ExampleDecoder, Image } from "./example.ts";
import { imageCache, type ImageCache } from "./imageCache.ts";

/** An example that was left out, and why. */
export interface Skipped {
  readonly id: string;
  readonly failure: Failure;
}

/** How images are loaded. */
export interface LoaderOptions {
  /** How the examples of the task are decoded: {@link decoderOf}. @default exampleDecoder() */
  readonly decode?: ExampleDecoder;
  /** Decoded images; give several descriptions the same one and each picture is decoded once. @default imageCache(512) */
  readonly cache?: ImageCache;
}

/** Why pixels are no image, in words; undefined where they are one. */
const faultOf = ({ width, height, data }: Image): string | undefined => {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) return `it has ${width} x ${height} pixels`;
  return data.length === 3 * width * height ? undefined : `${data.length} bytes for ${width} x ${height} pixels`;
};

/** A decoder whose images are images, and which throws nothing: a task may decode in its own way. */
const soundly =
  (decode: ExampleDecoder): ExampleDecoder =>
  (example) =>
  async () => {
    const bad = (detail: string): E.Either<Failure, Image> => E.left({ _tag: "CorruptSample", path: "memory", member: example.id, detail });
    try {
      const decoded = await decode(example)();
      const fault = E.isLeft(decoded) ? undefined : faultOf(decoded.right);
      return fault === undefined ? decoded : bad(fault);
    } catch (error) {
      return bad(message(error));
    }
  };

/** Loads pictures, and knows which of them cannot be. */
export interface Loader {
  /** The image of an example, decoded once however many ask for it. */
  readonly load: (example: Example) => Promise<E.Either<Failure, Image>>;
  /** What could not be decoded so far, each example once. */
  readonly skipped: () => readonly Skipped[];
}

/** What a picture is kept by: where it is, if that is a file, so that several examples of one picture share it; else the id of its example. */
const keyOf = ({ id, image }: Example): string => (image.kind === "file" || image.kind === "member" || image.kind === "row" ? JSON.stringify(image) : id);

/** Decodes through the cache and remembers what cannot be decoded, so that nobody tries again. */
export const loader = (options: LoaderOptions): Loader => {
  const { cache = imageCache(512) } = options;
  const decoder = soundly(options.decode ?? exampleDecoder());
  const failures = new Map<string, Failure>();
  const skipped = new Map<string, Skipped>();
  const pending = new Map<string, Promise<E.Either<Failure, Image>>>();
  const decode = async (example: Example, key: string): Promise<E.Either<Failure, Image>> => {
    const decoded = await decoder(example)();
    if (E.isLeft(decoded)) failures.set(key, decoded.left);
    else cache.set(key, decoded.right);
    pending.delete(key);
    return decoded;
  };
  const find = async (example: Example): Promise<E.Either<Failure, Image>> => {
    const key = keyOf(example);
    const failure = failures.get(key);
    if (failure !== undefined) return E.left(failure);
    const image = cache.get(key);
    if (image !== undefined) return E.right(image);
    // Two places of a batch may want the same picture at the same time.
    const decoding = pending.get(key) ?? decode(example, key);
    pending.set(key, decoding);
    return decoding;
  };
  const load = async (example: Example): Promise<E.Either<Failure, Image>> => {
    const found = await find(example);
    if (E.isLeft(found)) skipped.set(example.id, { id: example.id, failure: found.left });
    return found;
  };
  return { load, skipped: () => [...skipped.values()] };
};

/** Runs `work` for 0 .. n-1, at most `concurrency` at a time; what it throws is thrown. */
export const concurrently = async (n: number, concurrency: number, work: (i: number) => Promise<void>): Promise<void> => {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < n) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(n, Math.max(1, concurrency)) }, worker));
};
