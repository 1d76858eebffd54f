/** Downloads of single files that go on where they ended, and are what they should be or not there. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { Refusal, Silent, Unreachable, type Answer, type Requests } from "./hubRequest.ts";

/** A file of a hub. */
export interface Remote {
  readonly url: string;
  readonly size: number;
  /** The SHA-256 of its bytes, or the SHA-1 that Git has for it: 64 or 40 hexadecimal digits. */
  readonly digest: string;
}

/** What a hub has sent is not what it has listed. */
export class Damaged extends Error {}

/** Where a file grows until it is whole. No other program gives this name. */
export const partOf = (path: string): string => `${path}.cambium.incomplete`;

/** The size of a file; undefined where there is none. */
export const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

/** The byte from which on a server sends; undefined where it does not say. */
const startOf = ({ status, headers }: Answer): number | undefined => {
  if (status !== 206) return 0;
  const [, start] = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "") ?? [];
  return start === undefined ? undefined : Number(start);
};

/** Appends what a server sends, as far as it goes; a server that cannot go on from a byte sends all anew. */
const receive = async (remote: Remote, part: string, { open: ask, check }: Requests, received: (bytes: number) => void): Promise<void> => {
  const have = (await sizeOf(part)) ?? 0;
  // A compressed answer could not be gone on with.
  const answer = await ask(remote.url, { "accept-encoding": "identity", ...(have > 0 ? { range: `bytes=${have}-` } : {}) });
  try {
    const start = startOf(answer);
    if (start !== 0 && start !== have) throw new Damaged(`the answer does not begin at byte ${have}`);
    const handle = await open(part, start === 0 ? "w" : "a");
    try {
      let size = start;
      for (let bytes = await answer.read(); bytes !== undefined; bytes = await answer.read()) {
        check();
        size += bytes.byteLength;
        if (size > remote.size) throw new Damaged(`more than its ${remote.size} bytes have come`);
        await handle.writeFile(bytes);
        received(bytes.byteLength);
      }
      if (size < remote.size) throw new Unreachable(`the connection ended after ${size} of ${remote.size} bytes`);
    } finally {
      await handle.close();
    }
  } finally {
    await answer.close();
  }
};

/** The digest of a file, of the kind that another one is of. */
const digestOf = async (path: string, like: string): Promise<string> => {
  const hash = createHash(like.length === 64 ? "sha256" : "sha1");
  if (like.length === 40) hash.update(`blob ${await sizeOf(path)}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
};

/** Receives until all is there; a connection that breaks is made anew after a pause, as long as something comes. */
const complete = async (remote: Remote, part: string, requests: Requests, received: (bytes: number) => void): Promise<void> => {
  for (let failures = 0; ; ) {
    const have = (await sizeOf(part)) ?? 0;
    if (have > remote.size) await rm(part, { force: true });
    if (have === remote.size && have > 0) return;
    try {
      return await receive(remote, part, requests, received);
    } catch (error) {
      // The part is of no use to the server.
      if (error instanceof Refusal && error.status === 416 && have > 0) await rm(part, { force: true });
      else if (!(error instanceof Unreachable)) throw error;
      requests.check();
      failures = ((await sizeOf(part)) ?? 0) > have ? 0 : failures + 1;
      if (failures > 0 && error instanceof Silent) throw error;
      if (failures > requests.pauses.length) throw error;
      await requests.pause(requests.pauses[Math.max(0, failures - 1)] ?? 0);
    }
  }
};

/**
 * Downloads a file to `path`, from where an earlier download has ended; `received` is told the bytes as they come. What has come stays where the
 * download fails. Throws {@link Damaged} where the bytes are others than those that were listed, and what requests and disks throw.
 */
export const download = async (remote: Remote, path: string, requests: Requests, received: (bytes: number) => void): Promise<void> => {
  const part = partOf(path);
  for (let begun = (await sizeOf(part)) !== undefined; ; begun = false) {
    try {
      await complete(remote, part, requests, received);
      const found = await digestOf(part, remote.digest);
      if (found !== remote.digest) throw new Damaged(`its digest is ${found} where ${remote.digest} is listed`);
      return await rename(part, path);
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      await rm(part, { force: true });
      // What was there before may be to blame.
      if (!begun) throw error;
    }
  }
};
