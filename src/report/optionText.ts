/** Options of a run as people read them. */
import { missing } from "./format.ts";

/** The value of an option in words; `undefined` where it was left open. */
export const optionText = (u: unknown): string | undefined => {
  if (u === null || u === undefined) return undefined;
  if (typeof u === "number") return Number.isFinite(u) ? String(Number(u.toPrecision(6))) : missing;
  if (Array.isArray(u)) return u.length === 0 ? "none" : u.map((x) => optionText(x) ?? missing).join(", ");
  if (typeof u !== "object") return String(u);
  const entries = Object.entries(u).flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${optionText(value) ?? missing}`]));
  return entries.length === 0 ? "none" : entries.join(", ");
};
