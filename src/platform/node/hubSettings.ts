/** The environment variables of Hugging Face's own programs, and what they stand for. */
import { readFile } from "node:fs/promises";
import { Buffer } from "node:buffer";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Failure } from "../../failure.ts";

/** Variables of an environment by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a hub is, what it knows its user by, and where its files are kept. */
export interface HubSettings {
  /** Without the name and the password of a user that may stand in it, so that nothing can print them. */
  readonly endpoint: string;
  readonly token: string | undefined;
  /** What is said to the hub of who asks: the token, else the user of its address. */
  readonly authorization: string | undefined;
  /** The folder of the cache. */
  readonly cache: string;
  /** Whether nothing may be asked of the hub. */
  readonly offline: boolean;
  /** Why the hub cannot be asked as the environment says. */
  readonly unfit: Failure | undefined;
}

/** An address in its parts; undefined where it is none of the web. */
const addressOf = (text: string): { readonly endpoint: string; readonly user: string | undefined } | undefined => {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const user = url.username === "" && url.password === "" ? undefined : `${url.username}:${url.password}`;
  url.username = "";
  url.password = "";
  return { endpoint: url.href.replace(/\/+$/, ""), user };
};

/** The authorization of a user that stands in an address. */
const basic = (user: string): string => `Basic ${Buffer.from(unescaped(user)).toString("base64")}`;

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const unfitFor = (endpoint: string | undefined, token: string, from: string): Failure | undefined => {
  if (endpoint === undefined) return { _tag: "BadOption", option: "HF_ENDPOINT", detail: "is no address that begins with https:// or http://" };
  if (/^[\x21-\x7e]*$/.test(token)) return undefined;
  return { _tag: "BadOption", option: from, detail: "has characters that no token has, such as a blank, a line break or a letter with an accent" };
};

const inHome = (path: string): string => path.replace(/^~(?=$|[/\\])/, homedir());

const isTrue = (text: string | undefined): boolean => ["1", "ON", "YES", "TRUE"].includes((text ?? "").toUpperCase());

/** The settings of an environment, as `huggingface_hub` reads them; the token may be in a file. */
export const settingsOf = async (environment: Environment): Promise<HubSettings> => {
  const { HF_HOME, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, XDG_CACHE_HOME } = environment;
  const home = inHome(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface"));
  const file = inHome(HF_TOKEN_PATH || join(home, "token"));
  const written = await readFile(file, "utf8").catch(() => "");
  const token = (HF_TOKEN || HUGGING_FACE_HUB_TOKEN || written).trim();
  const from = HF_TOKEN ? "HF_TOKEN" : HUGGING_FACE_HUB_TOKEN ? "HUGGING_FACE_HUB_TOKEN" : file;
  const address = addressOf((HF_ENDPOINT || "https://huggingface.co").trim());
  return {
    endpoint: address?.endpoint ?? "",
    token: token === "" ? undefined : token,
    authorization: token !== "" ? `Bearer ${token}` : address?.user === undefined ? undefined : basic(address.user),
    cache: inHome(HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, "hub")),
    offline: isTrue(environment.HF_HUB_OFFLINE || environment.TRANSFORMERS_OFFLINE),
    unfit: unfitFor(address?.endpoint, token, from),
  };
};
