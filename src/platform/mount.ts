/**
 * What a person picks in a browser: a folder of their disk, or a list of files. These are the parts of the File System Access and File APIs that Cambium uses,
 * as types, so that nobody needs the DOM's; a test holds them against it.
 */

/** A file that was picked: a `File` of a browser. */
export interface PickedFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Its path from the picked folder on, with the folder's name. Empty or absent where no folder was picked. */
  readonly webkitRelativePath?: string;
  slice(from?: number, to?: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** What stands in a picked folder. */
export type PickedEntry = { readonly kind: "file" | "directory"; readonly name: string };

/** A folder that was picked: a `FileSystemDirectoryHandle` of a browser. */
export interface PickedFolder {
  readonly kind: "directory";
  readonly name: string;
  values(): AsyncIterable<PickedEntry>;
  getFileHandle(name: string): Promise<{ getFile(): Promise<PickedFile> }>;
  getDirectoryHandle(name: string): Promise<PickedFolder>;
}

/** What gets a path: a picked folder, or files, such as the `FileList` of an input or of what was dropped. */
export type FolderSource = PickedFolder | Iterable<PickedFile>;
