import { messageIdOf } from '../../src/domain/templates/thread.js';
import type { OperatorAccess } from './operator-token.js';

export interface FirstScreen {
  apiUrl: string;
  uiUrl: string;
  simulatorUrl: string;
  temporalAddress: string;
  smtpUrl: string;
  imapUrl: string;
  access: OperatorAccess;
  /** Of the API and of the worker. */
  metricsUrls: readonly string[];
  logDir: string;
  /** The customer that the commands are about. */
  customer: { id: string; tenantId: string; mail: string };
  /** New on each start, so that pasting the commands again tells a new story. */
  alertId: string;
}

export function firstScreen(screen: FirstScreen): string {
  const { apiUrl, access, customer, alertId } = screen;
  const auth = '-H "Authorization: Bearer $OPERATOR_TOKEN"';
  const json = "-H 'Content-Type: application/json'";
  return [
    '',
    'Mimamori is up. Ctrl-C ends all of it.',
    '',
    `  API           ${apiUrl}   documentation: ${apiUrl}/docs`,
    `  Temporal UI   ${screen.uiUrl}   server: ${screen.temporalAddress}`,
    `                what it shows is encrypted at Temporal; ${shownFor(screen)}`,
    `  Simulator     ${screen.simulatorUrl}/sim/mails   mail server: ${screen.smtpUrl}`,
    `  Mailbox       ${shownMailbox(screen.imapUrl)}   what customers answer: ${apiUrl}/v1/inquiries`,
    `  Metrics       ${screen.metricsUrls.join('   ')}`,
    `  Logs          ${screen.logDir}`,
    `  Token         ${access.line}`,
    '',
    'To begin, paste into another terminal:',
    '',
    access.isNew
      ? `export OPERATOR_TOKEN=${access.token ?? ''}`
      : '# OPERATOR_TOKEN as before; a new terminal needs: export OPERATOR_TOKEN=$(cat .data/operator-token)',
    '',
    '# an alert: the simulated Defender raises it, the API takes it',
    `curl -s -X POST ${screen.simulatorUrl}/sim/tenants/${customer.tenantId}/alerts ${json} \\`,
    `  -d '{"id":"${alertId}","severity":"High","title":"Suspicious PowerShell download"}' \\`,
    `| curl -s -X POST ${apiUrl}/v1/customers/${customer.id}/alerts ${auth} ${json} -d @-`,
    '',
    '# what waits for an analyst',
    `curl -s ${apiUrl}/v1/queue ${auth}`,
    '',
    '# the verdict, level 3: isolates the device and tells the customer',
    `curl -s -X POST ${apiUrl}/v1/incidents/incident:${customer.id}:${alertId}/triage ${auth} ${json} \\`,
    `  -d '{"level":3,"judgement":"true-positive","detection":"PowerShell fetched a known loader.",` +
      `"analysis":"The loader ran and called home.","countermeasures":"Keep the device off the network."}'`,
    '',
    '# the customer writes about it (their mail program would answer the escalation; this names the incident’s mail)',
    `curl -s -X POST ${screen.simulatorUrl}/sim/mails ${json} \\`,
    `  -d '{"from":"${customer.mail}","to":"soc@mimamori.example","subject":"Which program was it?",` +
      `"text":"Which program was it?","inReplyTo":"${primaryOf(customer.id, alertId)}"}'`,
    `curl -s ${apiUrl}/v1/inquiries ${auth}`,
    '',
  ].join('\n');
}

/** Whose eyes the Web UI has. */
function shownFor({ access, uiUrl }: FirstScreen): string {
  return access.token === undefined
    ? `sign in first: ${uiUrl}/sign-in`
    : `here you read it as the analyst (as another: ${uiUrl}/sign-in)`;
}

/** Without its password: nobody has to read it off a screen. */
function shownMailbox(imapUrl: string): string {
  return imapUrl.replace(/\/\/[^@/]*@/, '//');
}

function primaryOf(customerId: string, alertId: string): string {
  return messageIdOf(`incident:${customerId}:${alertId}`, 'mail:primary', 'mimamori.example');
}
