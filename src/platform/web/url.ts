/** Files that a server has, read by ranges of bytes; a server that knows none sends the whole file, once. */
import type { PickedFile } from "../mount.ts";
import type { Found } from "./reading.ts";

/** A file that can be read in parts. */
type Remote = Pick<PickedFile, "size" | "slice">;

/** How much of a file is asked for first: its size comes along, and a small one whole. */
const first = 2 ** 16;

const inMemory = (bytes: Uint8Array<ArrayBuffer>): Remote => ({
  size: bytes.length,
  slice: (from, to) => ({ arrayBuffer: async () => bytes.slice(from, to).buffer }),
});

const asked = (url: string, from: number, to: number): Promise<Response> => fetch(url, { headers: { range: `bytes=${from}-${to - 1}` } });

/** Throws, in words, where a server does not send a file. */
const checked = async (pending: Promise<Response>, url: string): Promise<Response> => {
  const response = await pending.catch((error: unknown) => {
    throw new Error(`its server cannot be reached, or does not let this page read it (${error instanceof Error ? error.message : String(error)})`);
  });
  // Where nothing is, some servers send their start page.
  const page = response.headers.get("content-type")?.startsWith("text/html") === true && !/\.html?([?#]|$)/i.test(url);
  if ((response.ok || response.status === 416) && !page) return response;
  await response.body?.cancel();
  throw new Error(page && response.ok ? "its server sends a web page in its place" : `its server says ${response.status} ${response.statusText}`.trimEnd());
};

const bytesOf = async (response: Response): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await response.arrayBuffer());

/** What a server says of the range that it sends: where it begins, and how large the file is. A server of another origin may hide that. */
const rangeOf = (response: Response): { readonly from?: number; readonly total?: number } => {
  const header = response.headers.get("content-range") ?? "";
  const [, from] = /^bytes (\d+)-/.exec(header) ?? [];
  const [, total] = /\/(\d+)$/.exec(header) ?? [];
  return { ...(from === undefined ? {} : { from: Number(from) }), ...(total === undefined ? {} : { total: Number(total) }) };
};

/** Bytes of a file of so many, from one place to another. Throws where the file has another tag or size by now, or where other bytes come. */
const part = async (url: string, tag: string | null, size: number, from: number, to: number): Promise<ArrayBuffer> => {
  const response = await checked(asked(url, from, to), url);
  const sent = rangeOf(response);
  if (response.headers.get("etag") !== tag || (sent.total ?? size) !== size) throw new Error("it has changed while it was read");
  if ((sent.from ?? from) !== from) throw new Error(`its server sent bytes from ${sent.from} on where those from ${from} on were asked for`);
  const bytes = await response.arrayBuffer();
  if (response.status === 206 && bytes.byteLength === to - from) return bytes;
  if (response.status === 200 && bytes.byteLength === size) return bytes.slice(from, to);
  throw new Error(`its server sent ${bytes.byteLength} bytes where ${to - from} were asked for`);
};

/** The file at a URL. Throws, in words, where there is none. */
export const fileAt = async (url: string): Promise<Found> => {
  if (url.startsWith("blob:")) return { kind: "file", file: await (await checked(fetch(url), url)).blob() };
  const response = await checked(asked(url, 0, first), url);
  if (response.status === 200) return { kind: "file", file: inMemory(await bytesOf(response)) };
  if (response.status === 416) return { kind: "file", file: inMemory(new Uint8Array()) };
  const { from, total: size } = rangeOf(response);
  const start = await bytesOf(response);
  // Where nobody says what these bytes are a part of, the whole file is: once, and as it comes.
  if (from !== 0 || size === undefined || size < start.length) return { kind: "file", file: inMemory(await bytesOf(await checked(fetch(url), url))) };
  if (size === start.length) return { kind: "file", file: inMemory(start) };
  const tag = response.headers.get("etag");
  const slice: Remote["slice"] = (from = 0, to = size) => ({
    arrayBuffer: async () => (to <= start.length ? start.slice(from, to).buffer : await part(url, tag, size, from, to)),
  });
  return { kind: "file", file: { size, slice } };
};

/** Whether a server has a file; of the file itself no more is read than has come. */
export const isAt = async (url: string): Promise<boolean> => {
  try {
    await (await checked(asked(url, 0, 1), url)).body?.cancel();
    return true;
  } catch {
    return false;
  }
};
