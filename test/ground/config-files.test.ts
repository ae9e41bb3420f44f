import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { loadCustomers, loadOperators } from '../../src/config.js';
import { ringList, tuningPeriodAt } from '../../src/domain/customer.js';
import { ConfigFileError } from '../../src/yaml-file.js';

describe('configuration files', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimamori-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function problemsOf(load: (file: string) => unknown, yaml: string): readonly string[] {
    const file = join(folder, 'file.yaml');
    writeFileSync(file, yaml);
    try {
      load(file);
    } catch (error) {
      if (error instanceof ConfigFileError) return error.problems;
      throw error;
    }
    return [];
  }

  it('come with customers for the simulator', () => {
    const customers = loadCustomers('config/customers.yaml');
    assert.deepEqual(
      customers.map(({ id }) => id),
      ['acme', 'globex', 'initech'],
    );
    const [acme, , initech] = customers;
    assert.ok(acme !== undefined && initech !== undefined);
    assert.ok(ringList(acme).length >= 3);
    assert.ok(acme.contacts.some(({ mayInstruct }) => !mayInstruct));
    const now = new Date().toISOString();
    assert.equal(tuningPeriodAt(acme.tuningPeriods, now), undefined);
    assert.notEqual(tuningPeriodAt(initech.tuningPeriods, now), undefined);
  });

  it('come with no operator: nobody has a token that is in the repository', () => {
    assert.deepEqual(loadOperators('config/operators.yaml'), { operators: [] });
  });

  it('name each bad entry of the customers by its line and path, all at once', () => {
    const problems = problemsOf(
      loadCustomers,
      [
        'customers:',
        '  - id: acme',
        '    name: Acme',
        '    language: fr',
        '    timeZone: Mars/Olympus',
        '    colour: red',
        '    defender:',
        '      tenantId: 11111111-1111-4111-8111-111111111111',
        '    mail: { to: [not-an-address] }',
        '    contacts:',
        '      - { id: sato, name: 佐藤, ringOrder: 1 }',
        '  - id: globex',
        '    name: Globex',
        '    language: en',
        '    timeZone: Europe/London',
        '    mail: { to: [soc@globex.example] }',
      ].join('\n'),
    );
    assert.deepEqual(
      problems.map((problem) => problem.split(': ', 2).join(': ')),
      [
        'line 4: customers[0].language',
        'line 5: customers[0].timeZone',
        'line 6: customers[0].colour',
        'line 9: customers[0].mail.to[0]',
        'line 11: customers[0].contacts[0].phone',
        'line 12: customers[1].defender',
      ],
    );
    assert.equal(problems.at(-1), 'line 12: customers[1].defender: is missing');
  });

  it('name two customers of one tenant', () => {
    const entry = (id: string) =>
      `  - id: ${id}\n    name: X\n    language: en\n    timeZone: UTC\n    defender:\n` +
      `      tenantId: 11111111-1111-4111-8111-111111111111\n    mail: { to: [a@b.example] }\n`;
    assert.deepEqual(problemsOf(loadCustomers, `customers:\n${entry('a')}${entry('b')}`), [
      'line 14: customers[1].defender.tenantId: belongs to another customer of this file too: their mails would mix',
    ]);
  });

  it('name the line where the YAML breaks, and a file that is missing', () => {
    assert.match(problemsOf(loadCustomers, 'customers:\n  - id: [acme\n')[0] ?? '', /^line [23]: /);
    assert.throws(() => loadCustomers(join(folder, 'missing.yaml')), /missing\.yaml is not usable:\n.*no such file/);
  });

  it('name bad operators', () => {
    const hash = 'a'.repeat(64);
    assert.deepEqual(
      problemsOf(
        loadOperators,
        [
          'operators:',
          `  - { id: yamada, name: 山田, role: analyst, customers: "*", tokenSha256: ${hash} }`,
          `  - { id: yamada, name: 山田, role: boss, customers: acme, tokenSha256: short }`,
          `  - { id: suzuki, name: 鈴木, role: viewer, customers: [acme], tokenSha256: ${hash} }`,
        ].join('\n'),
      ).map((problem) => problem.split(': ', 2).join(': ')),
      ['line 3: operators[1].role', 'line 3: operators[1].customers', 'line 3: operators[1].tokenSha256'],
    );
    assert.deepEqual(
      problemsOf(
        loadOperators,
        [
          'operators:',
          `  - { id: yamada, name: 山田, role: analyst, customers: "*", tokenSha256: ${hash} }`,
          `  - { id: yamada, name: 鈴木, role: viewer, customers: [acme], tokenSha256: ${hash} }`,
        ].join('\n'),
      ),
      [
        'line 3: operators[1].id: is used twice: yamada',
        'line 3: operators[1].tokenSha256: belongs to another operator of this file too: nobody could tell who acted',
      ],
    );
  });
});
