/** Bytes that become a file of a browser's own storage: by synchronous access in a worker, which is the fast way, and by a writable stream in a window. */
import type { PickedFile } from "../mount.ts";
import type { OwnFile, SyncFile, Writing } from "./handles.ts";
import { full } from "./words.ts";

/** How much of a file is copied at once. */
const copied = 2 ** 24;

/** The bytes of a file, a part at a time. */
export async function* chunksOf(file: Pick<PickedFile, "size" | "slice">): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += copied) yield new Uint8Array(await file.slice(at, Math.min(at + copied, file.size)).arrayBuffer());
}

/**
 * Writes all of some bytes at a place of a file that is open for synchronous access. Throws where the storage is full; Chromium itself throws nothing then, and
 * says that it wrote 2³² bytes less a few.
 */
export const writeAt = (file: SyncFile, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length; ) {
    const written = file.write(bytes.subarray(done), { at: at + done });
    if (!(written > 0 && written <= bytes.length - done)) throw full();
    done += written;
  }
};

/** Opens a file to write it from a window. */
export const openWritable = async (file: OwnFile, keepExistingData = false): Promise<Writing> => {
  if (file.createWritable === undefined) throw new Error("this browser writes files in a worker alone; write it there");
  return await file.createWritable({ keepExistingData });
};

/** Fills a new file with chunks, one after the other. Throws where a chunk cannot be had or written; the file is closed in any case. */
export const fill = async (file: OwnFile, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> => {
  if (file.createSyncAccessHandle !== undefined) {
    const open = await file.createSyncAccessHandle();
    try {
      let at = 0;
      for await (const chunk of chunks) {
        writeAt(open, chunk, at);
        at += chunk.length;
      }
      open.flush();
    } finally {
      open.close();
    }
    return;
  }
  const open = await openWritable(file);
  try {
    for await (const chunk of chunks) await open.write(chunk);
  } catch (error) {
    await open.abort().catch(() => undefined);
    throw error;
  }
  await open.close();
};
