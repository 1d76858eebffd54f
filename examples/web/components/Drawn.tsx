/** What the report's code has drawn: HTML in which it has escaped all texts. */
export const Drawn = ({ html, className }: { readonly html: string; readonly className?: string }) => (
  <div class={className} dangerouslySetInnerHTML={{ __html: html }} />
);
