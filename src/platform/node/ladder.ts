/** Opens a GPU by a ladder of adapters: the one that Dawn finds, else lavapipe, else SwiftShader. */
import { readdir } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import type { Task } from "fp-ts/lib/Task.js";
import type { Failure } from "../../failure.ts";
import { firstLine } from "../failures.ts";
import { rungs, type GpuRequest, type OpenGpu, type Platform, type Rung } from "../platform.ts";
import { driverVariables, noAdapter, openDawn } from "./dawn.ts";
import { load, vulkanLoads } from "./library.ts";
import { swiftShader } from "./swiftshader.ts";

/** Where Linux keeps the descriptions of Vulkan drivers. */
const driverFolders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];

const isLavapipe = (path: string): boolean => /^lvp_icd.*\.json$/.test(basename(path));

/** The descriptions of lavapipe: those that the environment names, else those that are installed. */
const lavapipeDrivers = async (): Promise<readonly string[]> => {
  const named = driverVariables.flatMap((name) => (process.env[name] ?? "").split(delimiter)).filter(isLavapipe);
  if (named.length > 0) return named;
  const lists = await Promise.all(
    driverFolders.map((dir) =>
      readdir(dir).then(
        (files) =>
          files
            .filter(isLavapipe)
            .sort()
            .map((file) => join(dir, file)),
        () => [],
      ),
    ),
  );
  return lists.flat();
};

/** What is asked of one rung. */
interface RungRequest extends Pick<GpuRequest, "descriptor"> {
  /** Whether no other rung may be tried. */
  readonly only: boolean;
}

/** How each rung opens a device; a string says why it cannot. */
const climb: Readonly<Record<Rung, (request: RungRequest) => Promise<OpenGpu | string>>> = {
  // As part of the ladder, whatever Dawn finds by itself is taken: a software driver that the environment names is the user's choice.
  gpu: ({ descriptor, only }) =>
    openDawn({
      descriptor,
      refuse: (info) => (only && info.isFallbackAdapter ? `Dawn finds only ${info.description}, which is software` : undefined),
    }),
  lavapipe: async ({ descriptor }) => {
    const drivers = await lavapipeDrivers();
    if (drivers.length === 0) return `no lvp_icd*.json in ${driverFolders.join(", ")}`;
    const opened = await openDawn({ descriptor, drivers });
    return opened === noAdapter ? `Dawn refuses the driver of ${drivers.join(", ")} (it needs Mesa 23.1 or newer)` : opened;
  },
  swiftshader: async ({ descriptor }) => {
    const { icd, loader } = await swiftShader();
    if (!vulkanLoads()) load(loader);
    return openDawn({ descriptor, drivers: [icd] });
  },
};

/** One at a time: the drivers are chosen through the environment, which the whole process shares. */
let queue: Promise<unknown> = Promise.resolve();

const inTurn =
  <A>(task: Task<A>): Task<A> =>
  () => {
    const result = queue.then(task);
    queue = result.catch(() => undefined);
    return result;
  };

/** The rungs to try: the one that is asked for, the one that `CAMBIUM_ADAPTER` names, or all. */
const rungsToTry = (asked: Rung | undefined): E.Either<Failure, readonly Rung[]> => {
  const wanted = asked ?? (process.env.CAMBIUM_ADAPTER || undefined);
  if (wanted === undefined) return E.right(rungs);
  const rung = rungs.find((r) => r === wanted);
  return rung === undefined ? E.left({ _tag: "BadOption", option: "CAMBIUM_ADAPTER", detail: `${wanted} is none of ${rungs.join(", ")}` }) : E.right([rung]);
};

/** Opens a GPU on the first rung that can. Fails with `NoAdapter`, which says what each rung answered, or with `BadOption`. */
export const openGpu: Platform["openGpu"] = ({ rung, descriptor }) =>
  inTurn(async () => {
    const wanted = rungsToTry(rung);
    if (E.isLeft(wanted)) return wanted;
    const tried: string[] = [];
    for (const name of wanted.right) {
      const opened = await climb[name]({ descriptor, only: wanted.right.length === 1 }).catch(firstLine);
      if (typeof opened !== "string") return E.right(opened);
      tried.push(`${name}: ${opened}`);
    }
    return E.left({ _tag: "NoAdapter", tried });
  });
