/**
 * The parts of a browser's own file system that Cambium uses, as types: what a person picks can be read (see `mount.ts`), what is the page's own can be
 * written, too. TypeScript's DOM library does not know all of them.
 */
import type { PickedFile, PickedFolder } from "../mount.ts";

/** A file that a worker has open for itself alone. Every method throws a `DOMException` where it cannot. */
export interface SyncFile {
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** A file that is written beside itself: what it is to hold takes its place when it is closed. */
export interface Writing {
  write(bytes: Uint8Array): Promise<void>;
  seek(position: number): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** A file of the page's own. */
export interface OwnFile {
  getFile(): Promise<PickedFile>;
  /** Absent in some browsers, which write in workers alone. */
  createWritable?(options?: { readonly keepExistingData?: boolean }): Promise<Writing>;
  /** Absent in a window. */
  createSyncAccessHandle?(): Promise<SyncFile>;
  /** Gives it a name in a folder, where it takes the place of a file that has this name, in one step. */
  move(folder: OwnFolder, name: string): Promise<void>;
}

/** A folder of the page's own. */
export interface OwnFolder extends PickedFolder {
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<OwnFile>;
  getDirectoryHandle(name: string, options?: { readonly create?: boolean }): Promise<OwnFolder>;
  removeEntry(name: string, options?: { readonly recursive?: boolean }): Promise<void>;
}
