import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate with its key, as files and as PEM texts. */
export interface Pair {
  certPath: string;
  keyPath: string;
  cert: string;
  key: string;
}

/** A certificate authority of a test's own; its folder goes with `remove`. */
export interface Authority {
  certPath: string;
  cert: string;
  /** For whoever is at these names, such as `IP:127.0.0.1` or `DNS:localhost`. */
  issue(name: string, ...alternatives: string[]): Pair;
  remove(): void;
}

function openssl(folder: string, ...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
}

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'mimamori-ca-'));
  const at = (file: string) => join(folder, file);
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  openssl(
    folder,
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  return {
    certPath: at('ca.pem'),
    cert: readFileSync(at('ca.pem'), 'utf8'),
    issue(name, ...alternatives) {
      const [key, request, cert] = [`${name}.key`, `${name}.csr`, `${name}.pem`];
      openssl(folder, 'req', ...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
      writeFileSync(at(`${name}.ext`), `subjectAltName=${alternatives.join(',')}\n`);
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
      openssl(folder, 'x509', '-req', '-in', request, ...by, '-out', cert);
      const read = (file: string) => readFileSync(at(file), 'utf8');
      return { certPath: at(cert), keyPath: at(key), cert: read(cert), key: read(key) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
