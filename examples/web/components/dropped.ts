/** What a person drops or chooses, as the worker takes it. */
import type { Folder, Given } from "../protocol.ts";

/** What Chromium has for things that are dropped, beside what TypeScript knows. */
interface Dropped {
  readonly kind: string;
  readonly getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}

/** The folder among the things that were dropped, if there is one and the browser can hand it out. */
export const droppedFolder = async (data: DataTransfer): Promise<Folder | undefined> => {
  const handles = await Promise.all([...data.items].map((item: Dropped) => item.getAsFileSystemHandle?.() ?? null));
  return handles.find((handle) => handle?.kind === "directory") as unknown as Folder | undefined;
};

/** Files with their paths: of a folder that was chosen those below it. */
export const givenOf = (files: FileList | readonly File[] | null): readonly Given[] =>
  [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
