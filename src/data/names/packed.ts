/** Names that stand in one text with | between them. */
export const packed = (text: string): readonly string[] => text.split("|").map((name) => name.trim());
