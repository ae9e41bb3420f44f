import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'mocha';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadApiSettings, loadWorkerSettings, settingNames } from '../../src/config.js';
import { VERSION } from '../../src/version.js';

const serviceSchema = z.object({
  image: z.string(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  volumes: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  entrypoint: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  read_only: z.boolean().default(false),
  tmpfs: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()).default([]),
  cap_add: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  privileged: z.boolean().default(false),
  ports: z.array(z.string()).default([]),
});
const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null()),
});

const { services, volumes } = composeSchema.parse(
  parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true, maxAliasCount: 10 }),
);
const dockerfile = readFileSync('Dockerfile', 'utf8');

/** `NAME=` of .env.example. */
const exampleNames = [...readFileSync('.env.example', 'utf8').matchAll(/^([A-Z_]+)=/gm)].flatMap(
  ([, name]) => name ?? [],
);

function serviceOf(name: string): z.infer<typeof serviceSchema> {
  const service = services[name];
  assert.ok(service !== undefined, `there is no service ${name}`);
  return service;
}

/** What compose would put in place of `${NAME:?…}`. */
function filledIn(environment: Record<string, string | number>): NodeJS.ProcessEnv {
  const values: Partial<Record<string, string>> = {
    PUBLIC_URL: 'https://soc.example',
    SMTP_URL: 'smtps://mail.example:465',
    IMAP_URL: 'imaps://mail.example:993',
    MAIL_TOKEN_SECRET: 'a long enough secret',
    MAIL_FROM: 'soc@soc.example',
    SOC_MAIL_TO: 'soc@soc.example',
    TWILIO_FROM: '+815012345678',
  };
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      // A file that is in a volume.
      name === 'ENCRYPTION_KEYS_FILE'
        ? 'package.json'
        : String(value).replace(/^\$\{(\w+):\?[^}]*\}$/, (_, variable: string) => values[variable] ?? 'given'),
    ]),
  );
}

const ARCHIVE = '/var/lib/mimamori-archive';

/** The volume takes its owner from the folder in the image. */
function ownFolder(folder: string): RegExp {
  return new RegExp(`install --directory --owner=node --group=node --mode=700 ${folder}(?: \\\\)?$`, 'm');
}

/** What runs our own image. */
const OWN = ['api', 'worker', 'temporal-namespace', 'keys', 'forget'];
/** What somebody runs by hand may write the keys. */
const BY_HAND = ['keys', 'forget'];

describe('docker compose', () => {
  it('gives the API and the worker settings that they know', () => {
    for (const name of ['api', 'worker']) {
      const unknown = Object.keys(serviceOf(name).environment).filter(
        (variable) => !settingNames.includes(variable) && !/^TEMPORAL_(ADDRESS|NAMESPACE)$/.test(variable),
      );
      assert.deepEqual(unknown, [], name);
    }
  });

  it('gives them all that they need', () => {
    const worker = loadWorkerSettings(filledIn(serviceOf('worker').environment));
    const api = loadApiSettings(filledIn(serviceOf('api').environment));
    // The API starts incidents under the policy that the worker goes on with.
    for (const part of ['publicUrl', 'customersFile', 'service', 'temporal'] as const) {
      assert.deepEqual(worker[part], api[part], part);
    }
    assert.equal(worker.mail.socTo, api.mail.socTo);
    assert.equal(api.api.host, '0.0.0.0');
  });

  it('takes every secret from .env, which its example lists', () => {
    const used = new Set(
      [...readFileSync('docker-compose.yml', 'utf8').matchAll(/\$\{(\w+)/g)].flatMap(([, name]) => name ?? []),
    );
    assert.deepEqual([...used].sort(), [...exampleNames].sort());
  });

  it('pins every image', () => {
    const images = [
      ...Object.values(services).map(({ image }) => image),
      ...[...dockerfile.matchAll(/^FROM (\S+)/gm)].flatMap(([, image]) => image ?? []),
    ];
    for (const image of images) assert.match(image, /^[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?$/, image);
  });

  it('refers to services, volumes and files that exist', () => {
    for (const [name, { depends_on, volumes: mounts }] of Object.entries(services)) {
      for (const other of Object.keys(depends_on)) assert.ok(other in services, `${name} depends on ${other}`);
      for (const mount of mounts) {
        const [source = ''] = mount.split(':');
        assert.ok(source.startsWith('./') ? existsSync(source) : source in volumes, `${name} mounts ${source}`);
      }
    }
  });

  it('confines what is our own: nothing to write to, no capability', () => {
    for (const name of OWN) {
      const { read_only, tmpfs, cap_drop } = serviceOf(name);
      assert.deepEqual({ read_only, tmpfs, cap_drop }, { read_only: true, tmpfs: ['/tmp'], cap_drop: ['ALL'] }, name);
    }
  });

  it('lets nobody gain a right, and is reached from this host alone', () => {
    for (const [name, { security_opt, cap_add, privileged, ports }] of Object.entries(services)) {
      assert.deepEqual(security_opt, ['no-new-privileges:true'], name);
      assert.deepEqual({ cap_add, privileged }, { cap_add: [], privileged: false }, name);
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name);
    }
  });

  it('keeps the audit file in a volume that the service’s user owns', () => {
    const { environment, volumes: mounts } = serviceOf('api');
    const folder = dirname(String(environment['AUDIT_FILE']));
    assert.ok(mounts.includes(`audit:${folder}`), folder);
    assert.match(dockerfile, ownFolder(folder));
    // All other folders of ours are mounted to be read.
    for (const name of OWN.filter((own) => !BY_HAND.includes(own))) {
      const writable = serviceOf(name).volumes.filter((mount) => !mount.endsWith(':ro') && !mount.startsWith('audit:'));
      assert.deepEqual(writable, name === 'worker' ? [`archive:${ARCHIVE}`] : [], name);
    }
  });

  it('lets the processes read the keys, and whoever runs a program by hand write them', () => {
    const mountOf = (name: string) => serviceOf(name).volumes.filter((mount) => mount.startsWith('keys:'));
    const folder = dirname(String(serviceOf('worker').environment['ENCRYPTION_KEYS_FILE']));
    for (const name of ['worker', 'api']) assert.deepEqual(mountOf(name), [`keys:${folder}:ro`], name);
    for (const name of BY_HAND) {
      assert.deepEqual(mountOf(name), [`keys:${folder}`], name);
      assert.deepEqual(serviceOf(name).profiles, ['tools'], name);
    }
    for (const name of ['worker', 'api', ...BY_HAND]) {
      assert.equal(serviceOf(name).environment['ENCRYPTION_KEYS_FILE'], `${folder}/keys.json`, name);
    }
    assert.match(dockerfile, new RegExp(`install --directory --owner=node --group=node --mode=700 ${folder} `));
  });

  it('keeps the archive in a volume that the worker writes and the API reads', () => {
    for (const name of ['worker', 'api']) assert.equal(serviceOf(name).environment['ARCHIVE_DIR'], ARCHIVE, name);
    assert.ok(serviceOf('api').volumes.includes(`archive:${ARCHIVE}:ro`));
    assert.match(dockerfile, ownFolder(ARCHIVE));
  });

  it('runs the version that this is', () => {
    for (const name of OWN) assert.equal(serviceOf(name).image, `mimamori:${VERSION}`);
  });

  it('runs programs that the build makes', () => {
    for (const name of OWN) {
      const { entrypoint, command } = serviceOf(name);
      const [node, script = ''] = [...entrypoint, ...command];
      assert.equal(node, 'node');
      const source = script.replace(/^dist\/(.+)\.js$/, 'src/$1.ts');
      assert.ok(existsSync(source), `${name} runs ${script}, but there is no ${source}`);
    }
  });
});

describe('the Dockerfile', () => {
  it('copies what exists, and what .dockerignore lets through', () => {
    const letThrough = readFileSync('.dockerignore', 'utf8');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, paths]) => paths?.split(' ') ?? [],
    );
    assert.ok(copied.length >= 5);
    for (const path of copied) {
      assert.ok(existsSync(path), path);
      assert.ok(letThrough.split('\n').includes(`!${path}`), `.dockerignore keeps ${path} out`);
    }
  });

  it('does not run as root', () => {
    assert.match(dockerfile, /^USER node$/m);
  });
});
