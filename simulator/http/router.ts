/** Which of a list of routes a request means; what a miss looks like on the wire is each vendor's own matter. */

export interface RouteShape {
  method: string;
  /** `/api/machines/{machineId}/isolate` */
  pattern: string;
}

export type Match<R extends RouteShape> =
  | { kind: 'found'; route: R; param: (name: string) => string }
  | { kind: 'other-method'; allow: string[] }
  | { kind: 'none' };

const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '');

const paramsOf = (pattern: string, path: string): Map<string, string> | null => {
  const expected = segmentsOf(pattern);
  const actual = segmentsOf(path);
  if (expected.length !== actual.length) return null;
  const params = new Map<string, string>();
  for (const [index, segment] of expected.entries()) {
    const value = actual[index] ?? '';
    if (segment.startsWith('{')) params.set(segment.slice(1, -1), value);
    else if (segment.toLowerCase() !== value.toLowerCase()) return null;
  }
  return params;
};

export const matchRoute = <R extends RouteShape>(routes: readonly R[], method: string, path: string): Match<R> => {
  const allow: string[] = [];
  for (const route of routes) {
    const params = paramsOf(route.pattern, path);
    if (params === null) continue;
    if (route.method !== method) {
      allow.push(route.method);
      continue;
    }
    const param = (name: string): string => {
      const value = params.get(name);
      if (value === undefined) throw new Error(`The route ${route.pattern} has no parameter ${name}.`);
      return value;
    };
    return { kind: 'found', route, param };
  }
  return allow.length > 0 ? { kind: 'other-method', allow } : { kind: 'none' };
};
