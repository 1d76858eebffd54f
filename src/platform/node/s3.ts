/**
 * A storage in S3, or in a server that speaks like it, by the client of AWS. That package is optional: it is loaded when a storage is opened. Credentials and
 * region are those that the client finds.
 */
import type { S3 } from "@aws-sdk/client-s3";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { firstLine } from "../failures.ts";
import type { OpenFile } from "../files.ts";
import { storageFailure, type OpenStorage, type Storage, type StoredObject } from "../storage.ts";

/** How often a request is tried, when a storage is opened and later: the latter takes about a minute. */
const [attemptsAtFirst, attempts] = [3, 15];

/** Bytes of the parts that a large object is put in. */
const oneRequest = 2 ** 26;

/** Milliseconds until a server that does not answer is given up, and tried again. */
const timeouts = { connectionTimeout: 10_000, socketTimeout: 60_000 };

const packages = TE.tryCatch(
  () => import("@aws-sdk/client-s3"),
  (): Failure => storageFailure("needs the package @aws-sdk/client-s3: npm install @aws-sdk/client-s3"),
);

/** Where objects are. */
interface Place {
  readonly bucket: string;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
  readonly endpoint: string | undefined;
}

const placeOf = (text: string, endpoint: string | undefined): E.Either<Failure, Place> => {
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9._-]+)(?:\/(.*))?$/.exec(text) ?? [];
  if (bucket === undefined) return E.left(storageFailure("should be an address such as s3://BUCKET/PREFIX"));
  if (endpoint !== undefined && !(/^https?:\/\//.test(endpoint) && URL.canParse(endpoint)))
    return E.left({ _tag: "BadOption", option: "--s3-endpoint", detail: "should be an address such as https://HOST:9000" });
  const names = prefix.split("/").filter((name) => name !== "");
  return E.right({ bucket, prefix: names.map((name) => `${name}/`).join(""), endpoint });
};

/** What the client throws, as far as it is looked at. */
interface Thrown {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const statusOf = (error: unknown): number | undefined => (error as Thrown).$metadata?.httpStatusCode;

/** What went wrong, in words without secrets. */
const explained =
  ({ bucket, prefix, endpoint }: Place) =>
  (error: unknown): Failure => {
    const { name = "", code } = error as Thrown;
    const server = endpoint === undefined ? "AWS" : new URL(endpoint).host;
    const says = (detail: string): Failure => storageFailure(`s3://${bucket}/${prefix} at ${server}: ${detail}`);
    if (name === "CredentialsProviderError") return says("no credentials are found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile");
    if (firstLine(error) === "Region is missing") return says("no region is found; set AWS_REGION (us-east-1 where a server has none)");
    if (name === "NoSuchBucket") return says("there is no such bucket");
    if (statusOf(error) === 401 || statusOf(error) === 403) return says(`the credentials are refused (${name})`);
    if (statusOf(error) === undefined && code !== undefined) return says(`nobody answers (${code})`);
    return says(`${name}: ${firstLine(error)}`);
  };

/** What is undefined where the server answers so. */
const unless = async <A>(statuses: readonly number[], asked: Promise<A>): Promise<A | undefined> =>
  asked.catch((error: unknown) => {
    if (statuses.includes(statusOf(error) ?? 0) && (error as Thrown).name !== "NoSuchBucket") return undefined;
    throw error;
  });

/** Reads an object; an answer that breaks off is asked for again. */
const received = async (s3: S3, input: Parameters<S3["getObject"]>[0]): Promise<StoredObject | undefined> => {
  for (let attempt = 1; ; attempt++) {
    const found = await unless([404], s3.getObject(input));
    if (found === undefined) return undefined;
    try {
      return { bytes: (await found.Body?.transformToByteArray()) ?? new Uint8Array(), tag: found.ETag ?? "" };
    } catch (error) {
      if (attempt === attemptsAtFirst) throw error;
    }
  }
};

const partOf = ({ size, read }: OpenFile, from: number, most: number): TE.TaskEither<Failure, Uint8Array> => {
  const bytes = new Uint8Array(Math.min(most, size - from));
  return pipe(
    read(bytes, from),
    TE.map((n) => bytes.subarray(0, n)),
  );
};

/** What asks a server. */
type Ask = <A>(use: () => Promise<A>) => TE.TaskEither<Failure, A>;

/** Puts a large file in parts. */
const uploadParts = (
  s3: S3,
  ask: Ask,
  input: { readonly Bucket: string; readonly Key: string },
  file: OpenFile,
  part: number,
): TE.TaskEither<Failure, unknown> =>
  pipe(
    ask(() => s3.createMultipartUpload(input)),
    TE.chain(({ UploadId }) => {
      const upload = { ...input, UploadId };
      const numbers = Array.from({ length: Math.ceil(file.size / part) }, (_, i) => i + 1);
      return pipe(
        numbers,
        TE.traverseSeqArray((PartNumber) =>
          pipe(
            partOf(file, (PartNumber - 1) * part, part),
            TE.chain((Body) => ask(() => s3.uploadPart({ ...upload, PartNumber, Body }))),
            TE.map(({ ETag }) => ({ ETag, PartNumber })),
          ),
        ),
        TE.chain((Parts) => ask(() => s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts: [...Parts] } }))),
        TE.orElse((failure) => async () => {
          await ask(() => s3.abortMultipartUpload(upload))();
          return E.left(failure);
        }),
      );
    }),
  );

/** A storage over a client; files that are larger than `part` bytes are put in parts. */
const over = (s3: S3, place: Place, part: number): Storage => {
  const { bucket, prefix } = place;
  const ask: Ask = (use) => TE.tryCatch(use, explained(place));
  const at = (key: string) => ({ Bucket: bucket, Key: `${prefix}${key}` });
  return {
    name: `s3://${bucket}/${prefix}`.replace(/\/$/, ""),
    get: (key, part) => ask(() => received(s3, { ...at(key), ...(part === undefined ? {} : { Range: `bytes=${part.from}-${part.from + part.bytes - 1}` }) })),
    put: (key, bytes, seen) =>
      ask(async () => {
        const condition = seen === undefined ? { IfNoneMatch: "*" } : { IfMatch: seen };
        // 409: somebody else puts it at the same time.
        return (await unless([404, 409, 412], s3.putObject({ ...at(key), ...condition, Body: bytes })))?.ETag;
      }),
    upload: (key, file) =>
      pipe(
        file.size > part
          ? uploadParts(s3, ask, at(key), file, part)
          : pipe(
              partOf(file, 0, part),
              TE.chain((Body) => ask<unknown>(() => s3.putObject({ ...at(key), Body }))),
            ),
        TE.map(() => undefined),
      ),
    list: (below) =>
      ask(async () => {
        const keys: string[] = [];
        for (let from: string | undefined; ; ) {
          const page = await s3.listObjectsV2({ Bucket: bucket, Prefix: `${prefix}${below}`, ContinuationToken: from });
          keys.push(...(page.Contents ?? []).map(({ Key = "" }) => Key.slice(prefix.length)));
          from = page.NextContinuationToken;
          if (from === undefined) return keys;
        }
      }),
    remove: (key) =>
      pipe(
        ask(() => s3.deleteObject(at(key))),
        TE.map(() => undefined),
      ),
  };
};

/** Opens a storage in S3. */
export const openS3 =
  (part = oneRequest): OpenStorage =>
  (text, { endpoint } = {}) =>
    pipe(
      TE.fromEither(placeOf(text, endpoint)),
      TE.bindTo("place"),
      TE.bind("sdk", () => packages),
      TE.chain(({ place, sdk }) => {
        const client = (maxAttempts: number): S3 =>
          new sdk.S3({
            maxAttempts,
            requestHandler: timeouts,
            ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
            // Not every server knows the newer checksums; what is read is checked by whoever reads it.
            requestChecksumCalculation: "WHEN_REQUIRED",
            responseChecksumValidation: "WHEN_REQUIRED",
          });
        return pipe(
          TE.tryCatch(() => client(attemptsAtFirst).listObjectsV2({ Bucket: place.bucket, Prefix: place.prefix, MaxKeys: 1 }), explained(place)),
          TE.map(() => over(client(attempts), place, part)),
        );
      }),
    );
