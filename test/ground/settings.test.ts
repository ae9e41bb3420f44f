import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { laptopSettings, loadApiSettings, loadWorkerSettings, settingNames, SettingsError } from '../../src/config.js';

const common = {
  MAIL_FROM: 'Mimamori SOC <soc@soc.example>',
  TWILIO_AUTH_TOKEN: 'hunter2-twilio',
  MAIL_TOKEN_SECRET: 'hunter2-of-the-mail-tokens',
};

const worker = {
  ...common,
  SMTP_URL: 'smtps://mailer:hunter2-smtp@mail.example:465',
  TWILIO_ACCOUNT_SID: 'AC00000000000000000000000000000001',
  TWILIO_FROM: '+815012345678',
  DEFENDER_CLIENT_ID: '44444444-4444-4444-8444-444444444444',
  DEFENDER_CLIENT_SECRET: 'hunter2-defender',
};

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('takes the defaults of production', () => {
    const settings = loadWorkerSettings(worker);
    assert.equal(settings.defender.apiBase, 'https://api.security.microsoft.com');
    assert.equal(settings.defender.tokenEndpoint, undefined);
    assert.deepEqual(settings.defender.credential, { secret: 'hunter2-defender' });
    assert.equal(settings.twilio.apiBase, 'https://api.twilio.com');
    assert.equal(settings.temporal.taskQueue, 'mimamori');
    assert.equal(settings.customersFile, 'config/customers.yaml');
    assert.deepEqual(settings.service, {
      untriagedWarnHours: 3,
      incidentAutoCloseDays: 14,
      incidentLingerDays: 7,
      inquiryRemindMinutes: [30, 60],
      phoneRingSeconds: 30,
      phoneRounds: 3,
      phoneRoundPauseSeconds: 60,
    });
  });

  it('lets the API start without what only the worker needs', () => {
    const settings = loadApiSettings({ ...common, API_PORT: '8090' });
    assert.deepEqual(settings.api, {
      host: '127.0.0.1',
      port: 8090,
      tls: undefined,
      trustedProxies: [],
      operatorsFile: 'config/operators.yaml',
      auditFile: undefined,
      webUiOrigin: undefined,
    });
    assert.equal(settings.publicUrl, 'http://127.0.0.1:8090');
  });

  it('shows metrics where it is told to, on this machine alone unless it is told so', () => {
    assert.equal(loadApiSettings(common).metrics, undefined);
    assert.equal(loadWorkerSettings(worker).metrics, undefined);
    const ports = { API_METRICS_PORT: '9464', WORKER_METRICS_PORT: '9465' };
    assert.deepEqual(loadApiSettings({ ...common, ...ports }).metrics, { host: '127.0.0.1', port: 9464 });
    assert.deepEqual(loadWorkerSettings({ ...worker, ...ports, METRICS_HOST: '::' }).metrics, {
      host: '::',
      port: 9465,
    });
    assert.deepEqual(
      problemsOf(() => loadApiSettings({ ...common, API_METRICS_PORT: '0', METRICS_HOST: 'everywhere' })),
      ['METRICS_HOST must be an address such as 127.0.0.1', 'API_METRICS_PORT must be a whole number from 1 to 65535'],
    );
  });

  it('takes a mailbox by password, or by all that an OAuth sign-in needs', () => {
    const IMAP_URL = 'imaps://soc:hunter2-imap@mail.example:993';
    assert.equal(loadWorkerSettings(worker).mailbox, undefined);
    assert.deepEqual(loadWorkerSettings({ ...worker, IMAP_URL }).mailbox, { imapUrl: IMAP_URL, oauth: undefined });
    const oauth = { IMAP_OAUTH_TENANT_ID: 't', IMAP_OAUTH_CLIENT_ID: 'c', IMAP_OAUTH_CLIENT_SECRET: 's' };
    const { mailbox } = loadWorkerSettings({ ...worker, IMAP_URL, ...oauth });
    assert.deepEqual(mailbox?.oauth, { tenantId: 't', clientId: 'c', secret: 's' });
    const half = {
      ...worker,
      IMAP_URL: 'http://mail.example',
      IMAP_OAUTH_CLIENT_ID: 'c',
      INQUIRY_REMIND_MINUTES: '60,30',
    };
    assert.deepEqual(
      problemsOf(() => loadWorkerSettings(half)),
      [
        'INQUIRY_REMIND_MINUTES must rise',
        'IMAP_URL must be a URL such as imaps://user:password@host:993',
        'IMAP_OAUTH_TENANT_ID, IMAP_OAUTH_CLIENT_SECRET must be set beside IMAP_OAUTH_CLIENT_ID',
      ],
    );
  });

  it('reads fractions of hours, and URLs without their last slash', () => {
    const settings = loadWorkerSettings({
      ...worker,
      UNTRIAGED_WARN_HOURS: '0.01',
      PUBLIC_URL: 'https://soc.example/',
      ENTRA_TOKEN_ENDPOINT: 'http://127.0.0.1:9100/{tenantid}/oauth2/v2.0/token',
    });
    assert.equal(settings.service.untriagedWarnHours, 0.01);
    assert.equal(settings.publicUrl, 'https://soc.example');
    assert.equal(settings.defender.tokenEndpoint, 'http://127.0.0.1:9100/{tenantid}/oauth2/v2.0/token');
  });

  it('takes an empty variable for one that is not set', () => {
    assert.equal(loadWorkerSettings({ ...worker, UNTRIAGED_WARN_HOURS: '' }).service.untriagedWarnHours, 3);
    assert.deepEqual(
      problemsOf(() => loadApiSettings({ ...common, TWILIO_AUTH_TOKEN: ' ' })),
      ['TWILIO_AUTH_TOKEN is not set'],
    );
  });

  it('lists every problem at once', () => {
    assert.deepEqual(
      problemsOf(() =>
        loadWorkerSettings({
          LOG_LEVEL: 'loud',
          API_PORT: '80.5',
          PUBLIC_URL: 'soc.example',
          PHONE_ROUNDS: '0',
          UNTRIAGED_WARN_HOURS: 'three',
          SMTP_URL: 'http://mail.example',
          MAIL_FROM: 'soc',
          TWILIO_AUTH_TOKEN: 'x',
          TWILIO_FROM: '03-1234-5678',
        }),
      ),
      [
        'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent',
        'API_PORT must be a whole number from 1 to 65535',
        'PUBLIC_URL must be a URL such as https://host/path',
        'MAIL_FROM must be a mail address such as soc@example.com or "SOC <soc@example.com>"',
        'MAIL_TOKEN_SECRET is not set',
        'UNTRIAGED_WARN_HOURS must be a number from 0.0001 to 720',
        'PHONE_ROUNDS must be a whole number from 1 to 100',
        'SMTP_URL must be a URL such as smtps://user:password@host:465, without parameters',
        'TWILIO_ACCOUNT_SID is not set',
        'TWILIO_FROM must be a number such as +81312345678',
        'DEFENDER_CLIENT_ID is not set',
        'one of DEFENDER_CLIENT_SECRET and DEFENDER_CLIENT_CERTIFICATE_PATH must be set',
      ],
    );
  });

  it('wants one credential for Defender, and a certificate that can be read', () => {
    const { DEFENDER_CLIENT_SECRET: secret, ...others } = worker;
    assert.deepEqual(
      problemsOf(() =>
        loadWorkerSettings({ ...others, DEFENDER_CLIENT_SECRET: secret, DEFENDER_CLIENT_CERTIFICATE_PATH: 'LICENSE' }),
      ),
      ['DEFENDER_CLIENT_SECRET and DEFENDER_CLIENT_CERTIFICATE_PATH are both set: which one counts?'],
    );
    assert.deepEqual(
      problemsOf(() => loadWorkerSettings({ ...others, DEFENDER_CLIENT_CERTIFICATE_PATH: 'no/such.pem' })),
      ['DEFENDER_CLIENT_CERTIFICATE_PATH names a file that cannot be read'],
    );
    assert.deepEqual(
      loadWorkerSettings({ ...others, DEFENDER_CLIENT_CERTIFICATE_PATH: 'LICENSE' }).defender.credential,
      { certificatePath: 'LICENSE' },
    );
  });

  it('takes plain http for this machine only', () => {
    const names = ['PUBLIC_URL', 'TWILIO_API_BASE', 'DEFENDER_API_BASE', 'ENTRA_TOKEN_ENDPOINT'];
    const all = (url: string) => Object.fromEntries(names.map((name) => [name, url]));
    for (const host of ['127.0.0.1:9100', '127.0.3.1', 'localhost:9100', '[::1]:9100']) {
      assert.deepEqual(
        problemsOf(() => loadWorkerSettings({ ...worker, ...all(`http://${host}`) })),
        [],
      );
    }
    for (const host of ['defender.example', '10.0.0.7', 'localhost.example', '127.0.0.1.example', '0.0.0.0']) {
      assert.deepEqual(
        problemsOf(() => loadWorkerSettings({ ...worker, ...all(`http://${host}`) })),
        names.map((name) => `${name} must begin with https://: plain http is for this machine only`),
        host,
      );
      assert.deepEqual(
        problemsOf(() => loadWorkerSettings({ ...worker, ...all(`https://${host}`) })),
        [],
      );
    }
  });

  it('has no switch that keeps certificates from being verified', () => {
    for (const parameters of ['?tls.rejectUnauthorized=false', '?ignoreTLS=true', '?requireTLS=false']) {
      assert.deepEqual(
        problemsOf(() => loadWorkerSettings({ ...worker, SMTP_URL: `smtp://mail.example:587${parameters}` })),
        ['SMTP_URL must be a URL such as smtps://user:password@host:465, without parameters'],
      );
    }
    const expected =
      'NODE_TLS_REJECT_UNAUTHORIZED keeps certificates from being verified: name your own CA by NODE_EXTRA_CA_CERTS';
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    assert.deepEqual(
      problemsOf(() => loadWorkerSettings({ ...worker, ...env })),
      [expected],
    );
    assert.deepEqual(
      problemsOf(() => loadApiSettings({ ...common, ...env })),
      [expected],
    );
    assert.deepEqual(
      problemsOf(() => loadApiSettings({ ...common, NODE_TLS_REJECT_UNAUTHORIZED: '1' })),
      [],
    );
  });

  it('takes a certificate with its key for HTTPS, and the proxies whose word counts', () => {
    const pair = { API_TLS_CERT_PATH: 'LICENSE', API_TLS_KEY_PATH: 'README.md' };
    assert.deepEqual(loadApiSettings({ ...common, ...pair }).api.tls, { certPath: 'LICENSE', keyPath: 'README.md' });
    assert.deepEqual(
      problemsOf(() => loadApiSettings({ ...common, API_TLS_CERT_PATH: 'LICENSE' })),
      ['API_TLS_KEY_PATH is not set: HTTPS needs API_TLS_CERT_PATH and API_TLS_KEY_PATH'],
    );
    assert.deepEqual(
      problemsOf(() => loadApiSettings({ ...common, ...pair, API_TLS_KEY_PATH: 'no/such.pem' })),
      ['API_TLS_KEY_PATH names a file that cannot be read'],
    );
    const proxies = (value: string) => loadApiSettings({ ...common, API_TRUSTED_PROXIES: value }).api.trustedProxies;
    assert.deepEqual(proxies('192.0.2.7, 10.0.0.0/8,2001:db8::/32'), ['192.0.2.7', '10.0.0.0/8', '2001:db8::/32']);
    for (const wrong of ['proxy.example', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/', '1', 'true', '*', ',']) {
      assert.deepEqual(
        problemsOf(() => proxies(wrong)),
        ['API_TRUSTED_PROXIES must be addresses or networks such as 192.0.2.7,10.0.0.0/8'],
        wrong,
      );
    }
  });

  it('name one place for the archive: a folder, or a bucket with its keys', () => {
    const s3 = {
      ARCHIVE_S3_URL: 'https://s3.example/bucket/mimamori/',
      ARCHIVE_S3_ACCESS_KEY_ID: 'id',
      ARCHIVE_S3_SECRET_ACCESS_KEY: 'secret',
    };
    const archive = (more: NodeJS.ProcessEnv) => loadWorkerSettings({ ...worker, ...more }).archive;
    assert.deepEqual(archive({}), { folder: '.data/archive' });
    assert.deepEqual(archive({ ARCHIVE_DIR: '/srv/archive' }), { folder: '/srv/archive' });
    assert.deepEqual(archive(s3), {
      s3: {
        url: 'https://s3.example/bucket/mimamori',
        region: 'us-east-1',
        accessKeyId: 'id',
        secretAccessKey: 'secret',
      },
    });
    for (const [more, problem] of [
      [
        { ...s3, ARCHIVE_S3_SECRET_ACCESS_KEY: '' },
        'ARCHIVE_S3_SECRET_ACCESS_KEY must be set beside ARCHIVE_S3_URL, ARCHIVE_S3_ACCESS_KEY_ID',
      ],
      [{ ...s3, ARCHIVE_DIR: '/srv/archive' }, 'ARCHIVE_DIR and ARCHIVE_S3_URL are both set: which one counts?'],
      [
        { ...s3, ARCHIVE_S3_URL: 'https://s3.example' },
        'ARCHIVE_S3_URL must name the bucket: https://s3.example/bucket',
      ],
      [
        { ...s3, ARCHIVE_S3_URL: 'http://s3.example/bucket' },
        'ARCHIVE_S3_URL must begin with https://: plain http is for this machine only',
      ],
    ] as const) {
      assert.deepEqual(
        problemsOf(() => archive(more)),
        [problem],
      );
    }
  });

  it('never repeats a value, which may be a secret', () => {
    const env = Object.fromEntries(settingNames.map((name) => [name, `hunter2-${name} value`]));
    const problems = problemsOf(() => loadWorkerSettings(env));
    assert.ok(problems.length > 10);
    assert.doesNotMatch(problems.join('\n'), /hunter2/);
  });

  it('points at what only suits a laptop', () => {
    assert.equal(laptopSettings(loadWorkerSettings(worker)).length, 4);
    assert.deepEqual(
      laptopSettings(
        loadWorkerSettings({
          ...worker,
          PUBLIC_URL: 'https://soc.example',
          SOC_MAIL_TO: 'soc@soc.example',
          MAIL_AUTHSERV_ID: 'mx.soc.example',
          ENCRYPTION_KEYS: 'hunter2-keys',
        }),
      ),
      [],
    );
  });
});
