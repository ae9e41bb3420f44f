/** The changelog's heading of a version that is out: `## 0.1.0 – 2026-11-29`. */
const HEADING = /^## (\S+) – (.+)$/m;

/** What keeps a version from being released; undefined where nothing does. `version` is package.json's. */
export function notReady(changelog: string, version: string): string | undefined {
  const [, newest, date = ''] = HEADING.exec(changelog) ?? [];
  if (newest !== version) return `CHANGELOG.md begins with ${newest ?? 'no version'}, package.json says ${version}`;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return `CHANGELOG.md has no date for ${version}`;
  return undefined;
}
