import { z } from 'zod';
import { machineIdSchema } from './defender.js';
import { instantSchema, type Instant } from './time.js';

/**
 * The bodies of people's commands, as the API takes them and as the Signals `triage` and `release` carry them.
 * Strict: a misspelt field is an error, never silently without effect.
 */

const MAX_TEXT = 8_000;

const text = (limit: number) =>
  z.string().trim().min(1, 'must not be empty').max(limit, `must be at most ${limit} characters`);

const namedDevice = z.strictObject({ machineId: machineIdSchema, name: text(255) });
export type NamedDevice = z.infer<typeof namedDevice>;

const exclusionProposal = z.strictObject({ what: text(1_000), why: text(2_000) });

export const levelSchema = z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)], {
  error: 'must be 1, 2, 3 or 4',
});
export type Level = z.infer<typeof levelSchema>;

export const judgementSchema = z.enum(['true-positive', 'false-positive', 'undetermined']);
export type Judgement = z.infer<typeof judgementSchema>;

export const triageSchema = z
  .strictObject({
    level: levelSchema,
    judgement: judgementSchema,
    detection: text(MAX_TEXT).optional(),
    analysis: text(MAX_TEXT).optional(),
    countermeasures: text(MAX_TEXT).optional(),
    askCustomer: text(2_000).optional(),
    devices: z.array(namedDevice).max(100).optional(),
    servers: z.enum(['isolate', 'leave']).optional(),
    confirmCount: z.int().min(1).optional(),
    exclusionProposal: exclusionProposal.optional(),
  })
  .superRefine((body, context) => {
    const missing = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (body.level === 1 && body.analysis === undefined) missing('analysis', 'is needed at level 1');
    if (body.level === 2) {
      for (const field of ['detection', 'analysis', 'countermeasures'] as const) {
        if (body[field] === undefined) missing(field, 'is needed at level 2');
      }
    }
    if (body.level >= 2 && body.judgement === 'undetermined' && body.askCustomer === undefined) {
      missing('askCustomer', 'is needed: an undetermined detection asks the customer a named question');
    }
    const names = new Map<string, string>();
    body.devices?.forEach((device, index) => {
      const known = names.get(device.machineId);
      if (known !== undefined && known !== device.name) {
        context.addIssue({
          code: 'custom',
          path: ['devices', index, 'name'],
          message: 'differs from the name given for the same machineId before',
        });
      }
      names.set(device.machineId, device.name);
    });
    if (body.level === 3 && names.size > 1) missing('devices', 'holds more than one device: level 3 concerns one');
    if (body.level <= 2 && names.size > 0) missing('devices', 'belongs to levels 3 and 4');
  });
export type TriageBody = z.infer<typeof triageSchema>;

export const escalationSchema = z.strictObject({
  message: text(MAX_TEXT),
  countermeasures: text(MAX_TEXT).optional(),
  askCustomer: text(2_000).optional(),
  exclusionProposal: exclusionProposal.optional(),
});
export type EscalationBody = z.infer<typeof escalationSchema>;

export const answerSchema = z.strictObject({
  by: text(100),
  channel: z.enum(['mail', 'phone', 'portal']),
  receivedAt: instantSchema,
  words: text(MAX_TEXT),
});
export type AnswerBody = z.infer<typeof answerSchema>;

/** Who told us to give the device back, when, how, in which words. */
export const instructionSchema = z.strictObject({
  by: text(40),
  channel: z.enum(['mail', 'phone', 'portal']),
  receivedAt: instantSchema,
  words: text(2_000),
  calledBackAt: instantSchema.optional(),
});

/** As it is kept: where it came by a mail of the customer's, with what proves that. */
export const recordedInstructionSchema = instructionSchema.extend({
  mail: z
    .object({
      messageId: z.string().nullable(),
      /** Absent in orders from before it was kept. */
      key: z.string().optional(),
      from: z.string(),
      isAuthenticated: z.boolean(),
    })
    .optional(),
});
export type Instruction = z.infer<typeof recordedInstructionSchema>;

/** A mail of the customer's that is on the incident, by its Message-ID or key, as the instruction; who was called back, where it does not prove itself. */
export const mailInstructionSchema = z.strictObject({
  mail: text(1_000),
  by: text(40).optional(),
  calledBackAt: instantSchema.optional(),
});
export type MailInstruction = z.infer<typeof mailInstructionSchema>;

export const releaseSchema = z.strictObject({
  machineIds: z.array(machineIdSchema).min(1, 'must name a device').max(100).optional(),
  instruction: z.union([mailInstructionSchema, instructionSchema]),
});
export type ReleaseBody = z.infer<typeof releaseSchema>;

export const deviceReleaseSchema = releaseSchema.omit({ machineIds: true });
/** As the device takes it: a mail has been looked up in the incidents that hold it. One that none of them has comes as it was named. */
export const deviceOrderSchema = z.strictObject({
  instruction: z.union([mailInstructionSchema, recordedInstructionSchema]),
});
export type DeviceReleaseBody = z.infer<typeof deviceOrderSchema>;

export const assignSchema = z.strictObject({ operatorId: text(64).nullable() });
export type AssignBody = z.infer<typeof assignSchema>;

export const noteSchema = z.strictObject({ text: text(1_200) });
export type NoteBody = z.infer<typeof noteSchema>;

export const reasonSchema = z.strictObject({ reason: text(1_000) });
export type ReasonBody = z.infer<typeof reasonSchema>;

/** Which incident's conversation is to be this one's too. */
export const linkSchema = z.strictObject({ leadIncidentId: text(200) });
export type LinkBody = z.infer<typeof linkSchema>;

export const unlinkSchema = z.strictObject({});
export type UnlinkBody = z.infer<typeof unlinkSchema>;

/** What a caller who may repeat a command knows it by. */
export interface Idempotency {
  key: string;
  bodyHash: string;
}

/** A command on its way to a workflow. */
export interface Command<Body> {
  body: Body;
  /** Operator id, or `temporal:{identity}` for a Signal from Temporal's own tools. */
  actor: string;
  /** A worker that sees the command after this must refuse it: the caller has long been told that it failed. */
  notAfter: Instant;
  /** Present when the caller may repeat the command. */
  idempotency?: Idempotency;
  /** The revision that the caller had seen. */
  ifMatch?: number;
}

/** A command before its body is looked at. */
export const envelopeSchema = z.object({
  body: z.unknown(),
  actor: z.string().min(1),
  notAfter: instantSchema,
  idempotency: z.object({ key: z.string().min(1), bodyHash: z.string() }).optional(),
  ifMatch: z.int().optional(),
}) satisfies z.ZodType<Command<unknown>>;

/** What a command came to; kept with its idempotency key, so it is small. */
export interface CommandOutcome {
  revision: number;
  at: Instant;
  devices?: ReleaseOutcome[];
  /** The incidents that it was for, where it was for those of a device. */
  incidentIds?: string[];
}

export const releaseOutcomeSchema = z.object({
  machineId: z.string(),
  outcome: z.enum(['releasing', 'cancelled', 'held']),
  heldBy: z.array(z.string()),
});
export type ReleaseOutcome = z.infer<typeof releaseOutcomeSchema>;

/** What the acceptance of a release elsewhere is answered with. */
export const acknowledgeAnswerSchema = z
  .object({ at: z.string().meta({ format: 'date-time' }), incidentIds: z.array(z.string()) })
  .meta({ id: 'AcknowledgeAnswer' });

/** What a release is answered with, of an incident or of a device. */
export const releaseAnswerSchema = z.object({ devices: z.array(releaseOutcomeSchema) }).meta({ id: 'ReleaseAnswer' });
