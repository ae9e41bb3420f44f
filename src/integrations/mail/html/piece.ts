/*
 * The compiled skeleton cut up: a piece stands between the comments `<!--name-->` and `<!--/name-->`, and where text goes
 * into it there is `@@name@@`.
 */

/** What stands between two marks. @throws {RangeError} where one is missing: the skeleton and this program do not fit. */
export function between(html: string, from: string, to: string): string {
  const start = html.indexOf(from);
  const end = html.indexOf(to, start + from.length);
  if (start < 0 || end < 0) throw new RangeError(`the skeleton of mails has no ${from} … ${to}`);
  return html.slice(start + from.length, end);
}

export function pieceOf(html: string, name: string): string {
  return between(html, `<!--${name}-->`, `<!--/${name}-->`);
}

/** What comes before and after a place that is filled with other pieces. */
export function around(html: string, name: string): { before: string; after: string } {
  const start = `<!--${name}-->`;
  const end = `<!--/${name}-->`;
  between(html, start, end);
  return { before: html.slice(0, html.indexOf(start)), after: html.slice(html.indexOf(end) + end.length) };
}

/** Fills a piece in. What is filled in is not looked at again, whatever it holds. */
export function template<Name extends string>(html: string): (values: Readonly<Record<Name, string>>) => string {
  const parts = html.split(/@@(\w+)@@/u);
  return (values) => {
    const known: Readonly<Record<string, string | undefined>> = values;
    // Every second part is the name of what goes there.
    return parts.map((part, index) => (index % 2 === 0 ? part : (known[part] ?? ''))).join('');
  };
}
