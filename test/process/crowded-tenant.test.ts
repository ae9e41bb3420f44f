import assert from 'node:assert/strict';
import { z } from 'zod';
import { until } from '../../simulator/testing.js';
import { actionsOf, newDevice } from '../support/devices.js';
import { House, verdict } from '../support/house.js';

const ALERTS = 150;
const WITHIN_MS = 10_000;

const requestsSchema = z.object({
  items: z.array(z.object({ method: z.string(), path: z.string(), status: z.number().nullable() })),
});

describe('a tenant with more devices to look up than Defender allows calls', function () {
  this.timeout(90_000);
  let house: House;
  let globex: string;
  before(async () => {
    house = await House.open({ callsPerMinute: 100 });
    globex = house.customer('globex');
  });
  after(() => house.close());

  async function requests() {
    return requestsSchema.parse(await house.control('GET', '/sim/requests?target=defender')).items;
  }

  async function lookUps(): Promise<string[]> {
    return (await requests()).filter(({ path }) => path.startsWith('/api/machines/')).map(({ path }) => path);
  }

  it('isolates at once, also a device whose look-up waits behind the others', async () => {
    const alerts: { id: string; machineId: string }[] = [];
    for (let begun = 0; begun < ALERTS; begun += 10) {
      const some = Array.from({ length: 10 }, async () => {
        const machineId = await newDevice(house, globex, { isolationSeconds: 0 });
        return { id: (await house.alert(globex, { machineId })).id, machineId };
      });
      alerts.push(...(await Promise.all(some)));
    }
    const waiting = await until('a look-up waits for its turn', async () => {
      for (const alert of alerts.slice(-20)) {
        const { attention } = await house.incident(alert.id);
        if (attention.includes('device-look-up-failing')) return alert;
      }
      return undefined;
    });

    const startedMs = Date.now();
    await house.command(waiting.id, 'triage', verdict(3));
    await until(
      'the isolation has reached Defender',
      async () => ((await actionsOf(house, globex, waiting.machineId)).length > 0 ? true : undefined),
      WITHIN_MS,
    );
    const tookMs = Date.now() - startedMs;
    await house.incidentWhen(waiting.id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    const asked = await lookUps();
    const stillUnknown = alerts.filter(({ machineId }) => !asked.some((path) => path.includes(machineId)));
    assert.ok(stillUnknown.length > 50, `${stillUnknown.length} look-ups wait after ${tookMs} ms`);
    assert.deepEqual(
      (await requests()).filter(({ status }) => status === 429),
      [],
      'the look-ups leave room',
    );
  });
});
