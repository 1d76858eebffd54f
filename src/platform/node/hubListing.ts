/** What a hub says of a repository: the commit of a revision, and the files of a commit. */
import type { Repository } from "../hub.ts";
import { Damaged } from "./download.ts";
import { isCommit } from "./hubCache.ts";
import { Foreign, Refusal, Stopped, Unreachable, type Requests } from "./hubRequest.ts";
import type { HubSettings } from "./hubSettings.ts";

/** Whom is asked, for what. */
export interface Asker {
  readonly repository: Repository;
  readonly settings: HubSettings;
  readonly requests: Requests;
}

/** A file of a repository. */
export interface Listed {
  readonly path: string;
  readonly size: number;
  readonly digest: string;
}

/** What somebody has to be told, in words. */
export class Refused extends Error {}

/** The address of a repository. */
export const pageOf = ({ kind, name }: Repository, { endpoint }: HubSettings): string => `${endpoint}/${kind === "dataset" ? "datasets/" : ""}${name}`;

/** What the hub's package makes of an answer; where it can make nothing of it, no hub has given it. */
const understood = async <A>({ settings: { endpoint } }: Asker, asked: Promise<A>): Promise<A> =>
  asked.catch((error: unknown) => {
    const known = [Refused, Refusal, Unreachable, Stopped, Foreign].some((kind) => error instanceof kind);
    throw known ? error : new Foreign(endpoint, "its JSON has other fields");
  });

/** The commit of a revision, as the hub says. */
export const commitOf = async (asker: Asker): Promise<string> => {
  const { repository, settings, requests } = asker;
  const { kind, name, revision = "main" } = repository;
  if (isCommit(revision)) return revision;
  const { datasetInfo, modelInfo } = await import("@huggingface/hub");
  const asked = { name, revision, hubUrl: settings.endpoint, fetch: requests.fetch };
  const info = kind === "model" ? modelInfo({ ...asked, additionalFields: ["sha"] }) : datasetInfo({ ...asked, additionalFields: ["sha"] });
  const { sha } = await understood<{ readonly sha: string }>(asker, info);
  if (!isCommit(sha)) throw new Refused(`${settings.endpoint} does not say which commit ${revision} is`);
  return sha;
};

const list = async ({ repository: { kind, name }, settings: { endpoint }, requests: { fetch } }: Asker, commit: string): Promise<readonly Listed[]> => {
  const { listFiles } = await import("@huggingface/hub");
  const files: Listed[] = [];
  for await (const { type, path, size, oid, lfs } of listFiles({ repo: { type: kind, name }, revision: commit, recursive: true, hubUrl: endpoint, fetch })) {
    if (typeof path !== "string") throw new Foreign(endpoint, "its list has files without a path");
    if (type === "file") files.push({ path, size: lfs?.size ?? size, digest: lfs?.oid ?? oid ?? "" });
  }
  return files;
};

/** The files of a commit, as the hub lists them. */
export const listed = (asker: Asker, commit: string): Promise<readonly Listed[]> => understood(asker, list(asker, commit));

/** Names that would be files elsewhere, on some system or other. */
const leadsOutside = (path: string): boolean => /^[/\\]|(^|[/\\])\.\.([/\\]|$)|(^|\/)[a-z]:|\\|\0/i.test(path);

/** Throws {@link Damaged} or {@link Refused} where a file cannot be one of a repository. */
export const checkListed = ({ path, size, digest }: Listed): void => {
  if (leadsOutside(path) || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(digest))
    throw new Damaged(`its file ${path} has a name or a digest that no file of a repository has`);
  if (!Number.isInteger(size) || size < 0)
    throw new Refused(`its file ${path} is listed with ${JSON.stringify(size) ?? "no size"}, which is no number of bytes`);
};
