/**
 * RFC 3676: puts the lines of `format=flowed` together again. A line that ends with a blank goes on in the next one, if that one
 * is quoted as deeply; the signature's `-- ` does not. With `delsp` the blank was added only for this, as Japanese needs it.
 */
export function unflow(text: string, isDelSp: boolean): string {
  const out: string[] = [];
  let open: string[] = [];
  let openDepth = -1;
  const close = (): void => {
    if (open.length > 0) out.push(`${openDepth > 0 ? `${'>'.repeat(openDepth)} ` : ''}${open.join('')}`);
    open = [];
    openDepth = -1;
  };
  for (const line of text.split('\n')) {
    let depth = 0;
    while (line.charAt(depth) === '>') depth++;
    const stuffed = line.slice(depth);
    const content = stuffed.startsWith(' ') ? stuffed.slice(1) : stuffed;
    if (depth !== openDepth || content === '-- ') close();
    openDepth = depth;
    const isSoft = content.endsWith(' ') && content !== '-- ';
    open.push(isSoft && isDelSp ? content.slice(0, -1) : content);
    if (!isSoft) close();
  }
  close();
  return out.join('\n');
}
