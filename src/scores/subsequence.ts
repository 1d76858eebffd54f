/** The longest common subsequence: what ROUGE-L counts in words and edit similarity in characters. */

/**
 * The length of the longest common subsequence of two sequences, in time a.length · b.length.
 *
 * ```ts
 * assert.equal(commonSubsequence("kitten", "sitting"), 4);
 * ```
 */
export const commonSubsequence = (a: ArrayLike<string>, b: ArrayLike<string>): number => {
  // longest[j]: that of what is read of a and the first j of b.
  const longest = new Uint32Array(b.length + 1);
  for (let i = 0; i < a.length; i++) {
    let before = 0;
    for (let j = 0; j < b.length; j++) {
      const above = longest[j + 1];
      longest[j + 1] = a[i] === b[j] ? before + 1 : Math.max(above, longest[j]);
      before = above;
    }
  }
  return longest[b.length];
};
