/** The names of what is not whole yet. */

/** A name for what is to be called `name`, which no other write uses, of this process or another, on this machine or one that shares the disk. */
export const temporaryName = (name: string): string => `.${name}.${globalThis.crypto.randomUUID()}.tmp`;

/**
 * Whether a name is one that {@link temporaryName} gives, or what a system makes of it: a folder that is being replaced has `-old` behind it, and Chromium
 * writes a file from a window beside itself, as `.crswap`.
 */
export const isTemporary = (name: string): boolean => /^\..+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp(-old|\.crswap)?$/.test(name);
