import { startSimulator, type Moment } from '../simulator/index.js';
import { readSettings } from '../simulator/settings.js';
import type { News } from './processes.js';

/*
 * The simulator in a process of its own, which tells its parent at once what it would otherwise have to ask for: every
 * mail that was taken, every isolation that was asked for.
 */
function news(moment: Moment): News | undefined {
  if (moment.kind !== 'request') return undefined;
  if (moment.target === 'smtp' && moment.phase === 'done') {
    // The headers that were said in DATA; long ones are folded.
    const header = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'im').exec(moment.body)?.[1];
    const [mail, incidentId] = [header('X-Mimamori-Kind'), header('X-Mimamori-Incident')];
    return mail === undefined || incidentId === undefined ? undefined : { mail, incidentId };
  }
  const isolate = /\/api\/machines\/([^/]+)\/isolate$/.exec(moment.path)?.[1];
  return moment.method === 'POST' && moment.phase === 'arrived' && isolate !== undefined ? { isolate } : undefined;
}

const simulator = await startSimulator({
  ...readSettings(process.env),
  watch: (moment) => {
    const told = news(moment);
    if (told !== undefined) process.send?.(told);
    return Promise.resolve('go-on');
  },
});
process.once('SIGTERM', () => void simulator.stop().then(() => process.exit(0)));
process.stdout.write(`simulator listens on ${simulator.url}\n`);
