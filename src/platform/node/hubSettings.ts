/** The environment variables of Hugging Face's own programs, and what they stand for. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Variables of an environment by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a hub is, what it knows its user by, and where its files are kept. */
export interface HubSettings {
  readonly endpoint: string;
  readonly token: string | undefined;
  /** The folder of the cache. */
  readonly cache: string;
  /** Whether nothing may be asked of the hub. */
  readonly offline: boolean;
}

const inHome = (path: string): string => path.replace(/^~(?=$|[/\\])/, homedir());

const isTrue = (text: string | undefined): boolean => ["1", "ON", "YES", "TRUE"].includes((text ?? "").toUpperCase());

/** The settings of an environment, as `huggingface_hub` reads them; the token may be in a file. */
export const settingsOf = async (environment: Environment): Promise<HubSettings> => {
  const { HF_HOME, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, XDG_CACHE_HOME } = environment;
  const home = inHome(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface"));
  const written = await readFile(inHome(HF_TOKEN_PATH || join(home, "token")), "utf8").catch(() => "");
  const token = (HF_TOKEN || HUGGING_FACE_HUB_TOKEN || written).trim();
  return {
    endpoint: (HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, ""),
    token: token === "" ? undefined : token,
    cache: inHome(HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, "hub")),
    offline: isTrue(environment.HF_HUB_OFFLINE || environment.TRANSFORMERS_OFFLINE),
  };
};
