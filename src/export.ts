import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Connection, type Client } from '@temporalio/client';
import { pino } from 'pino';
import { openArchive } from './archive.js';
import { loadArchiveToolSettings, loadCustomers } from './config.js';
import { placeOf, type Archive, type ArchivePlace } from './domain/archive/entry.js';
import { parseIncidentId, type IncidentRecord } from './domain/incident/record.js';
import { incidentView, type IncidentView } from './domain/incident/view.js';
import { incidentReport, type Reported } from './domain/templates/report.js';
import { toInstant } from './domain/time.js';
import { encryptionOf } from './encryption.js';
import { toHtml } from './integrations/mail/html/to-html.js';
import { createApiClient, temporalConfig } from './temporal/connect.js';
import { findIncident } from './temporal/incidents.js';
import { incidentRecordQuery } from './workflows/messages.js';

/*
 * npm run export -- incident:acme:…: an incident's whole record as JSON, and as a page to read in the customer's language; open,
 * closed, or in the archive alone.
 */

interface Found {
  record: IncidentRecord;
  view: IncidentView;
  place: ArchivePlace | null;
}

async function read(client: Client, archive: Archive, id: string): Promise<Found> {
  const now = toInstant(Date.now());
  const known = await findIncident(client, id);
  switch (known?.state) {
    case 'running': {
      const record = await client.workflow.getHandle(id).query(incidentRecordQuery);
      return { record, view: incidentView(record, now), place: null };
    }
    case 'ended':
      return { record: known.record, view: incidentView(known.record, now), place: null };
    case 'stopped':
    case undefined: {
      const archived = await archive.find(id);
      if (archived !== undefined) return { ...archived, place: placeOf(archived) };
      throw new Error(
        known === undefined
          ? `There is no incident ${id}, neither at Temporal nor in the archive.`
          : `The workflow of ${id} was stopped, and nothing of it is in the archive yet: set it going again first.`,
      );
    }
  }
}

/** As it was in force for the incident; what it lacks is in the customers file. */
function customerOf({ record: { policy, customerId } }: Found, customersFile: string): Reported['customer'] {
  const customer = policy?.customer ?? loadCustomers(customersFile).find(({ id }) => id === customerId);
  if (customer === undefined) return { name: customerId, language: 'en', timeZone: 'UTC' };
  const { name, language, timeZone } = customer;
  return { name, language, timeZone };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
  const [id = '', ...more] = positionals;
  if (parseIncidentId(id) === undefined || more.length > 0) {
    throw new Error('Which incident? npm run export -- incident:acme:<alert id> [--out <folder>]');
  }
  const settings = loadArchiveToolSettings();
  const encryption = encryptionOf(settings.keys, pino({ name: 'export', level: settings.logLevel }));
  const archive = openArchive(settings.archive, encryption?.sealing);
  const { clientOptions, namespace } = temporalConfig();
  const connection = await Connection.connect(clientOptions);
  try {
    const found = await read(createApiClient(connection, namespace, encryption?.sealing), archive, id);
    const exportedAt = toInstant(Date.now());
    const reported = { ...found, exportedAt, customer: customerOf(found, settings.customersFile) };
    const folder = values.out ?? '.';
    mkdirSync(folder, { recursive: true });
    const path = join(folder, id.replace(/[^\w.-]/g, '_'));
    const { record, view, place } = found;
    const json = { exportedAt, archive: place, incident: view, record };
    // It holds what the customer suffered: for whoever has asked for it alone.
    writeFileSync(`${path}.json`, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 });
    writeFileSync(`${path}.html`, toHtml([incidentReport(reported)]), { mode: 0o600 });
    process.stdout.write(`${path}.json\n${path}.html\n`);
  } finally {
    await connection.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`export: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
