import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { laptopSettings, loadApiSettings, loadWorkerSettings, settingNames, SettingsError } from '../../src/config.js';

const common = {
  MAIL_FROM: 'Mimamori SOC <soc@soc.example>',
  TWILIO_AUTH_TOKEN: 'hunter2-twilio',
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
      phoneRingSeconds: 30,
      phoneRounds: 3,
      phoneRoundPauseSeconds: 60,
    });
  });

  it('lets the API start without what only the worker needs', () => {
    const settings = loadApiSettings({ ...common, API_PORT: '8090' });
    assert.deepEqual(settings.api, { host: '127.0.0.1', port: 8090, operatorsFile: 'config/operators.yaml' });
    assert.equal(settings.publicUrl, 'http://127.0.0.1:8090');
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
        'UNTRIAGED_WARN_HOURS must be a number from 0.0001 to 720',
        'PHONE_ROUNDS must be a whole number from 1 to 100',
        'SMTP_URL must be a URL such as smtps://user:password@host:465',
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

  it('never repeats a value, which may be a secret', () => {
    const env = Object.fromEntries(settingNames.map((name) => [name, `hunter2-${name} value`]));
    const problems = problemsOf(() => loadWorkerSettings(env));
    assert.ok(problems.length > 10);
    assert.doesNotMatch(problems.join('\n'), /hunter2/);
  });

  it('points at what only suits a laptop', () => {
    assert.equal(laptopSettings(loadWorkerSettings(worker)).length, 2);
    assert.deepEqual(
      laptopSettings(
        loadWorkerSettings({ ...worker, PUBLIC_URL: 'https://soc.example', SOC_MAIL_TO: 'soc@soc.example' }),
      ),
      [],
    );
  });
});
