/** What browsers can do with files and TypeScript's DOM library does not know: synchronous access within a worker, and moving. */

/** A file that a worker has open for itself alone. Every method throws a `DOMException` where it cannot. */
interface FileSystemSyncAccessHandle {
  read(into: ArrayBufferView, options?: { readonly at?: number }): number;
  write(bytes: ArrayBufferView, options?: { readonly at?: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

interface FileSystemFileHandle {
  /** Absent in a window. */
  createSyncAccessHandle?(): Promise<FileSystemSyncAccessHandle>;
}

interface FileSystemHandle {
  /** Gives it another name, or another place; a file that has this name is replaced. Absent in some browsers, and for folders in others. */
  move?(name: string): Promise<void>;
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}
