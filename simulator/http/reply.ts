/** An answer as a value: who serves it can still delay it, or cut the connection in its place. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** So many spaces follow the body. */
  padBytes?: number;
  /** Happens once the answer has been handed over. */
  afterwards?: () => void;
}

export const json = (status: number, value: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
});

export const empty = (status: number, headers: Record<string, string> = {}): Reply => ({ status, headers, body: '' });

export const html = (status: number, body: string): Reply => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body,
});
