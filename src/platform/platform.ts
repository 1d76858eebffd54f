/**
 * What differs between Node or Deno and a browser's tab. Everything else under src/ is the same everywhere.
 *
 * `src/platform/default.ts` says which platform is used where none is given.
 */
import type { Task } from "fp-ts/lib/Task.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Files } from "./files.ts";
import type { Frame } from "./frames.ts";
import type { Hub } from "./hub.ts";
import type { FolderSource } from "./mount.ts";
import type { OpenQueue } from "./queue.ts";
import type { OpenStorage } from "./storage.ts";
import type { GPUAdapter, GPUAdapterInfo, GPUDevice, GPUDeviceDescriptor } from "./webgpu.ts";

/** An RGB image, 8 bits a channel, row-major, interleaved: `data.length === height * width * 3`. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * What turns the bytes of an image file into pixels; the left side says in words what is wrong with them. Of an animation it takes the first frame, or the one
 * that is asked for.
 */
export type Decoder = (bytes: Uint8Array, frame?: Frame) => TaskEither<string, Image>;

/** The bytes of an image file, and its MIME type. */
export interface Thumbnail {
  readonly mime: string;
  readonly bytes: Uint8Array;
}

/**
 * What turns pixels into a small image file that browsers show: no side is longer than `side` pixels, and none grows. The left side says in words why there is
 * none.
 */
export type ThumbnailEncoder = (image: Image, side: number) => TaskEither<string, Thumbnail>;

/** The rungs of the ladder of adapters, best first. */
export const rungs = ["gpu", "lavapipe", "swiftshader"] as const;

/** A rung of the ladder of adapters. */
export type Rung = (typeof rungs)[number];

/** What is asked of a platform that opens a GPU. */
export interface GpuRequest {
  /** One rung instead of the whole ladder. */
  readonly rung?: Rung;
  /** The limits and features that are asked of an adapter, with or without experimental features. */
  readonly descriptor: (adapter: GPUAdapter, experimental: boolean) => GPUDeviceDescriptor;
}

/** An open WebGPU device. */
export interface OpenGpu {
  readonly gpu: GPUDevice;
  readonly info: GPUAdapterInfo;
  /** The same promise, waited for without taking a core from the device. */
  readonly wait: <A>(pending: Promise<A>) => Promise<A>;
  /** Lets go of whatever kept the device alive; called after the device was destroyed. */
  readonly release: () => void;
}

/** Small texts that are kept between runs, by name. Nothing depends on them: what cannot be read is absent, what cannot be written is lost. */
export interface Cache {
  readonly read: (name: string) => Task<string | undefined>;
  readonly write: (name: string, text: string) => Task<void>;
}

/** Where progress is written: a stream of Node, or anything that takes text. */
export interface Sink {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What is shown, by MIME type. */
export type MimeBundle = Readonly<Record<string, string>>;

/** Where a program shows what it found. */
export interface Output {
  /** Characters of a line, where that is known. */
  readonly columns?: number;
  /** Shows a text as a line, or as lines. */
  readonly text: (text: string) => Task<void>;
  /** Shows the richest form of a bundle that can be shown. Nothing where only texts can be shown, as in a terminal. */
  readonly bundle?: (bundle: MimeBundle) => Task<void>;
}

/** Threads beside the main one, which run the function `work` of a module. */
export interface Threads {
  /** How many there are; none where there are no cores for them. */
  readonly count: number;
  /** What `work` of the module at a URL gives for a value; undefined where its thread is lost. What `work` throws is thrown. */
  readonly run: (module: string, input: object) => Promise<unknown>;
}

/** A platform: files, images, a GPU, a cache, where progress is written, and where results are shown. */
export interface Platform {
  readonly name: string;
  readonly files: Files;
  readonly decodeImage: Decoder;
  readonly encodeThumbnail: ThumbnailEncoder;
  /** Opens a GPU. Fails with `NoAdapter`, which says what was tried, or with `BadOption`. */
  readonly openGpu: (request: GpuRequest) => TaskEither<Failure, OpenGpu>;
  /**
   * Gives what a person has picked in a browser a path, `/mounted/NAME`, below which `files` reads it and writes nothing. What had this name before is let go.
   * Fails with `BadOption` where `name` is no name of a folder. Absent where files are named by their paths alone.
   */
  readonly mount?: (name: string, source: FolderSource) => TaskEither<Failure, string>;
  readonly cache: Cache;
  /** Absent where a platform has no threads. */
  readonly threads?: Threads;
  readonly progress: Sink;
  readonly output: Output;
  /** Where models and datasets come from that are no folders. Absent where a platform has none. */
  readonly hub?: Hub;
  /** Unpacks Brotli. Absent where a platform cannot, as a browser, which unpacks streams alone. */
  readonly unpackBrotli?: (bytes: Uint8Array) => Uint8Array;
  /** Opens a queue that a server keeps; a platform that cannot reach one has none. */
  readonly openQueue?: OpenQueue;
  /** Opens a storage that a server keeps; a platform that cannot reach one has none. */
  readonly openStorage?: OpenStorage;
}
