import { z } from 'zod';
import { archivePlaceSchema } from '../domain/archive/entry.js';
import {
  answerSchema,
  assignSchema,
  escalationSchema,
  linkSchema,
  noteSchema,
  reasonSchema,
  releaseAnswerSchema,
  releaseSchema,
  triageSchema,
  unlinkSchema,
  type Command,
  type CommandOutcome,
  type ReleaseBody,
} from '../domain/commands.js';
import { incidentSchema } from '../domain/incident/view.js';
import { parseIncidentId, type IncidentRecord } from '../domain/incident/record.js';
import {
  answerUpdate,
  assignUpdate,
  closeUpdate,
  escalateUpdate,
  linkUpdate,
  noteUpdate,
  releaseUpdate,
  reopenUpdate,
  triageUpdate,
  unlinkUpdate,
  type CommandUpdate,
} from '../workflows/messages.js';
import { outcomeBefore, resumeWithCommand, sendCommand, type Gateway } from './gateway.js';
import { knownIncident, readIncident, stoppedProblem } from './known-incidents.js';
import { checkTypedMail, mailsOnRecord } from './mail-instructions.js';
import { Problem } from './problem.js';
import { relatedSchema, relatedTo } from './related.js';
import { commandOf, incidentIdIn, route, type Answer, type Call, type Route } from './route.js';
import { withWholeMails } from './whole-mails.js';

const shownIncidentSchema = incidentSchema.extend({
  related: z
    .array(relatedSchema)
    .optional()
    .meta({ description: 'Alerts that may belong to the same attack; left out where no list can be asked.' }),
  partial: z.literal(true).optional().meta({ description: 'Only the summary: no worker could be asked.' }),
  archive: archivePlaceSchema
    .optional()
    .meta({ description: 'Where it lies in the archive, of one that is `archived`.' }),
});

const commandedIncidentSchema = shownIncidentSchema.omit({ related: true }).extend({
  accepted: z
    .object({ revision: z.int(), at: z.string().meta({ format: 'date-time' }) })
    .meta({ description: 'What the command itself came to: for a repeated key what it came to at first.' }),
});

/**
 * A command for an incident whose workflow has ended, or that Temporal has forgotten: a repeated key has its answer, and some take it
 * up again with its record.
 */
async function commandToEnded<Body>(
  gateway: Gateway,
  { state, record }: { state: 'ended' | 'archived'; record: IncidentRecord },
  update: CommandUpdate<Body>,
  command: Command<Body>,
  deadlineMs: number,
): Promise<CommandOutcome> {
  const outcome = outcomeBefore(record.handled, command);
  if (outcome !== undefined) return outcome;
  const takesUpAgain = update.name === reopenUpdate.name || update.name === noteUpdate.name;
  if (!takesUpAgain) {
    const where = state === 'archived' ? 'closed and in the archive' : 'closed';
    throw new Problem('incident-closed', `The incident is ${where}; reopen it first.`);
  }
  return resumeWithCommand(gateway, record, update, command, deadlineMs);
}

async function carryOut<Body>(
  { deps, operator, params, body, query, request }: Call<Body, undefined>,
  update: CommandUpdate<Body>,
): Promise<{ id: string; outcome: CommandOutcome }> {
  const id = incidentIdIn({ operator, params });
  const { command, deadlineMs } = commandOf(update.name, { deps, operator, params, body, query, request });
  const sent = await sendCommand(deps, id, update, command, deadlineMs);
  if (sent.state === 'done') return { id, outcome: sent.outcome };
  const known = await knownIncident(deps, id);
  switch (known?.state) {
    case undefined:
      throw new Problem('unknown-incident', `There is no incident ${id}.`);
    case 'running': {
      // It was taken up again between the two looks.
      const again = await sendCommand(deps, id, update, command, deadlineMs);
      if (again.state === 'done') return { id, outcome: again.outcome };
      throw new Problem('worker-unavailable', 'The incident could not be reached; send the command again.');
    }
    case 'ended':
    case 'archived':
      return { id, outcome: await commandToEnded(deps, known, update, command, deadlineMs) };
    case 'stopped':
      throw stoppedProblem();
  }
}

/** A command that is answered with the incident as it is now, and with what the command itself came to. */
function command<Body>(
  name: string,
  summary: string,
  body: z.ZodType<Body>,
  update: CommandUpdate<Body>,
  takesIfMatch = false,
): Route {
  return route<Body>({
    method: 'post',
    path: `/v1/incidents/:id/${name}`,
    summary,
    access: 'act',
    body,
    isCommand: true,
    takesIfMatch,
    answers: { 200: { description: 'Done; the incident as it is now.', schema: commandedIncidentSchema } },
    async handle(call): Promise<Answer> {
      const { id, outcome } = await carryOut(call, update);
      const incident = await readIncident(call.deps, id);
      const { revision, at } = outcome;
      return {
        status: 200,
        body: { ...incident, accepted: { revision, at } },
        ...(incident.partial === true ? {} : { revision: incident.revision }),
      };
    },
  });
}

/** The customer of a linked incident writes to its lead, which only we can ask: the workflow knows its own mails. */
async function checkTyped(call: Call<ReleaseBody, undefined>): Promise<void> {
  const { deps, body } = call;
  if (!('channel' in body.instruction) || body.instruction.channel !== 'mail') return;
  const id = incidentIdIn(call);
  const { customerId = '' } = parseIncidentId(id) ?? {};
  checkTypedMail(deps, customerId, await mailsOnRecord(deps, [id]), body.instruction);
}

export const incidentRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/incidents/:id',
    summary: 'One incident: what it is, what is owed, what happened',
    access: 'read',
    answers: { 200: { description: 'The incident.', schema: shownIncidentSchema } },
    async handle(call) {
      const incident = await withWholeMails(call.deps, await readIncident(call.deps, incidentIdIn(call)));
      const related = await relatedTo(call.deps, incident);
      return {
        status: 200,
        body: related === undefined ? incident : { ...incident, related },
        ...(incident.partial === true ? {} : { revision: incident.revision }),
      };
    },
  }),
  command(
    'triage',
    'Give the verdict: threat level and whether the detection was right',
    triageSchema,
    triageUpdate,
    true,
  ),
  command('escalations', 'Write a secondary escalation', escalationSchema, escalateUpdate),
  command('answers', "Record the customer's answer to what was asked", answerSchema, answerUpdate),
  command('assign', 'Say who works on it', assignSchema, assignUpdate),
  command('notes', 'Write an internal note', noteSchema, noteUpdate),
  command('close', 'Close it', reasonSchema, closeUpdate),
  command('reopen', 'Take it up again, with its record', reasonSchema, reopenUpdate),
  command('link', "Have the customer told of it in another incident's conversation", linkSchema, linkUpdate),
  command('unlink', 'Give it a conversation of its own again', unlinkSchema, unlinkUpdate),
  route({
    method: 'post',
    path: '/v1/incidents/:id/release',
    summary: "Give devices back on the customer's instruction",
    access: 'act',
    body: releaseSchema,
    isCommand: true,
    answers: { 200: { description: 'What becomes of each device.', schema: releaseAnswerSchema } },
    async handle(call): Promise<Answer> {
      await checkTyped(call);
      const { outcome } = await carryOut(call, releaseUpdate);
      return { status: 200, body: { devices: outcome.devices ?? [] } };
    },
  }),
];
