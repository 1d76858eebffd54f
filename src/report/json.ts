/** JSON for people: objects indented, arrays of plain values on one line, so that a matrix reads as a matrix. */
export const prettyJson = (u: unknown, indent = ""): string => {
  const inner = `${indent}  `;
  const block = (open: string, parts: readonly string[], close: string): string =>
    parts.length === 0 ? open + close : `${open}\n${parts.map((p) => inner + p).join(",\n")}\n${indent}${close}`;
  if (Array.isArray(u)) {
    const flat = u.every((x) => typeof x !== "object" || x === null);
    const parts = u.map((x) => prettyJson(x, inner));
    return flat ? `[${parts.join(", ")}]` : block("[", parts, "]");
  }
  if (typeof u === "object" && u !== null) {
    const entries = Object.entries(u).filter(([, v]) => v !== undefined);
    return block(
      "{",
      entries.map(([k, v]) => `${JSON.stringify(k)}: ${prettyJson(v, inner)}`),
      "}",
    );
  }
  return JSON.stringify(u) ?? "null";
};
