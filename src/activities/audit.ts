import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { auditedTypes, findings, isRipe, mayStillMend, type Finding, type Sighting } from '../domain/audit.js';
import { searchKeys } from '../domain/lists.js';
import { findingMail, incidentOf } from '../domain/templates/finding.js';
import { messageIdOf } from '../domain/templates/thread.js';
import type { Outside } from '../domain/ports.js';
import { toInstant } from '../domain/time.js';
import { bodyOf } from '../integrations/mail/body.js';
import type { MailSender } from '../integrations/mail/sender.js';
import type { Policies } from '../policy.js';
import { FAILING_TASK, IS_STOPPED, listAll, newestRun, sightingOf } from '../temporal/executions.js';
import { alive, tryAgain } from './support.js';

export interface AuditDeps {
  client: Client;
  policies: Policies;
  mail: MailSender;
}

/** How many mails one look sends; the next one begins at once with those that are left. */
const MAX_TOLD_PER_LOOK = 20;

const OURS = `WorkflowType IN (${auditedTypes.map((type) => `'${type}'`).join(', ')})`;
const QUERIES = [
  `${OURS} AND ${IS_STOPPED}`,
  `${OURS} AND ExecutionStatus = 'Running' AND ${FAILING_TASK} IS NOT NULL`,
  `WorkflowType = 'incident' AND ExecutionStatus = 'Running' AND ${searchKeys.sloState.name} IN ('running', 'at-risk')`,
];

const suspectsSchema: z.ZodType<Record<string, string>> = z.record(z.string(), z.string()).catch({});

interface Suspicious {
  seen: Sighting;
  found: Finding[];
}

/** Looks at the other workflows from outside, and tells the SOC what stands still. */
export function auditActivities({ client, policies, mail }: AuditDeps): Pick<Outside, 'audit'> {
  /** Stopped runs with a newer one, which they will always have: a reset leaves the old run behind. */
  const superseded = new Set<string>();

  async function sightings(): Promise<Sighting[]> {
    const seen = new Map<string, Sighting>();
    for (const query of QUERIES) {
      for (const execution of await listAll(client, query)) {
        const sighting = superseded.has(execution.runId) ? undefined : sightingOf(execution);
        if (sighting !== undefined) seen.set(sighting.runId, sighting);
      }
    }
    return [...seen.values()];
  }

  /** A list lags, and shows older runs too: what holds is what the server says of the id's newest run. */
  async function confirm({ seen, found }: Suspicious): Promise<Suspicious> {
    const newest = await newestRun(client, seen.workflowId);
    if (newest?.runId !== seen.runId) {
      if (seen.status !== 'Running') superseded.add(seen.runId);
      return { seen, found: [] };
    }
    const current = sightingOf(newest);
    if (current === undefined) return { seen, found: [] };
    const still = new Set(findings(current, toInstant(Date.now())).map(({ key }) => key));
    return { seen: current, found: found.filter(({ key }) => still.has(key)) };
  }

  async function tell({ seen, found: [first, ...more] }: Suspicious, signal: AbortSignal): Promise<string[]> {
    if (first === undefined) return [];
    const customerId = seen.workflowId.split(':')[1] ?? '';
    const { socMailTo, mailDomain } = policies.service;
    const { kind, letters, ...envelope } = findingMail({
      findings: [first, ...more],
      seen,
      customer: policies.find(customerId)?.customer ?? null,
      foundAt: toInstant(Date.now()),
      namespace: client.options.namespace,
      socMailTo,
    });
    const incidentId = incidentOf(seen);
    await mail.send(
      {
        ...envelope,
        ...bodyOf(letters),
        messageId: messageIdOf(seen.workflowId, `audit:${first.key}`, mailDomain),
        references: [],
        headers: {
          ...(incidentId === undefined ? {} : { 'X-Mimamori-Incident': incidentId }),
          'X-Mimamori-Kind': kind,
        },
      },
      signal,
    );
    return [first, ...more].map(({ key }) => key);
  }

  return {
    async audit({ told: toldBefore, suspects: seenBefore, patienceMs }) {
      const told = new Set(toldBefore);
      const earlier = suspectsSchema.parse(Context.current().info.heartbeatDetails ?? seenBefore);
      let suspects: Readonly<typeof earlier> = earlier;
      return alive(
        async (signal) => {
          const now = toInstant(Date.now());
          const standing = new Set<string>();
          const suspicious: Suspicious[] = [];
          const late: Record<string, string> = {};
          for (const seen of await sightings()) {
            const found = findings(seen, now).filter((finding) => {
              standing.add(finding.key);
              if (told.has(finding.key)) return false;
              if (!mayStillMend(seen, finding)) return true;
              late[finding.key] = earlier[finding.key] ?? now;
              return isRipe(earlier, finding.key, patienceMs, now);
            });
            if (found.length > 0) suspicious.push({ seen, found });
          }
          suspects = late;
          Context.current().heartbeat(suspects);
          const confirmed: Suspicious[] = [];
          for (const suspect of suspicious) {
            if (confirmed.length === MAX_TOLD_PER_LOOK) break;
            const { seen, found } = await confirm(suspect);
            if (found.length > 0) confirmed.push({ seen, found });
          }
          const mails = await Promise.allSettled(confirmed.map((each) => tell(each, signal)));
          const newlyTold = mails.flatMap((sent) => (sent.status === 'fulfilled' ? sent.value : []));
          const isMended = toldBefore.some((key) => !standing.has(key));
          if (newlyTold.length > 0 || isMended) {
            return { told: [...toldBefore.filter((key) => standing.has(key)), ...newlyTold], suspects };
          }
          const [failed] = mails.flatMap((sent): unknown[] => (sent.status === 'rejected' ? [sent.reason] : []));
          if (failed instanceof Error) throw tryAgain('NotTold', failed);
          // A failure that is none: the next try is the next look, and costs no history.
          throw ApplicationFailure.create({
            type: 'NothingNew',
            message: 'nothing new stands still',
            category: 'BENIGN',
          });
        },
        () => suspects,
      );
    },
  };
}
