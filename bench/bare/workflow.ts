import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';

/** What everything is measured against: start, one update, one activity, the end; no search attributes. */
export const goUpdate = defineUpdate<number>('go');

const { touch } = proxyActivities<{ touch: () => Promise<void> }>({ startToCloseTimeout: '10s' });

export async function bare(): Promise<void> {
  let isAsked = false;
  setHandler(goUpdate, () => {
    isAsked = true;
    return 1;
  });
  await condition(() => isAsked);
  await touch();
}
