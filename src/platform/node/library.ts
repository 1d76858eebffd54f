/**
 * Loads shared libraries into this process, so that Dawn's own `dlopen("libvulkan.so.1")` finds one by its soname. A library path in the
 * environment would only work when set before the process starts.
 */
import { constants } from "node:os";
import process from "node:process";

interface DenoLike {
  readonly dlopen: (path: string, symbols: object) => unknown;
}

/** Kept for the life of the process: a library that Dawn has found must not be closed. */
const loaded = new Map<string, unknown>();

/** Loads a library by path or by soname, and says whether that worked. */
export const load = (path: string): boolean => {
  if (loaded.has(path)) return true;
  const deno = (globalThis as { readonly Deno?: DenoLike }).Deno;
  try {
    if (deno !== undefined) {
      loaded.set(path, deno.dlopen(path, {}));
      return true;
    }
    const rtldNoDelete = 0x1000;
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | rtldNoDelete);
  } catch (error) {
    // Node always throws, as the library is no addon of its own; loaded it is all the same, and this sentence says so.
    if (deno !== undefined || !/self-register/.test(String(error))) return false;
  }
  loaded.set(path, path);
  return true;
};

/** Whether Dawn will find a Vulkan loader here (it needs one on Linux only); asked first, as Dawn's own answer is a page on stderr. */
export const vulkanLoads = (): boolean => process.platform !== "linux" || load("libvulkan.so.1");
