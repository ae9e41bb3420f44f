import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { parse } from 'yaml';
import { z } from 'zod';
import { createAuditLog } from '../../src/api/audit-log.js';
import { createApiMetrics } from '../../src/api/metrics.js';
import { parts } from '../../src/api/state-metrics.js';
import { sloStates } from '../../src/domain/incident/slo.js';
import { stages } from '../../src/domain/incident/stage.js';
import { measures } from '../../src/domain/measures.js';
import { createPolicies } from '../../src/policy.js';
import { createApiClient } from '../../src/temporal/connect.js';
import { noArchive } from '../support/archive.js';
import { SERVICE } from '../support/house.js';

const alertSchema = z.strictObject({
  alert: z.string().regex(/^Mimamori[A-Z]\w+$/),
  expr: z.string().min(1),
  for: z
    .string()
    .regex(/^\d+m$/)
    .optional(),
  labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.strictObject({ summary: z.string().min(1), runbook: z.string() }),
});
const rulesSchema = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alertSchema) })),
});
const targetSchema = z.object({ refId: z.string(), expr: z.string().min(1) });
const dashboardSchema = z.object({
  uid: z.string(),
  title: z.string(),
  panels: z.array(z.object({ id: z.int(), title: z.string(), targets: z.array(targetSchema).min(1) })).min(1),
});
const scrapeSchema = z.object({
  rule_files: z.array(z.string()),
  scrape_configs: z.array(z.object({ job_name: z.string() })),
});
/** What `promtool test rules` tries. */
const examplesSchema = z.object({
  rule_files: z.array(z.string()),
  tests: z.array(z.object({ alert_rule_test: z.array(z.object({ alertname: z.string() })) })),
});

const folder = 'deploy/monitoring';
const read = (name: string) => readFileSync(`${folder}/${name}`, 'utf8');
const rules = rulesSchema.parse(parse(read('alerts.yml'))).groups.flatMap((group) => group.rules);
const dashboard = dashboardSchema.parse(JSON.parse(read('dashboard.json')));
const scraping = scrapeSchema.parse(parse(read('prometheus.yml')));
const examples = examplesSchema.parse(parse(read('alerts.test.yml')));
const handbook = readFileSync('docs/operations.md', 'utf8');

/** Of the SDK's own metrics, those that rules and dashboard use; a running worker has been seen to show them. */
const ofTheSdk: Partial<Record<string, readonly string[]>> = {
  temporal_workflow_task_execution_failed: ['namespace', 'task_queue', 'workflow_type', 'failure_reason'],
  temporal_activity_execution_failed: ['namespace', 'task_queue', 'workflow_type', 'activity_type', 'failure_reason'],
  temporal_worker_task_slots_available: ['namespace', 'task_queue', 'worker_type'],
  temporal_workflow_task_schedule_to_start_latency: ['namespace', 'task_queue', 'le'],
  temporal_activity_schedule_to_start_latency: ['namespace', 'task_queue', 'le'],
};

/** Names and labels of what the processes show, with a histogram's parts. */
async function known(): Promise<Map<string, ReadonlySet<string>>> {
  const log = pino({ level: 'silent' });
  const client = createApiClient(Connection.lazy({ address: '127.0.0.1:1' }), 'default', undefined);
  const audit = createAuditLog(undefined, log);
  const deps = {
    client,
    taskQueue: 'nobody',
    policies: createPolicies([], SERVICE),
    audit,
    sealing: undefined,
    archive: noArchive,
  };
  const { registry } = createApiMetrics(deps, log);
  const names = new Map<string, string[]>([['up', []]]);
  for (const { name, help } of await registry.getMetricsAsJSON()) {
    assert.ok(help);
    const metric = registry.getSingleMetric(name);
    assert.ok(metric);
    const labels = 'labelNames' in metric ? z.array(z.string()).parse(metric.labelNames) : [];
    names.set(name, [...labels, 'le']);
  }
  for (const [name, { labels }] of Object.entries(measures)) {
    // What the SDK adds to whatever a workflow counts.
    names.set(name, [...Object.keys(labels), 'namespace', 'taskQueue', 'workflowType', 'le']);
  }
  for (const [name, labels = []] of Object.entries(ofTheSdk)) names.set(name, [...labels]);
  return new Map([...names].map(([name, labels]) => [name, new Set([...labels, 'job', 'instance'])]));
}

/** The metrics of an expression, each with the labels that it is chosen by. */
function metricsIn(expr: string): { name: string; labels: string[] }[] {
  return [...expr.matchAll(/\b((?:mimamori|temporal|nodejs|process)_\w+|up)\b(?:\{([^}]*)\})?/g)].map(
    ([, name = '', selector = '']) => ({
      name: name.replace(/_(bucket|sum|count)$/, ''),
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].flatMap(([, label]) => label ?? []),
    }),
  );
}

function groupedBy(expr: string): string[] {
  return [...expr.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g)]
    .flatMap(([, list = '']) => list.split(','))
    .map((label) => label.trim());
}

const expressions = [
  ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr }))),
];

describe('rules and dashboard', () => {
  it('ask for metrics and labels that the processes show', async () => {
    const all = await known();
    for (const { where, expr } of expressions) {
      const used = metricsIn(expr);
      assert.ok(used.length > 0, `${where}: ${expr}`);
      for (const { name, labels } of used) {
        const own = all.get(name);
        assert.ok(own, `${where}: nobody shows ${name}`);
        for (const label of labels) assert.ok(own.has(label), `${where}: ${name} has no label ${label}`);
      }
      for (const label of groupedBy(expr)) {
        assert.ok(
          used.every(({ name }) => all.get(name)?.has(label)),
          `${where}: nothing has the label ${label}`,
        );
      }
    }
  });

  it('use every metric of ours', () => {
    const used = new Set(expressions.flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name)));
    for (const name of Object.keys(measures)) assert.ok(used.has(name), name);
  });

  it('compare only with values that labels can have', () => {
    const values = new Map<string, readonly string[]>([
      ...Object.entries({ stage: stages, slo: sloStates, part: parts }),
      ...Object.values(measures).flatMap(({ labels }) => Object.entries(labels)),
    ]);
    for (const { where, expr } of expressions) {
      for (const [, label = '', value = ''] of expr.matchAll(/(\w+)\s*=~?\s*"([^"]*)"/g)) {
        const possible = values.get(label);
        for (const one of possible === undefined ? [] : value.split('|')) {
          assert.ok(possible?.includes(one), `${where}: ${label} is never ${one}`);
        }
      }
    }
  });

  it('close every bracket and quotation mark', () => {
    for (const { where, expr } of expressions) {
      const outside = expr.replace(/"[^"]*"/g, '');
      assert.ok(!outside.includes('"'), where);
      for (const [open, close] of ['()', '{}', '[]']) {
        assert.equal(outside.split(open ?? '').length, outside.split(close ?? '').length, `${where}: ${open}${close}`);
      }
    }
  });

  it('name every alert once, and a section of the handbook that says what to do', () => {
    const names = rules.map(({ alert }) => alert);
    assert.equal(new Set(names).size, names.length);
    const sections = [...handbook.matchAll(/^### (Mimamori\w+)$/gm)].flatMap(([, name]) => name ?? []);
    assert.deepEqual(sections.sort(), names.sort());
    for (const { alert, annotations } of rules) {
      assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`);
    }
  });

  it('belong together: configuration and examples read the rules, and speak of the same jobs and alerts', () => {
    for (const { rule_files: files } of [scraping, examples]) assert.deepEqual(files, ['alerts.yml']);
    for (const { alert_rule_test: expected } of examples.tests) {
      for (const { alertname } of expected)
        assert.ok(
          rules.some(({ alert }) => alert === alertname),
          alertname,
        );
    }
    for (const { job_name: job } of scraping.scrape_configs) assert.match(job, /^mimamori-(api|worker)$/);
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  });
});
