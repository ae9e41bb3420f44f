import { archiverMail } from '../../src/domain/templates/archive-soc.js';
import { feedMail } from '../../src/domain/templates/feed.js';
import { findingMail } from '../../src/domain/templates/finding.js';
import type { RenderedMail } from '../../src/domain/templates/kinds.js';
import { refusedFileMail } from '../../src/domain/templates/refused-file.js';
import { policies, service } from './customers.js';
import { Story, minute } from './story.js';

/** What the SOC hears of incidents, feeds, and processes that stand still; always in both languages. */
export function socMails(): Record<string, RenderedMail> {
  const story = () => new Story('ja');
  const { customer } = policies.ja;
  const { socMailTo } = service;
  const judged = story().at(40).triage(4, 3);
  const late = story().at(190).triage(3, 1).at(260);
  const failed = story().at(40).triage(3, 1).at(60).reported(0, { state: 'failed', reason: 'isolation-timeout' });
  const unverified = story().at(50).fact({ type: 'signal-unverified', signal: 'release', actor: 'unknown' });
  const warned = judged.fact({ type: 'warned', percent: 75, dueAt: minute(180) });
  const breached = late.fact({
    type: 'breached',
    breach: { dueAt: minute(180), notedAt: minute(181), level: 3, cause: 'isolation-pending' },
  });
  return {
    'soc-warning-threshold': warned.at(135).mail({ kind: 'soc-warning', about: { warning: 0 } }),
    'soc-warning-untriaged': story().at(200).mail({ kind: 'soc-warning', about: 'untriaged' }),
    'soc-warning-notice': unverified.mail({ kind: 'soc-warning', about: { notice: 0 } }),
    'soc-breach': breached.mail({ kind: 'soc-breach', breach: 0 }),
    'soc-failure': failed.mail({ kind: 'soc-failure', dutyId: 'isolate:machine-0' }),
    'soc-feed-trouble': feedMail(
      {
        about: 'trouble',
        since: minute(0),
        trouble: {
          code: 'AADSTS7000222',
          message: 'The provided client secret keys are expired.',
          since: minute(0),
          at: minute(11),
          failures: 22,
        },
      },
      customer,
      socMailTo,
    ),
    'soc-feed-rejected': feedMail({ about: 'rejected', count: 3 }, customer, socMailTo),
    'soc-process-stopped': findingMail({
      findings: [{ key: 'stopped', problem: 'stopped' }],
      seen: {
        type: 'alertFeed',
        workflowId: 'feed:acme',
        runId: '0b9c1d9e-5d55-4f2b-9d0f-1c2d3e4f5a6b',
        status: 'Terminated',
        stoppedAt: minute(60),
        hasFailingTask: false,
        incident: null,
        device: null,
      },
      customer: { id: customer.id, name: customer.name, timeZone: customer.timeZone },
      foundAt: minute(62),
      namespace: 'mimamori',
      socMailTo,
    }),
    'soc-archive-trouble': archiverMail({
      service,
      since: minute(0),
      why: '/var/lib/mimamori-archive: acme/entries/0000000012.json cannot be written: ENOSPC',
      isOver: false,
    }),
    'soc-customers-file-refused': refusedFileMail(
      [
        'config/customers.yaml:12: customers.0.contacts.1.phone must be a number such as +81312345678',
        'config/customers.yaml:31: customers.1.defender.tenantId is used twice',
      ],
      socMailTo,
    ),
  };
}
